//! boto3 and the AWS CLI, in virtual environments: today's, which speaks JSON, and one from before, which speaks Query.

use super::{Against, Ready, Suite, installed, once, read, stories};
use crate::{
    shell::{Trouble, output_of, run_in, workspace_root},
    tally::{self, Tally},
};
use std::{path::PathBuf, process::Command};

/// One version of boto3 and what is played with it.
pub(super) struct Python {
    name: &'static str,
    requirements: &'static str,
    /// The modules to play; none: all.
    modules: &'static [&'static str],
}

impl Python {
    pub(super) fn today() -> Python {
        Python { name: "python", requirements: "requirements.txt", modules: &[] }
    }

    /// The stories of the actions themselves, once more by the Query protocol.
    pub(super) fn before_json() -> Python {
        Python {
            name: "query",
            requirements: "requirements-query.txt",
            modules: &["test_standard", "test_fifo", "test_dead_letters", "test_queues", "test_limits"],
        }
    }

    fn binary(&self, name: &str) -> PathBuf {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        installed(self.name).join(folder).join(name)
    }
}

impl Suite for Python {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&self) -> Result<Ready, Trouble> {
        let root = workspace_root();
        let probe = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))";
        if output_of(&root, "python3", &["-c", probe]).is_none() {
            return Ok(Ready::Lacks(
                "Python 3.9 or later with its venv module is not here (Debian: apt-get install python3-venv)".into(),
            ));
        }
        let requirements = stories("python").join(self.requirements);
        let folder = installed(self.name);
        let folder_text = folder.display().to_string();
        once(&folder, &read(&requirements)?, || {
            run_in(&root, "python3", &["-m", "venv", &folder_text])?;
            let list = requirements.display().to_string();
            run_in(&root, self.binary("pip"), &["--quiet", "--disable-pip-version-check", "install", "-r", &list])
        })?;
        Ok(Ready::Yes)
    }

    fn play(&self, against: &Against, words: &[&str]) -> Result<Tally, Trouble> {
        tally::of(
            Command::new(self.binary("python"))
                .arg(stories("python").join("run.py"))
                .args(if words.is_empty() { self.modules } else { words })
                .current_dir(workspace_root())
                .env("AFTERWARD_WIRE_URL", &against.url)
                .env("AFTERWARD_BIN", &against.binary)
                .env("PYTHONDONTWRITEBYTECODE", "1"),
        )
    }
}
