//! Other servers beside ours, in the same run, with the same generator: as fast as they go, whatever they promise.
//!
//! Most keep their queues in memory and acknowledge without any disk; the table says which. A server that is not here is
//! a line that says how to get it.

mod obtain;
mod worker;

pub use worker::workers;

use crate::{
    body::BODY_BYTES,
    host::Instance,
    lab::Lab,
    load::{Extent, Load, Reading, Target},
    report::cell,
    spread::{Spread, figure},
    sqs::Expect,
    trouble::Trouble,
};
use std::{
    fmt::{self, Write},
    path::Path,
};

/// What a server is spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Sqs,
    Beanstalk,
}

/// A server of other people.
#[derive(Debug, Clone, Copy)]
struct Peer {
    name: &'static str,
    /// How it is run, and why so.
    mode: &'static str,
    keeps: &'static str,
    speaks: Speaks,
    start: fn(&Path) -> Result<obtain::Started, Trouble>,
}

const PEERS: &[Peer] = &[
    Peer {
        name: "fauxqs",
        mode: "in memory, without its log of requests",
        keeps: "memory",
        speaks: Speaks::Sqs,
        start: obtain::fauxqs,
    },
    Peer {
        name: "fakecloud",
        mode: "in memory, logs errors only",
        keeps: "memory",
        speaks: Speaks::Sqs,
        start: obtain::fakecloud,
    },
    Peer {
        name: "moto",
        mode: "its server on one thread: with its own, one for each connection, two receivers get the same message now \
               and then",
        keeps: "memory",
        speaks: Speaks::Sqs,
        start: obtain::moto,
    },
    Peer {
        name: "beanstalkd",
        mode: "`-f0`: flushes each write",
        keeps: "disk, flushed",
        speaks: Speaks::Beanstalk,
        start: obtain::beanstalkd,
    },
];

/// One measure of one server, round by round. It ends with the first fault: what stands there then is that, and no figure.
#[derive(Default)]
struct Column {
    per_s: Vec<f64>,
    in_r: Vec<f64>,
    fault: Option<Trouble>,
}

impl Column {
    async fn round(&mut self, r: f64, measure: impl Future<Output = Result<Reading, Trouble>>) {
        if self.fault.is_some() {
            return;
        }
        match measure.await {
            Ok(reading) => {
                self.per_s.push(reading.per_s());
                self.in_r.push(reading.per_s() / r);
            }
            Err(trouble) => self.fault = Some(trouble),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Some(trouble) => f.write_str(&cell(&trouble.to_string())),
            None => {
                let rate = figure(Spread::of(self.per_s.iter().copied()).median);
                write!(f, "{rate}/s; {} R", Spread::of(self.in_r.iter().copied()))
            }
        }
    }
}

/// Both measures of one server.
#[derive(Default)]
struct Columns {
    sends: Column,
    cycles: Column,
}

/// Some of those servers would take hours to give back what they took within a window.
const SAMPLE: Extent = Extent::Sample(1000);

/// The table. Installs what it can below `folder`.
///
/// # Errors
/// When our own server, or the bare one, does not start.
pub async fn table(lab: &Lab<'_>, folder: &Path, told: &mut dyn FnMut(&str)) -> Result<String, Trouble> {
    let broker = lab.broker()?;
    let mut ours = Columns::default();
    let mut others = Vec::new();
    for peer in PEERS {
        told(peer.name);
        others.push((peer, (peer.start)(folder), Columns::default()));
    }
    for _ in 0..lab.pace.rounds {
        let r = lab.bare_sends(64).await?.per_s();
        ours.round(r, lab, Speaks::Sqs, broker.target(), Extent::All).await;
        for (peer, server, columns) in &mut others {
            let Ok(server) = server else { continue };
            told(peer.name);
            columns.round(r, lab, peer.speaks, server.target(), SAMPLE).await;
        }
    }
    let mut text = String::from(
        "| server | how | keeps messages in | sends, 64 connections | cycles, 16 connections |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    let Columns { sends, cycles } = ours;
    let _ = writeln!(text, "| **Afterward** | as it comes | disk, flushed | {sends} | {cycles} |");
    for (Peer { name, mode, keeps, .. }, server, Columns { sends, cycles }) in &others {
        let _ = match server {
            Ok(server) => writeln!(text, "| {name} {} | {mode} | {keeps} | {sends} | {cycles} |", server.version()),
            Err(trouble) => {
                writeln!(text, "| {name} | {mode} | {keeps} | not here: {} | |", cell(&trouble.to_string()))
            }
        };
    }
    Ok(text)
}

impl Columns {
    /// Sends with 64 connections, then cycles with 16.
    async fn round(&mut self, r: f64, lab: &Lab<'_>, speaks: Speaks, target: Target, extent: Extent) {
        match speaks {
            Speaks::Sqs => {
                self.sends.round(r, sqs_sends(lab, target, extent)).await;
                self.cycles.round(r, sqs_cycles(lab, target, extent)).await;
            }
            Speaks::Beanstalk => {
                self.sends.round(r, puts(lab, target)).await;
                self.cycles.round(r, put_cycles(lab, target)).await;
            }
        }
    }
}

async fn sqs_sends(lab: &Lab<'_>, target: Target, extent: Extent) -> Result<Reading, Trouble> {
    let load = lab.load(target).await?;
    let sends = load.send(64, lab.pace.times, Expect::Broker).await;
    load.prove(extent).await.check()?;
    lab.noted(sends)
}

async fn sqs_cycles(lab: &Lab<'_>, target: Target, extent: Extent) -> Result<Reading, Trouble> {
    let load = lab.load(target).await?;
    let cycles = load.cycle(16, lab.pace.times).await;
    load.prove(extent).await.check()?;
    lab.noted(cycles)
}

/// beanstalkd's only tube here.
fn tube(target: Target) -> Load {
    Load::new(target, crate::sqs::Queue { url: "default".into(), groups: 0 }, BODY_BYTES)
}

async fn puts(lab: &Lab<'_>, target: Target) -> Result<Reading, Trouble> {
    let load = tube(target);
    let puts = load.beanstalk_puts(64, lab.pace.times).await;
    load.beanstalk_prove(Extent::All).await.check()?;
    lab.flushed(puts, 64)
}

async fn put_cycles(lab: &Lab<'_>, target: Target) -> Result<Reading, Trouble> {
    let load = tube(target);
    let cycles = load.beanstalk_cycles(16, lab.pace.times).await;
    load.beanstalk_prove(Extent::All).await.check()?;
    lab.flushed(cycles, 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Spent;

    #[tokio::test]
    async fn a_measure_that_was_not_verified_once_has_no_figure() {
        let reading =
            || Reading { operations: 50, spent: Spent { wall_s: 1.0, ..Spent::default() }, ..Reading::default() };
        let mut column = Column::default();
        column.round(100.0, async { Ok(reading()) }).await;
        assert_eq!(column.to_string(), "50.0/s; 0.50 (0.50–0.50) R");
        column.round(100.0, async { Err(Trouble::new("not verified: 1 lost | found")) }).await;
        column.round(100.0, async { Ok(reading()) }).await;
        assert_eq!(column.to_string(), "not verified: 1 lost \\| found");
    }
}
