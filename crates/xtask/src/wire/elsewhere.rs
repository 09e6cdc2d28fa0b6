//! The library against other people's servers of SQS, which stand in for Amazon's: the same stories that it plays against
//! ours (`crates/afterward/tests/library/elsewhere.rs`), and those of the example that need no clock of ours
//! (`examples/shop/tests/shop.rs`).

use super::{Against, Ready, Suite, installed, once};
use crate::{
    shell::{Trouble, output_of, run_in, workspace_root},
    tally::{self, Tally},
};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Pinned, so that a failure is ours; of the measurements' versions (`crates/bench/src/peers`).
const MOTO: &[&str] = &["moto==5.2.5", "flask==3.1.3", "flask-cors==6.0.5"];
const FAUXQS: &str = "fauxqs@1.9.2";

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// One server.
pub(super) struct Elsewhere {
    name: &'static str,
    /// What the machine needs: a program, an argument that it succeeds with, and how to get it.
    needs: (&'static str, &'static [&'static str], &'static str),
    install: fn(&Path) -> Result<(), Trouble>,
    command: fn(&Path, u16) -> Command,
}

impl Elsewhere {
    /// moto's server, of Python.
    pub(super) fn moto() -> Elsewhere {
        Elsewhere {
            name: "moto",
            needs: (
                "python3",
                &["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))"],
                "Python 3.9 or later with its venv module is not here (Debian: apt-get install python3-venv)",
            ),
            install: |folder| {
                run_in(&workspace_root(), "python3", &["-m", "venv", &folder.display().to_string()])?;
                let quietly = ["--quiet", "--disable-pip-version-check", "install"];
                run_in(&workspace_root(), folder.join(BIN).join("pip"), &[&quietly, MOTO].concat())
            },
            command: |folder, port| {
                let mut command = Command::new(folder.join(BIN).join("moto_server"));
                command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
                command
            },
        }
    }

    /// fauxqs, of Node.js.
    pub(super) fn fauxqs() -> Elsewhere {
        Elsewhere {
            name: "fauxqs",
            needs: ("npm", &["--version"], "Node.js 20 or later with npm is not here"),
            install: |folder| {
                run_in(
                    folder,
                    "npm",
                    &["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", FAUXQS],
                )
            },
            command: |folder, port| {
                let mut command = Command::new("node");
                command.arg(folder.join("node_modules/.bin/fauxqs"));
                command.env("FAUXQS_PORT", port.to_string()).env("FAUXQS_LOGGER", "false");
                command
            },
        }
    }
}

/// Where a virtual environment has its programs.
const BIN: &str = if cfg!(windows) { "Scripts" } else { "bin" };

impl Suite for Elsewhere {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&self) -> Result<Ready, Trouble> {
        let (program, args, otherwise) = self.needs;
        if output_of(&workspace_root(), program, args).is_none() {
            return Ok(Ready::Lacks(otherwise.to_owned()));
        }
        let folder = installed(self.name);
        let pins = format!("{} {FAUXQS}", MOTO.join(" "));
        once(&folder, &pins, || (self.install)(&folder))?;
        Ok(Ready::Yes)
    }

    /// Against its own server, which is new: the stories' queues must not be there yet.
    fn play(&self, _: &Against, words: &[&str]) -> Result<Tally, Trouble> {
        let server = Server::start(self.name, |port| (self.command)(&installed(self.name), port))?;
        let mut tally = played(&server.url, "library", &[&["--ignored"], words].concat())?;
        tally += played(&server.url, "shop", if words.is_empty() { &["anywhere"] } else { words })?;
        Ok(tally)
    }
}

/// What a test of the workspace says of the server at this address. The whole workspace is named, so that what its tests have
/// built serves here, too.
fn played(url: &str, test: &str, args: &[&str]) -> Result<Tally, Trouble> {
    let mut command = Command::new("cargo");
    command.args(["test", "--quiet", "--workspace", "--test", test, "--"]).args(args);
    tally::of(command.current_dir(workspace_root()).env("AFTERWARD_TEST_URL", url))
}

/// A server at work until this is dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts it on a free port and waits until it listens. Somebody else may be given that port before it is there: then it
    /// ends, and is started once more.
    ///
    /// # Errors
    /// When it ends, or does not listen, both times.
    fn start(name: &str, command: impl Fn(u16) -> Command) -> Result<Server, Trouble> {
        Server::start_once(name, &command).or_else(|_| Server::start_once(name, &command))
    }

    fn start_once(name: &str, command: impl FnOnce(u16) -> Command) -> Result<Server, Trouble> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address: SocketAddr = free.map_err(|error| Trouble::new(format!("no port is free: {error}")))?;
        let mut command = command(address.port());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.map_err(|error| Trouble::new(format!("{name} can't be started: {error}")))?;
        let mut server = Server { child, url: format!("http://{address}") };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(Trouble::new(format!("{name} ended at once ({status})")));
            }
            if began.elapsed() > PATIENCE {
                return Err(Trouble::new(format!("{name} did not listen within {} s", PATIENCE.as_secs())));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
