//! Getting and starting the other servers: from the registries by their own clients, or from what is installed.

use crate::{
    folder::DataFolder,
    host::{Instance, end},
    load::Target,
    trouble::Trouble,
};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Pinned, so that a table can be made again. From 2.0 on it needs Node.js 22; this one runs on 20, as the wire tests do.
const FAUXQS: &str = "1.9.2";
const MOTO: &str = "5.2.5";
/// What moto's server needs beside it.
const FLASK: &[&str] = &["flask==3.1.3", "flask-cors==6.0.5"];
/// The application of moto's server as that makes it, but served by one thread. Its own program serves each connection on a
/// thread of its own, between which `receive_message` has no lock: two of them see a message visible before either hides it.
/// Python runs one thread at a time, so that more of them cost as much processor time a request.
const MOTO_ON_ONE_THREAD: &str = "import sys
from werkzeug.serving import run_simple
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
run_simple('127.0.0.1', int(sys.argv[1]), DomainDispatcherApplication(create_backend_app))";

/// As its manifest in `peers/apalis` pins it.
pub(super) const APALIS: &str = "1.0.0";

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// Another server, at work until this is dropped.
pub(super) struct Started {
    child: Child,
    target: Target,
    version: String,
    /// What it keeps on disk, if anything.
    _data: Option<DataFolder>,
}

impl Started {
    /// Which version it is.
    pub(super) fn version(&self) -> &str {
        &self.version
    }
}

