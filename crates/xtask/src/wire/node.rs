//! The AWS SDKs for JavaScript: v3, v2 as it is now, and v2 from when it spoke Query.

use super::{Against, Ready, Suite, installed, once, read, stories};
use crate::{
    shell::{Trouble, output_of, run_in, workspace_root},
    tally::{self, Tally},
};
use std::process::Command;

/// Node.js with the packages of `tests/wire/node/package-lock.json`.
pub(super) struct Node;

impl Suite for Node {
    fn name(&self) -> &'static str {
        "node"
    }

    fn prepare(&self) -> Result<Ready, Trouble> {
        let root = workspace_root();
        let version = output_of(&root, "node", &["--version"]);
        let major: Option<u32> =
            version.as_deref().and_then(|v| v.trim().strip_prefix('v')?.split('.').next()?.parse().ok());
        if major.is_none_or(|major| major < 20) || output_of(&root, "npm", &["--version"]).is_none() {
            return Ok(Ready::Lacks("Node.js 20 or later with npm is not here".into()));
        }
        let (source, folder) = (stories("node"), installed("node"));
        let pins = read(&source.join("package-lock.json"))?;
        once(&folder, &pins, || {
            for name in ["package.json", "package-lock.json"] {
                let copied = std::fs::copy(source.join(name), folder.join(name));
                copied.map_err(|error| Trouble::new(format!("{name} can't be copied: {error}")))?;
            }
            run_in(&folder, "npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        })?;
        Ok(Ready::Yes)
    }

    fn play(&self, against: &Against, _words: &[&str]) -> Result<Tally, Trouble> {
        let folder = stories("node");
        tally::of(
            Command::new("node")
                .args(["--test", "--test-reporter=spec"])
                .args(["v2.test.cjs", "v3.test.cjs", "scheduler.test.cjs"].map(|name| folder.join(name)))
                .current_dir(workspace_root())
                .env("NODE_PATH", installed("node").join("node_modules"))
                .env("AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE", "1")
                .env("AFTERWARD_WIRE_URL", &against.url)
                .env("AFTERWARD_BIN", &against.binary),
        )
    }
}
