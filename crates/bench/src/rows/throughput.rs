//! How much the server does in a second, against what hyper alone does, and what it costs.

use super::{CPU_64, Figure, Outcome, SEND_64, ratio};
use crate::{
    lab::{Broker, Lab, alternate},
    load::{Extent, Load, Reading},
    spread::{Spread, figure},
    sqs::{BATCH, Expect},
    trouble::Trouble,
};

/// Pairs of hyper's reading and the server's.
type Pairs = Vec<(Reading, Reading)>;

/// How many connections R has.
const R_CONNECTIONS: usize = 64;

/// `work` on a new queue each time, all of it proved, in turns with `hyper`. At most `in_flight` operations are in the air
/// at once.
async fn against(
    hyper: impl AsyncFnMut() -> Result<Reading, Trouble>,
    lab: &Lab<'_>,
    in_flight: usize,
    work: impl AsyncFn(&Load) -> Reading,
) -> Result<Pairs, Trouble> {
    let broker: Broker = lab.broker()?;
    let ours = async || {
        let load = lab.load(broker.target()).await?;
        let reading = work(&load).await;
        load.prove(Extent::All).await.check()?;
        lab.flushed(reading, in_flight)
    };
    alternate(lab.pace.rounds, hyper, ours).await
}

/// The same in turns with R.
async fn against_r(lab: &Lab<'_>, in_flight: usize, work: impl AsyncFn(&Load) -> Reading) -> Result<Pairs, Trouble> {
    against(async || lab.bare_sends(R_CONNECTIONS).await, lab, in_flight, work).await
}

/// `37,000/s of 98,000/s`.
fn per_s(pairs: &Pairs, unit: &str) -> String {
    let median = |of: fn(&(Reading, Reading)) -> f64| figure(Spread::of(pairs.iter().map(of)).median);
    format!("{} {unit}; hyper {}/s", median(|(_, ours)| ours.per_s()), median(|(base, _)| base.per_s()))
}

pub(super) async fn send_64(lab: &Lab<'_>) -> Vec<Outcome> {
    let times = lab.pace.times;
    let work = async |load: &Load| load.send(64, times, Expect::Broker).await;
    let pairs = against_r(lab, 64, work).await;
    let cpu = pairs.as_ref().map_err(Clone::clone).and_then(cpu);
    let send = pairs.map(|pairs| {
        let latency = Spread::of(pairs.iter().map(|(_, ours)| ours.latency.quantile_ms(0.99))).median;
        Figure {
            measured: format!("{} R", ratio(&pairs, Reading::per_s)),
            absolute: format!("{}; p99 {} ms", per_s(&pairs, "sends/s"), figure(latency)),
        }
    });
    vec![(SEND_64, send), (CPU_64, cpu)]
}

fn cpu(pairs: &Pairs) -> Result<Figure, Trouble> {
    let unknown = || Trouble::new("the servers' CPU time is not known here");
    let us = |reading: &Reading| reading.server_us().filter(|us| *us > 0.0);
    let both = |(base, ours): &(Reading, Reading)| Some((us(base)?, us(ours)?));
    let costs: Vec<(f64, f64)> = pairs.iter().map(both).collect::<Option<_>>().ok_or_else(unknown)?;
    let median = |of: fn(&(f64, f64)) -> f64| figure(Spread::of(costs.iter().map(of)).median);
    Ok(Figure {
        measured: format!("{} ×", ratio(&costs, |us| *us)),
        absolute: format!("{} µs; hyper {} µs", median(|(_, ours)| *ours), median(|(base, _)| *base)),
    })
}

/// A lone client waits for a flush with each send, so this row has a bound that is the disk's: measured in the same rounds.
pub(super) async fn send_1(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let times = lab.pace.times;
    let mut disk = lab.flusher()?;
    let mut flushes_per_s = Vec::new();
    let hyper = async || {
        flushes_per_s.push(disk.per_s(times.counted)?);
        lab.bare_sends(1).await
    };
    let pairs = against(hyper, lab, 1, async |load| load.send(1, times, Expect::Broker).await).await?;
    let median = |part| figure(Spread::of(pairs.iter().map(|(_, ours)| ours.latency.quantile_ms(part))).median);
    let bounds = pairs.iter().zip(&flushes_per_s).map(|((hyper, _), flushes)| bound(hyper.per_s(), *flushes));
    Ok(Figure {
        measured: format!("{} ×; at most {} on this disk", ratio(&pairs, Reading::per_s), Spread::of(bounds)),
        absolute: format!(
            "{}; p50 {} ms, p99 {} ms; the disk flushes a page {} times a second",
            per_s(&pairs, "sends/s"),
            median(0.5),
            median(0.99),
            figure(Spread::of(flushes_per_s).median)
        ),
    })
}

/// The part of hyper's rate that is left to a server as fast as hyper which waits for one flush with each request: it
/// needs 1/R + 1/F for what hyper needs 1/R for.
fn bound(hyper_per_s: f64, flushes_per_s: f64) -> f64 {
    1.0 / (1.0 + hyper_per_s / flushes_per_s)
}

pub(super) async fn batches(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let times = lab.pace.times;
    let work = async |load: &Load| load.send_batches(16, times).await;
    let pairs = against_r(lab, 16 * BATCH, work).await?;
    Ok(in_r(&pairs, "messages/s"))
}

pub(super) async fn cycles(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let times = lab.pace.times;
    let work = async |load: &Load| load.cycle(16, times).await;
    let pairs = against_r(lab, 16, work).await?;
    Ok(in_r(&pairs, "cycles/s"))
}

pub(super) async fn pipeline(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let times = lab.pace.times;
    let work = async |load: &Load| load.pipeline(4, 4, times).await;
    let pairs = against_r(lab, 4 * BATCH, work).await?;
    Ok(in_r(&pairs, "messages/s"))
}

fn in_r(pairs: &Pairs, unit: &str) -> Figure {
    Figure { measured: format!("{} R", ratio(pairs, Reading::per_s)), absolute: per_s(pairs, unit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_bounds_what_a_lone_client_can_get() {
        for (hyper, flushes, at_most) in [(1000.0, 1000.0, 0.5), (3000.0, 1000.0, 0.25), (1.0, 1e9, 1.0)] {
            assert!((bound(hyper, flushes) - at_most).abs() < 1e-6, "{hyper} {flushes}");
        }
    }
}
