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

/// `work` on a new queue each time, all of it proved, in turns with hyper at `base` connections. At most `in_flight`
/// operations are in the air at once.
async fn against_hyper(
    lab: &Lab<'_>,
    base: usize,
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
    alternate(lab.pace.rounds, async || lab.bare_sends(base).await, ours).await
}

/// `37,000/s of 98,000/s`.
fn per_s(pairs: &Pairs, unit: &str) -> String {
    let median = |of: fn(&(Reading, Reading)) -> f64| figure(Spread::of(pairs.iter().map(of)).median);
    format!("{} {unit}; hyper {}/s", median(|(_, ours)| ours.per_s()), median(|(base, _)| base.per_s()))
}

pub(super) async fn send_64(lab: &Lab<'_>) -> Vec<Outcome> {
    let times = lab.pace.times;
    let work = async |load: &Load| load.send(64, times, Expect::Broker).await;
    let pairs = against_hyper(lab, R_CONNECTIONS, 64, work).await;
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

pub(super) async fn send_1(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let times = lab.pace.times;
    let pairs = against_hyper(lab, 1, 1, async |load| load.send(1, times, Expect::Broker).await).await?;
    let median = |part| figure(Spread::of(pairs.iter().map(|(_, ours)| ours.latency.quantile_ms(part))).median);
    Ok(Figure {
        measured: format!("{} ×", ratio(&pairs, Reading::per_s)),
        absolute: format!("{}; p50 {} ms, p99 {} ms", per_s(&pairs, "sends/s"), median(0.5), median(0.99)),
    })
}

pub(super) async fn batches(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let times = lab.pace.times;
    let work = async |load: &Load| load.send_batches(16, times).await;
    let pairs = against_hyper(lab, R_CONNECTIONS, 16 * BATCH, work).await?;
    Ok(against_r(&pairs, "messages/s"))
}

pub(super) async fn cycles(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let times = lab.pace.times;
    let work = async |load: &Load| load.cycle(16, times).await;
    let pairs = against_hyper(lab, R_CONNECTIONS, 16, work).await?;
    Ok(against_r(&pairs, "cycles/s"))
}

pub(super) async fn pipeline(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let times = lab.pace.times;
    let work = async |load: &Load| load.pipeline(4, 4, times).await;
    let pairs = against_hyper(lab, R_CONNECTIONS, 4 * BATCH, work).await?;
    Ok(against_r(&pairs, "messages/s"))
}

fn against_r(pairs: &Pairs, unit: &str) -> Figure {
    Figure { measured: format!("{} R", ratio(pairs, Reading::per_s)), absolute: per_s(pairs, unit) }
}
