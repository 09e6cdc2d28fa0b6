//! `cargo xtask bench` ends here: measures, and prints what it measured.
#![allow(clippy::print_stdout, clippy::print_stderr)] // printing is what it is for

use afterward_bench::{
    canned::Answers,
    flame, folder,
    hello::{self, Runtime},
    host::Processes,
    lab::{BEST, Lab, Pace},
    machine::Machine,
    peers, report,
    rows::{self, ROWS, WORKERS},
    trouble::Trouble,
    working,
};
use clap::{Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

/// Measures the broker, and prints the tables of BENCHMARKS.md.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", after_help = after_help())]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The rows to measure: names from the list below; none is all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Measure less, for a look in between
    #[arg(long)]
    quick: bool,
    /// Replace the tables in BENCHMARKS.md, all of them: without NAME
    #[arg(long, conflicts_with = "names")]
    write: bool,
    /// Measure others beside ours, installing what the registries have
    #[arg(long)]
    peers: bool,
    /// How often two things are measured in turns
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// How many messages wait in a deep queue [default: 1000000]
    #[arg(long, value_name = "N")]
    depth: Option<u64>,
    /// How the bare hyper server uses its cores
    #[arg(long, value_enum, default_value_t = BEST)]
    runtime: Runtime,
    /// Judge the arguments and do nothing: before what is measured is built
    #[arg(long, hide = true)]
    check: bool,
    /// The binary to measure
    #[arg(long, value_name = "FILE", hide = true)]
    afterward: Option<PathBuf>,
    /// Where the servers keep their data: on the disk that is meant
    #[arg(long, value_name = "DIR", default_value = "target/bench/data")]
    work: PathBuf,
    /// Where other servers are installed
    #[arg(long, value_name = "DIR", hide = true, default_value = "target/bench/peers")]
    peers_folder: PathBuf,
    /// Where `flame` draws
    #[arg(long, value_name = "FILE", hide = true, default_value = "docs/flamegraph-send.svg")]
    picture: PathBuf,
    /// The document that --write changes
    #[arg(long, value_name = "FILE", hide = true, default_value = "BENCHMARKS.md")]
    document: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Be the bare hyper server
    #[command(hide = true)]
    Hello {
        #[arg(long, value_enum)]
        runtime: Runtime,
        #[arg(long, value_enum)]
        answers: Answers,
        #[arg(long)]
        work: PathBuf,
    },
    /// Be a worker that does nothing
    #[command(hide = true)]
    Work {
        #[arg(long)]
        address: SocketAddr,
        #[arg(long)]
        queue_url: String,
        #[arg(long)]
        jobs: u64,
    },
}

/// The table of disk use, among the names.
const DISK: &str = "disk";
/// The table of the bare server, among the names.
const YARDSTICK: &str = "yardstick";
/// The table of what the pipeline could be at most, among the names; measured only when it is asked for.
const CEILING: &str = "ceiling";
/// The table of other servers, among the names; measured only when it is asked for.
const PEERS: &str = "peers";
/// The flame graph, among the names; drawn only when it is asked for.
const FLAME: &str = "flame";

fn after_help() -> String {
    let rows = ROWS.iter().map(|row| format!("  {:<16} {}\n", row.name, row.measure));
    format!(
        "Names:\n{}  {WORKERS:<16} both rows of the worker; with `--peers`, another library's beside it\n  {DISK:<16} disk use under every order of deletes\n  \
         {YARDSTICK:<16} the bare hyper server in each way that it can use its cores\n  \
         {CEILING:<16} the pipeline beside servers that only answer, and that only flush and answer\n  \
         {PEERS:<16} other servers beside ours; of all rows, `--peers` adds it\n  \
         {FLAME:<16} instead of rows: a flame graph of the send path (Linux, with `perf`)",
        rows.collect::<String>()
    )
}

fn main() -> ExitCode {
    let mut args = Args::parse();
    let outcome = match args.command.take() {
        Some(Command::Hello { runtime, answers, work }) => hello::run(runtime, answers, &work)
            .map(drop)
            .map_err(|error| Trouble::new(format!("the bare server: {error}"))),
        Some(Command::Work { address, queue_url, jobs }) => work(address, &queue_url, jobs),
        None => measure(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("{trouble}");
            ExitCode::FAILURE
        }
    }
}

/// One thread, which leaves the server its core.
fn work(address: SocketAddr, queue_url: &str, jobs: u64) -> Result<(), Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Trouble::new(format!("there is no runtime: {error}")))?;
    let working = working::run(address, queue_url, jobs, |line| println!("{line}"));
    runtime.block_on(working).map_err(|error| Trouble::new(error.to_string()))
}

