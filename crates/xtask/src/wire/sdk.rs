//! Amazon's SDK for Rust, in a workspace of its own.

use super::{Against, Ready, Suite, installed, stories};
use crate::{
    shell::{Trouble, workspace_root},
    tally::{self, Tally},
};
use std::process::Command;

/// `aws-sdk-sqs`, as `tests/wire/rust/Cargo.lock` pins it.
pub(super) struct Sdk;

impl Suite for Sdk {
    fn name(&self) -> &'static str {
        "sdk"
    }

    fn prepare(&self) -> Result<Ready, Trouble> {
        Ok(Ready::Yes) // cargo is what runs us
    }

    fn play(&self, against: &Against, words: &[&str]) -> Result<Tally, Trouble> {
        tally::of(
            Command::new("cargo")
                .args(["test", "--quiet", "--locked", "--tests", "--manifest-path"])
                .arg(stories("rust").join("Cargo.toml"))
                .arg("--target-dir")
                .arg(installed("rust"))
                .arg("--")
                .args(words)
                .current_dir(workspace_root())
                .env("AFTERWARD_WIRE_URL", &against.url),
        )
    }
}