impl Instance for Started {
    fn target(&self) -> Target {
        self.target
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Starts a server that is told its port, and waits until it listens.
fn start(
    name: &str,
    version: impl Into<String>,
    data: Option<DataFolder>,
    command: impl FnOnce(u16, Option<&Path>) -> Command,
) -> Result<Started, Trouble> {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    let address: SocketAddr = free.map_err(Trouble::because("no port is free"))?;
    let mut command = command(address.port(), data.as_ref().map(DataFolder::path));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().map_err(Trouble::because(format!("{name} can't be started")))?;
    let target = Target { address, pid: Some(child.id()) };
    let mut started = Started { child, target, version: version.into(), _data: data };
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        let ended = started.child.try_wait().ok().flatten();
        if let Some(status) = ended {
            return Err(Trouble::new(format!("{name} ended at once ({status})")));
        }
        if began.elapsed() > PATIENCE {
            return Err(Trouble::new(format!("{name} did not listen within {} s", PATIENCE.as_secs())));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(started)
}

/// The program `name`: in `folder`, or where the shell would find it.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = [folder.join("bin")].into_iter().chain(std::env::split_paths(&path));
    places.map(|place| place.join(name)).find(|file| file.is_file())
}

/// What a program calls its version: the last word of the first line that it prints when it is asked.
fn version_of(program: &Path, flag: &str) -> String {
    let output = Command::new(program).arg(flag).stdin(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().and_then(|line| line.split_whitespace().last()).unwrap_or("of unknown version").to_owned()
}

/// Runs the steps of an installation unless the same ones have succeeded before; what they print goes to a file. An error
/// stands in a table that is published: it names no folder of this machine.
fn install(folder: &Path, steps: &[(&str, &[&str])]) -> Result<(), Trouble> {
    let lines: Vec<String> = steps.iter().map(|(program, args)| format!("{program} {}", args.join(" "))).collect();
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|stamped| stamped == lines.join("\n")) {
        return Ok(());
    }
    for (program, args) in steps {
        step(folder, program, args)?;
    }
    fs::write(&stamp, lines.join("\n")).map_err(Trouble::because(stamp.display()))
}

/// One step of an installation.
fn step(folder: &Path, program: &str, args: &[&str]) -> Result<(), Trouble> {
    fs::create_dir_all(folder).map_err(Trouble::because(folder.display()))?;
    let log = folder.join("install.log");
    let told = || Trouble::because(log.display().to_string());
    let file = fs::File::create(&log).map_err(told())?;
    let errors = file.try_clone().map_err(told())?;
    let status = Command::new(program).args(args).stdin(Stdio::null()).stdout(file).stderr(errors).status();
    let status = status.map_err(Trouble::because(format!("`{program}` is needed to install it")))?;
    if status.success() {
        return Ok(());
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let program = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
    let text = format!("its installation by {program} failed ({status}); see bench/peers/{name}/install.log");
    Err(Trouble::new(format!("{text} in cargo's target folder")))
}

/// fauxqs, from npm, without its log.
pub(super) fn fauxqs(folder: &Path) -> Result<Started, Trouble> {
    let home = folder.join("fauxqs");
    let program = home.join("node_modules/.bin/fauxqs");
    let prefix = home.to_string_lossy();
    let package = format!("fauxqs@{FAUXQS}");
    let args = ["install", "--prefix", &prefix, "--ignore-scripts", "--no-audit", "--no-fund", &package];
    install(&home, &[("npm", &args)])?;
    start("fauxqs", FAUXQS, None, |port, _| {
        let mut command = Command::new("node");
        command.arg(&program).env("FAUXQS_PORT", port.to_string()).env("FAUXQS_LOGGER", "false");
        command
    })
}

/// moto's server, from PyPI, in an environment of its own.
pub(super) fn moto(folder: &Path) -> Result<Started, Trouble> {
    let home = folder.join("moto");
    let (python, pip) = (home.join("bin/python"), home.join("bin/pip"));
    let (home_text, pip) = (home.to_string_lossy(), pip.to_string_lossy());
    let venv = ["-m", "venv", &home_text];
    let moto = format!("moto=={MOTO}");
    let packages = [&["install", &moto][..], FLASK].concat();
    install(&home, &[("python3", &venv), (&pip, &packages)])?;
    start("moto", MOTO, None, |port, _| {
        let mut command = Command::new(&python);
        command.args(["-c", MOTO_ON_ONE_THREAD, &port.to_string()]);
        command
    })
}

/// fakecloud, which is not installed without being asked: its build takes many minutes.
pub(super) fn fakecloud(folder: &Path) -> Result<Started, Trouble> {
    let program = find(folder, "fakecloud")
        .ok_or_else(|| Trouble::new("`cargo install fakecloud` builds it, in many minutes"))?;
    start("fakecloud", version_of(&program, "--version"), None, |port, _| {
        let mut command = Command::new(program);
        command.args(["--addr", &format!("127.0.0.1:{port}"), "--log-level", "error"]);
        command
    })
}

/// beanstalkd, from the system's packages, with a log that it flushes at each write.
pub(super) fn beanstalkd(folder: &Path) -> Result<Started, Trouble> {
    let program = find(folder, "beanstalkd")
        .ok_or_else(|| Trouble::new("install the package `beanstalkd` of Debian or your system"))?;
    let data = DataFolder::new(folder)?;
    start("beanstalkd", version_of(&program, "-v"), Some(data), |port, data| {
        let mut command = Command::new(program);
        command.args(["-l", "127.0.0.1", "-p", &port.to_string(), "-f0", "-b"]).args(data);
        command
    })
}

/// The worker by apalis and its producers, built by cargo, which knows what it has built already.
pub(super) fn apalis(folder: &Path) -> Result<PathBuf, Trouble> {
    const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/apalis/Cargo.toml");
    let home = folder.join("apalis");
    let target = home.to_string_lossy();
    step(&home, "cargo", &["build", "--release", "--locked", "--manifest-path", MANIFEST, "--target-dir", &target])?;
    Ok(home.join("release").join(format!("apalis-noop{}", std::env::consts::EXE_SUFFIX)))
}

/// Redis, from the system's packages, with a log of all changes that it flushes by this policy, and nothing else on disk.
pub(super) fn redis(folder: &Path, policy: &str) -> Result<Started, Trouble> {
    let program = find(folder, "redis-server")
        .ok_or_else(|| Trouble::new("install the package `redis-server` of Debian or your system"))?;
    let data = DataFolder::new(folder)?;
    start("redis-server", redis_version(&program), Some(data), |port, data| {
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]);
        command.args(["--appendfsync", policy]);
        command.arg("--dir").args(data);
        command
    })
}

/// `Redis server v=7.0.15 sha=…`.
fn redis_version(program: &Path) -> String {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let version = text.split_whitespace().find_map(|word| word.strip_prefix("v="));
    version.unwrap_or("of unknown version").to_owned()
}
