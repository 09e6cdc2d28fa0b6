//! Where the measured servers come from: processes of their own, or, for a quick test, this one.

use crate::{canned::Answers, hello::Runtime, load::Target, trouble::Trouble};
use afterward_aws::sigv4::Credential;
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Starts servers.
pub trait Host {
    /// A broker with its data in `data`. With a credential it answers only what is signed by it.
    ///
    /// # Errors
    /// When it does not start.
    fn broker(&self, data: &Path, credential: Option<&Credential>) -> Result<Box<dyn Instance>, Trouble>;

    /// The bare HTTP server, which uses its cores as `runtime` says, and flushes in `work` if it does.
    ///
    /// # Errors
    /// When it does not start.
    fn bare(&self, runtime: Runtime, answers: Answers, work: &Path) -> Result<Box<dyn Instance>, Trouble>;

    /// A worker that does nothing with so many jobs of a queue; see [`working`](crate::working).
    ///
    /// # Errors
    /// When it does not start.
    fn worker(&self, address: SocketAddr, queue_url: &str, jobs: u64) -> Result<Lines, Trouble>;
}

/// What a worker says, or one who enqueues for it. Dropping this ends one that is a process.
#[derive(Debug)]
pub struct Lines {
    lines: UnboundedReceiver<String>,
    child: Option<Child>,
}

impl Lines {
    /// Lines of a worker in this process.
    pub fn new(lines: UnboundedReceiver<String>) -> Lines {
        Lines { lines, child: None }
    }

    /// Starts one that is a process.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(mut command: Command) -> Result<Lines, Trouble> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(Trouble::because("the worker can't be started"))?;
        let (said, lines) = unbounded_channel();
        if let Some(stdout) = child.stdout.take() {
            // Ends with the process, or with whoever listens.
            std::thread::spawn(move || {
                BufReader::new(stdout).lines().map_while(Result::ok).all(|line| said.send(line).is_ok())
            });
        }
        Ok(Lines { lines, child: Some(child) })
    }

    /// Its process, if it is one of its own.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The next line.
    ///
    /// # Errors
    /// When the worker has ended, or says nothing for too long.
    pub async fn next(&mut self) -> Result<String, Trouble> {
        const PATIENCE: Duration = Duration::from_secs(60);
        match tokio::time::timeout(PATIENCE, self.lines.recv()).await {
            Ok(Some(line)) => Ok(line),
            Ok(None) => Err(Trouble::new("the worker ended too soon")),
            Err(_) => Err(Trouble::new("the worker said nothing for a minute")),
        }
    }

    /// Waits for this line.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn until(&mut self, wanted: &str) -> Result<(), Trouble> {
        while self.next().await? != wanted {}
        Ok(())
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            end(child);
        }
    }
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

    fn bare(&self, runtime: Runtime, answers: Answers, work: &Path) -> Result<Box<dyn Instance>, Trouble> {
        let mut command = Command::new(&self.bench);
        command.args(["hello", "--runtime", runtime.name(), "--answers", answers.name(), "--work"]).arg(work);
        Ok(Box::new(Process::start(command)?))
    }

    fn worker(&self, address: SocketAddr, queue_url: &str, jobs: u64) -> Result<Lines, Trouble> {
        let mut command = Command::new(&self.bench);
        command.args([
            "work",
            "--address",
            &address.to_string(),
            "--queue-url",
            queue_url,
            "--jobs",
            &jobs.to_string(),
        ]);
        Lines::start(command)
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
