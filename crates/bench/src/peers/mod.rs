//! Other servers beside ours, in the same run, with the same generator: as fast as they go, whatever they promise.
//!
//! Most keep their queues in memory and acknowledge without any disk; the table says which. A server that is not here is
//! a line that says how to get it.

mod obtain;

use crate::{
    body::BODY_BYTES,
    host::Instance,
    lab::Lab,
    load::{Extent, Load, Reading},
    spread::{Spread, figure},
    sqs::Expect,
    trouble::Trouble,
};
use std::{fmt::Write, path::Path};

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
    keeps: &'static str,
    speaks: Speaks,
    start: fn(&Path) -> Result<obtain::Started, Trouble>,
}

const PEERS: &[Peer] = &[
    Peer { name: "fauxqs", keeps: "memory", speaks: Speaks::Sqs, start: obtain::fauxqs },
    Peer { name: "fakecloud", keeps: "memory", speaks: Speaks::Sqs, start: obtain::fakecloud },
    Peer { name: "moto", keeps: "memory", speaks: Speaks::Sqs, start: obtain::moto },
    Peer {
        name: "beanstalkd -f0",
        keeps: "disk, a flush for each write",
        speaks: Speaks::Beanstalk,
        start: obtain::beanstalkd,
    },
];

/// One server's readings, round by round.
#[derive(Default)]
struct Column {
    sends: Vec<f64>,
    cycles: Vec<f64>,
    sends_in_r: Vec<f64>,
    cycles_in_r: Vec<f64>,
    fault: Option<Trouble>,
}

/// Some of those servers would take hours to give back what they took within a window.
const SAMPLE: Extent = Extent::Sample(1000);

/// The table. Installs what it can below `folder`.
///
/// # Errors
/// When our own server, or the bare one, can't be measured.
pub async fn table(lab: &Lab<'_>, folder: &Path, told: &mut dyn FnMut(&str)) -> Result<String, Trouble> {
    let broker = lab.broker()?;
    let mut ours = Column::default();
    let mut started = Vec::new();
    for peer in PEERS {
        told(peer.name);
        started.push((peer, (peer.start)(folder), Column::default()));
    }
    for _ in 0..lab.pace.rounds {
        let r = lab.bare_sends(64).await?.per_s();
        let broker = broker.target();
        ours.round(r, sqs(lab, broker, Extent::All).await);
        for (peer, server, column) in &mut started {
            let Ok(server) = server else { continue };
            if column.fault.is_some() {
                continue;
            }
            told(peer.name);
            let target = server.target();
            column.round(
                r,
                match peer.speaks {
                    Speaks::Sqs => sqs(lab, target, SAMPLE).await,
                    Speaks::Beanstalk => beanstalk(lab, target).await,
                },
            );
        }
    }
    let mut text = String::from(
        "| server | keeps messages in | sends, 64 connections | cycles, 16 connections |\n| --- | --- | --- | --- |\n",
    );
    line(&mut text, "**Afterward**", "disk, flushed", &ours);
    for (peer, server, column) in &started {
        match server {
            Ok(_) => line(&mut text, peer.name, peer.keeps, column),
            Err(trouble) => {
                let _ = writeln!(text, "| {} | {} | not here: {} | |", peer.name, peer.keeps, trouble);
            }
        }
    }
    Ok(text)
}

impl Column {
    fn round(&mut self, r: f64, measured: Result<(Reading, Reading), Trouble>) {
        match measured {
            Ok((sends, cycles)) => {
                self.sends.push(sends.per_s());
                self.cycles.push(cycles.per_s());
                self.sends_in_r.push(sends.per_s() / r);
                self.cycles_in_r.push(cycles.per_s() / r);
            }
            Err(trouble) => self.fault = Some(trouble),
        }
    }
}

fn line(text: &mut String, name: &str, keeps: &str, column: &Column) {
    let show = |rates: &[f64], ratios: &[f64]| {
        let rate = figure(Spread::of(rates.iter().copied()).median);
        format!("{rate}/s; {} R", Spread::of(ratios.iter().copied()))
    };
    let _ = match &column.fault {
        Some(trouble) => writeln!(text, "| {name} | {keeps} | {} | |", trouble.to_string().replace('|', "\\|")),
        None => {
            let sends = show(&column.sends, &column.sends_in_r);
            let cycles = show(&column.cycles, &column.cycles_in_r);
            writeln!(text, "| {name} | {keeps} | {sends} | {cycles} |")
        }
    };
}

/// Sends with 64 connections, then cycles with 16, each on a queue of its own.
async fn sqs(lab: &Lab<'_>, target: crate::load::Target, extent: Extent) -> Result<(Reading, Reading), Trouble> {
    let times = lab.pace.times;
    let load = lab.load(target).await?;
    let sends = load.send(64, times, Expect::Broker).await;
    load.prove(extent).await.check()?;
    let load = lab.load(target).await?;
    let cycles = load.cycle(16, times).await;
    load.prove(extent).await.check()?;
    Ok((lab.noted(sends)?, lab.noted(cycles)?))
}

/// The same of beanstalkd.
async fn beanstalk(lab: &Lab<'_>, target: crate::load::Target) -> Result<(Reading, Reading), Trouble> {
    let times = lab.pace.times;
    let queue = crate::sqs::Queue { url: "default".into(), groups: 0 };
    let load = Load::new(target, queue.clone(), BODY_BYTES);
    let sends = load.beanstalk_puts(64, times).await;
    load.beanstalk_prove(Extent::All).await.check()?;
    let load = Load::new(target, queue, BODY_BYTES);
    let cycles = load.beanstalk_cycles(16, times).await;
    load.beanstalk_prove(Extent::All).await.check()?;
    Ok((lab.noted(sends)?, lab.noted(cycles)?))
}
