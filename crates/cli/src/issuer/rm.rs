//! `afterward issuer rm`

use super::folder::Folder;
use crate::{failure::Failure, output};
use clap::Args;

#[derive(Debug, Args)]
#[command(
    after_help = "Tokens that it has signed are good until they expire, for those who still have its public key: \
print the public keys anew for them, with `afterward issuer jwks`."
)]
pub(super) struct Rm {
    /// Ids of keys
    #[arg(required = true, value_name = "KID")]
    issuers: Vec<String>,
    /// A private key can't be had back: say that you mean it
    #[arg(long)]
    force: bool,
}

pub(super) fn run(rm: &Rm, folder: &Folder) -> Result<(), Failure> {
    let issuers = folder.named(&rm.issuers)?;
    if !rm.force {
        let files: Vec<String> = issuers.iter().map(|kept| kept.file.display().to_string()).collect();
        return Err(Failure::new(format!(
            "{} would be gone for good, and workers that sign with it could not call. Add --force to delete it all the same.",
            files.join(", ")
        )));
    }
    for kept in issuers {
        std::fs::remove_file(&kept.file)
            .map_err(|error| Failure::new(format!("{} can't be deleted: {error}", kept.file.display())))?;
        output::say(&format!("deleted {}", kept.issuer.name()))?;
    }
    Ok(())
}
