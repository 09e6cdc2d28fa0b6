//! `afterward issuer`: the private keys that sign access tokens, as files in a folder. No server has a part in it.

mod create;
mod folder;
mod jwks;
mod ls;
mod rm;

use crate::failure::Failure;
use clap::{Args, Subcommand};
use folder::Folder;
use std::path::PathBuf;

/// Make and list the keys that sign access tokens.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  afterward issuer create                   make a key; it prints its file
  AFTERWARD_ISSUER_KEY=FILE my-worker       a worker whose Token signs with it
  afterward issuer jwks > issuers.json      the public keys, for the API that takes the tokens")]
pub(crate) struct IssuerArgs {
    #[command(subcommand)]
    command: Command,
    /// Where the keys are [default: the folder `issuers` in the user's configuration of afterward]
    #[arg(long, global = true, env = "AFTERWARD_ISSUERS", hide_env_values = true, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an issuer: a private key in a file that only you can read
    Create(create::Create),
    /// List issuers
    Ls(ls::Ls),
    /// Delete issuers' private keys
    Rm(rm::Rm),
    /// Print public keys as JSON (JWKS), for publishing
    Jwks(jwks::JwksArgs),
}

pub(crate) fn run(issuer: IssuerArgs) -> Result<(), Failure> {
    let folder = Folder::at(issuer.folder)?;
    match issuer.command {
        Command::Create(create) => create::run(&create, &folder),
        Command::Ls(ls) => ls::run(&ls, &folder),
        Command::Rm(rm) => rm::run(&rm, &folder),
        Command::Jwks(jwks) => jwks::run(&jwks, &folder),
    }
}

#[cfg(test)]
mod tests;
