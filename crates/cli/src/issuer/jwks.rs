//! `afterward issuer jwks`

use super::folder::Folder;
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
    let issuers = folder.named(&jwks.issuers)?;
    if issuers.is_empty() {
        let folder = folder.path().display();
        return Err(Failure::new(format!("no issuers in {folder}: `afterward issuer create` makes one")));
    }
    let keys = issuers.iter().fold(Jwks::default(), |keys, kept| keys.and(kept.issuer.jwks()));
    Ok(output::say_json(&keys.to_json())?)
}