fn measure(args: &Args) -> Result<(), Trouble> {
    check_names(&args.names)?;
    if args.check {
        return Ok(());
    }
    let host = Processes {
        afterward: args.afterward.clone().ok_or_else(|| Trouble::new("start this as `cargo xtask bench`"))?,
        bench: std::env::current_exe().map_err(|error| Trouble::new(format!("this program is nowhere: {error}")))?,
    };
    folder::sweep(&args.work);
    folder::sweep(&args.peers_folder);
    let mut pace = if args.quick { Pace::QUICK } else { Pace::FULL };
    pace.rounds = args.rounds.unwrap_or(pace.rounds).max(1);
    pace.depth = args.depth.unwrap_or(pace.depth);
    let machine = Machine::look(&args.work, pace.rounds, Duration::from_millis(if args.quick { 200 } else { 500 }))?;
    let lab = Lab::new(&host, &args.work, pace, machine.counts_flushes).against(args.runtime);
    // One thread, so that the generator takes one core at most from the server that it measures.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Trouble::new(format!("there is no runtime: {error}")))?;
    let section = tokio::task::LocalSet::new().block_on(&runtime, async {
        tokio::select! {
            section = sections(&lab, args, &machine) => section,
            // Servers and their data go with what was begun here.
            () = told_to_stop() => Err(Trouble::new("stopped: nothing was written")),
        }
    })?;
    println!("{section}");
    if args.write {
        report::write(&args.document, &section)?;
        eprintln!("written: {}", args.document.display());
    }
    Ok(())
}

/// All that was asked for, as text: the flame graph's file, or the tables.
async fn sections(lab: &Lab<'_>, args: &Args, machine: &Machine) -> Result<String, Trouble> {
    if args.names.iter().any(|name| name == FLAME) {
        flame::draw(lab, 4 * lab.pace.times.counted, &args.picture).await?;
        return Ok(format!("drawn: {}", args.picture.display()));
    }
    let mut tables = tables(lab, &args.names).await;
    let told = &mut |name: &str| eprintln!("{:<16} {name}", "peers");
    let of_server = |name: &String| !name.starts_with(WORKERS);
    let servers = args.peers && (args.names.is_empty() || args.names.iter().any(of_server));
    if servers || args.names.iter().any(|name| name == PEERS) {
        tables.push_str("\n### Beside others\n\n");
        tables.push_str(&peers::table(lab, &args.peers_folder, told).await?);
    }
    if args.peers && ROWS.iter().any(|row| row.name.starts_with(WORKERS) && rows::is_chosen(row.name, &args.names)) {
        tables.push_str("\n### The worker beside another library's\n\n");
        tables.push_str(&peers::workers(lab, &args.peers_folder, told).await?);
    }
    Ok(format!("{}\n{tables}", report::heading(machine, lab)))
}

#[cfg(unix)]
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    match kinds.map(signal) {
        [Ok(mut one), Ok(mut two), Ok(mut three)] => {
            tokio::select! {
                _ = one.recv() => {}
                _ = two.recv() => {}
                _ = three.recv() => {}
            }
        }
        // Then they end this program as they always did.
        _ => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn told_to_stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn tables(lab: &Lab<'_>, names: &[String]) -> String {
    let outcomes = rows::measure(lab, names, &mut |(row, outcome)| match outcome {
        Ok(figure) => eprintln!("{:<16} {} ({})", row.name, figure.measured, figure.absolute),
        Err(trouble) => eprintln!("{:<16} {trouble}", row.name),
    })
    .await;
    let mut text = String::new();
    if !outcomes.is_empty() {
        text.push_str(&report::rows(&outcomes, &lab.pace));
    }
    if rows::is_chosen(DISK, names) {
        let measured = rows::disk_use(lab, &mut |order| eprintln!("{DISK:<16} deleting {}", order.name)).await;
        text.push_str("\n### Disk use\n\n");
        text.push_str(&report::disk_use(&measured));
    }
    if rows::is_chosen(YARDSTICK, names) {
        eprintln!("{YARDSTICK}");
        text.push_str("\n### The yardstick\n\n");
        text.push_str(&report::yardstick(&rows::yardstick(lab).await));
    }
    if names.iter().any(|name| name == CEILING) {
        eprintln!("{CEILING}");
        text.push_str("\n### The pipeline's ceiling\n\n");
        text.push_str(&report::ceiling(&rows::ceiling(lab).await));
    }
    text
}

fn check_names(names: &[String]) -> Result<(), Trouble> {
    let known = |name: &&String| {
        ROWS.iter().any(|row| row.name == **name)
            || [WORKERS, DISK, YARDSTICK, CEILING, PEERS, FLAME].contains(&name.as_str())
    };
    match names.iter().find(|name| !known(name)) {
        Some(name) => Err(Trouble::new(format!("there is no row `{name}`; `cargo xtask bench --help` lists them"))),
        None => Ok(()),
    }
}
