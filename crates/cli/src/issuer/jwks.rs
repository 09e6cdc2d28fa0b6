//! `afterward issuer jwks`

use super::folder::{Folder, Kept};
use crate::{failure::Failure, output};
use afterward::token::Jwks;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct JwksArgs {
    /// Ids of keys; all of them unless some are named
    #[arg(value_name = "KID")]
    issuers: Vec<String>,
}

pub(super) fn run(jwks: &JwksArgs, folder: &Folder) -> Result<(), Failure> {
    let issuers = if jwks.issuers.is_empty() { all(folder)? } else { folder.named(&jwks.issuers)? };
    let keys = issuers.iter().fold(Jwks::default(), |keys, kept| keys.and(kept.issuer.jwks()));
    Ok(output::say_json(&keys.to_json())?)
}

/// Every issuer, or none: with one left out, an API would refuse tokens that it should take.
fn all(folder: &Folder) -> Result<Vec<Kept>, Failure> {
    let found = folder.all()?;
    let path = folder.path().display();
    if !found.passed_over.is_empty() {
        let files: Vec<String> = found.passed_over.iter().map(|file| file.display().to_string()).collect();
        return Err(Failure::new(format!(
            "no key could be read from {}: mend or remove it, or name the keys that are to be published (`{}` shows them)",
            files.join(", "),
            folder.command("ls")
        )));
    }
    match found.issuers {
        issuers if issuers.is_empty() => {
            Err(Failure::new(format!("no issuers in {path}: `{}` makes one", folder.command("create"))))
        }
        issuers => Ok(issuers),
    }
}
