//! Where the measured servers come from: processes of their own, or, for a quick test, this one.

use crate::{hello::Runtime, load::Target, trouble::Trouble};
use afterward_aws::sigv4::Credential;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Starts servers.
pub trait Host {
    /// A broker with its data in `data`. With a credential it answers only what is signed by it.
    ///
    /// # Errors
    /// When it does not start.
    fn broker(&self, data: &Path, credential: Option<&Credential>) -> Result<Box<dyn Instance>, Trouble>;

    /// The bare HTTP server.
    ///
    /// # Errors
    /// When it does not start.
    fn bare(&self) -> Result<Box<dyn Instance>, Trouble>;
}

/// A server that runs until this is dropped; then it ends as if killed.
pub trait Instance {
    /// Where it is.
    fn target(&self) -> Target;
}

/// Servers as processes of their own.
#[derive(Debug, Clone)]
pub struct Processes {
    /// The binary `afterward`.
    pub afterward: PathBuf,
    /// This program, which is the bare server, too.
    pub bench: PathBuf,
    /// How the bare server uses its cores.
    pub runtime: Runtime,
}

impl Host for Processes {
    fn broker(&self, data: &Path, credential: Option<&Credential>) -> Result<Box<dyn Instance>, Trouble> {
        let mut command = Command::new(&self.afterward);
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--jobs-create=false", "--data"]);
        command.arg(data).env_remove("AFTERWARD_CONFIG");
        if let Some(credential) = credential {
            command.env("AFTERWARD_ACCESS_KEY_ID", &credential.access_key_id);
            command.env("AFTERWARD_SECRET_ACCESS_KEY", &credential.secret_access_key);
        }
        Ok(Box::new(Process::start(command)?))
    }

    fn bare(&self) -> Result<Box<dyn Instance>, Trouble> {
        let runtime = match self.runtime {
            Runtime::Shared => "shared",
            Runtime::Single => "single",
        };
        let mut command = Command::new(&self.bench);
        command.args(["hello", "--runtime", runtime]);
        Ok(Box::new(Process::start(command)?))
    }
}

/// A server that says where it listens in its first line.
#[derive(Debug)]
pub struct Process {
    child: Child,
    target: Target,
}

impl Process {
    /// Starts it, and waits until it says where it listens.
    ///
    /// # Errors
    /// When it ends first, or says something else.
    pub fn start(mut command: Command) -> Result<Process, Trouble> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Trouble::because(format!("{program} can't be started")))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(Trouble::because(&program))?;
        }
        match line.trim().strip_prefix("listening on http://").and_then(|address| address.parse().ok()) {
            Some(address) => {
                let target = Target { address, pid: Some(child.id()) };
                Ok(Process { child, target })
            }
            None => {
                end(&mut child);
                Err(Trouble::new(format!("{program} did not say where it listens, but {line:?}")))
            }
        }
    }
}

impl Instance for Process {
    fn target(&self) -> Target {
        self.target
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// SIGKILL, and waits for the end. That it has ended already is as good.
pub(crate) fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// A folder for one server's data, removed when this is dropped.
#[derive(Debug)]
pub struct DataFolder(tempfile::TempDir);

impl DataFolder {
    /// A new one in `work`, which is created if it isn't there.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn new(work: &Path) -> Result<DataFolder, Trouble> {
        let told = || format!("no folder for data can be made in {}", work.display());
        fs::create_dir_all(work).map_err(Trouble::because(told()))?;
        let folder = tempfile::Builder::new().prefix("data-").tempdir_in(work);
        folder.map(DataFolder).map_err(Trouble::because(told()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// What its files take of the disk, in bytes.
    pub fn allocated_bytes(&self) -> u64 {
        allocated(self.path())
    }
}

#[cfg(unix)]
fn allocated(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => allocated(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        // Deleted while we looked.
        Err(_) => 0,
    };
    entries.map(of).sum()
}

#[cfg(not(unix))]
fn allocated(_: &Path) -> u64 {
    0
}
