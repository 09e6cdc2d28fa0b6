//! `afterward issuer create`

use super::folder::{Folder, shell_word};
use crate::{failure::Failure, output};
use afterward::token::Issuer;
use clap::Args;
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
    rand_core::OsRng,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  afterward issuer create
  afterward issuer create --bits 3072 --folder /etc/afterward/issuers")]
pub(super) struct Create {
    /// The key's length: 2048, 3072 or 4096 bits
    #[arg(long, default_value = "2048", value_parser = ["2048", "3072", "4096"])]
    bits: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(create: &Create, folder: &Folder) -> Result<(), Failure> {
    let bits = create.bits.parse().map_err(|_| Failure::new(format!("`{}` is no number of bits", create.bits)))?;
    let made = |error: &dyn std::fmt::Display| Failure::new(format!("no key could be made: {error}"));
    let key = RsaPrivateKey::new(&mut OsRng, bits).map_err(|error| made(&error))?;
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|error| made(&error))?;
    let issuer = Issuer::from_pem(&pem).map_err(|error| made(&error))?;
    let file = folder.keep(&issuer, &pem)?;
    if create.json {
        let file = file.display().to_string();
        let made = serde_json::json!({"kid": issuer.kid(), "issuer": issuer.name(), "file": file});
        return Ok(output::say_json(&made)?);
    }
    output::say(&format!("made {}\n", issuer.name()))?;
    output::say(&format!("  AFTERWARD_ISSUER_KEY={}   lets a worker sign tokens with it", shell_word(&file)))?;
    let jwks = folder.command("jwks");
    output::say(&format!("  {jwks} > issuers.json   writes the public keys, for the API"))?;
    Ok(())
}
