//! The bare hyper server with each way to use its cores, in turns: R is the best of them (`lab::BEST`).

use crate::{
    hello::Runtime,
    lab::{BEST, Lab},
    load::Reading,
    spread::{Spread, figure},
    trouble::Trouble,
};

/// One way's readings, round by round.
#[derive(Debug)]
pub struct Way {
    /// Which one.
    pub runtime: Runtime,
    /// With 64 connections.
    many: Vec<Reading>,
    /// With one.
    lone: Vec<Reading>,
}

pub(super) async fn measure(lab: &Lab<'_>) -> Result<Vec<Way>, Trouble> {
    let mut ways = Runtime::ALL.map(|runtime| Way { runtime, many: Vec::new(), lone: Vec::new() });
    for round in 0..lab.pace.rounds {
        for turn in 0..ways.len() {
            let way = &mut ways[(round + turn) % Runtime::ALL.len()];
            way.many.push(lab.bare_sends_by(way.runtime, 64).await?);
            way.lone.push(lab.bare_sends_by(way.runtime, 1).await?);
        }
    }
    Ok(ways.into())
}

/// The table's lines: what it is, then requests a second and CPU time with 64 connections, and requests with one; each
/// beside what the best way did in the same round.
pub fn lines(ways: &[Way]) -> Vec<[String; 4]> {
    let Some(best) = ways.iter().find(|way| way.runtime == BEST) else { return Vec::new() };
    let line = |way: &Way| {
        let name = if way.runtime == BEST {
            format!("{}: R", way.runtime.description())
        } else {
            way.runtime.description().into()
        };
        let cpu = Spread::of(way.many.iter().filter_map(Reading::server_us));
        [name, rates(&way.many, &best.many), format!("{} µs", figure(cpu.median)), rates(&way.lone, &best.lone)]
    };
    ways.iter().map(line).collect()
}

/// `98,000/s, 1.02 (1.00–1.03)`.
fn rates(readings: &[Reading], best: &[Reading]) -> String {
    let rate = figure(Spread::of(readings.iter().map(Reading::per_s)).median);
    let ratios = readings.iter().zip(best).map(|(reading, best)| reading.per_s() / best.per_s());
    format!("{rate}/s, {}", Spread::of(ratios))
}
