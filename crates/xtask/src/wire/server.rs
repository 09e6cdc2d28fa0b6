//! A server of our own for the suites to share.

use crate::shell::Trouble;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

/// A running server with a temporary data directory; it ends, and the directory goes, when this is dropped.
pub(super) struct Server {
    child: Child,
    url: String,
    data: PathBuf,
}

impl Server {
    /// Starts the server on a free port and waits until it says where it listens.
    ///
    /// # Errors
    /// When it ends, or says something else first.
    pub(super) fn start(binary: &Path) -> Result<Server, Trouble> {
        let unique = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let data = std::env::temp_dir().join(format!("afterward-wire-{}-{unique}", std::process::id()));
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--data"])
            .arg(&data)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Trouble::new(format!("{} could not be started: {error}", binary.display())))?;
        let mut line = String::new();
        let read = child.stdout.take().map(|stdout| BufReader::new(stdout).read_line(&mut line));
        let url = line.trim().strip_prefix("listening on ").map(str::to_owned);
        match (read, url) {
            (Some(Ok(_)), Some(url)) => Ok(Server { child, url, data }),
            (read, _) => {
                let _ = child.kill();
                Err(Trouble::new(format!("the server did not say where it listens, but {line:?} ({read:?})")))
            }
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
