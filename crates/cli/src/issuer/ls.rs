//! `afterward issuer ls`

use super::folder::{Folder, Kept};
use crate::{failure::Failure, output, table::Table, units};
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct Ls {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(ls: &Ls, folder: &Folder) -> Result<(), Failure> {
    let issuers = folder.all()?.issuers;
    if ls.json {
        let row = |kept: &Kept| {
            let (kid, name) = (kept.issuer.kid(), kept.issuer.name());
            serde_json::json!({"kid": kid, "issuer": name, "file": kept.file.display().to_string()})
        };
        return Ok(output::say_json(&serde_json::json!({"issuers": issuers.iter().map(row).collect::<Vec<_>>()}))?);
    }
    if issuers.is_empty() {
        let (path, create) = (folder.path().display(), folder.command("create"));
        return Ok(output::say(&format!("no issuers in {path}: `{create}` makes one"))?);
    }
    let mut table = Table::new(&["KID", "ISSUER", "AGE", "FILE"]);
    for kept in &issuers {
        let age = kept.created.and_then(|created| created.elapsed().ok());
        let age = age.map_or_else(|| "–".to_owned(), |age| units::spoken(age.as_secs()));
        let (kid, name) = (kept.issuer.kid().to_owned(), kept.issuer.name().to_owned());
        table.row([kid, name, age, kept.file.display().to_string()]);
    }
    Ok(table.print()?)
}
