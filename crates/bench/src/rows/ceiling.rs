//! How fast the pipeline could be: its requests, from the same generator, to a bare server whose answers have the right
//! sizes; to one that flushes before it answers, too; and to the broker, in turns with R.

use crate::{
    canned::Answers,
    lab::Lab,
    load::{Extent, Reading},
    spread::{Spread, figure},
    sqs::BATCH,
    trouble::Trouble,
};

/// One server's readings, round by round.
#[derive(Debug)]
pub struct Bound {
    what: &'static str,
    readings: Vec<Reading>,
    /// R of the same round.
    base: Vec<f64>,
}

const BARE: [(Answers, &str); 3] = [
    (Answers::Actions, "bare hyper, which answers"),
    (Answers::FlushedHere, "… which flushes a page for all who wait, on its thread, and answers"),
    (Answers::FlushedBeside, "… which has another thread flush, and answers"),
];

pub(super) async fn measure(lab: &Lab<'_>) -> Result<Vec<Bound>, Trouble> {
    let bound = |what| Bound { what, readings: Vec::new(), base: Vec::new() };
    let mut bounds: Vec<Bound> = BARE.iter().map(|(_, what)| bound(*what)).chain([bound("**Afterward**")]).collect();
    let bare = BARE.iter().map(|(answers, _)| lab.bare_pipeline(*answers)).collect::<Result<Vec<_>, _>>()?;
    let broker = lab.broker()?;
    for round in 0..lab.pace.rounds {
        let base = lab.bare_sends(64).await?.per_s();
        for turn in 0..bounds.len() {
            let at = (round + turn) % bounds.len();
            let reading = match bare.get(at) {
                Some(bare) => lab.bare_pipelines(bare.target()).await?,
                None => {
                    let load = lab.load(broker.target()).await?;
                    let reading = load.pipeline(4, 4, lab.pace.times).await;
                    load.prove(Extent::All).await.check()?;
                    lab.flushed(reading, 4 * BATCH)?
                }
            };
            bounds[at].readings.push(reading);
            bounds[at].base.push(base);
        }
    }
    Ok(bounds)
}

/// The table's lines: what it is, messages a second and their part of R, CPU time a message of the server and of the
/// generator, flushes a second.
pub fn lines(bounds: &[Bound]) -> Vec<[String; 5]> {
    let line = |Bound { what, readings, base }: &Bound| {
        let median = |of: &dyn Fn(&Reading) -> f64| figure(Spread::of(readings.iter().map(of)).median);
        let ratios = readings.iter().zip(base).map(|(reading, base)| reading.per_s() / base);
        let generator_us = |reading: &Reading| reading.spent.generator_cpu_s * 1e6 / reading.operations.max(1) as f64;
        [
            (*what).to_owned(),
            format!("{}/s, {} R", median(&Reading::per_s), Spread::of(ratios)),
            format!("{} µs", median(&|reading| reading.server_us().unwrap_or(f64::NAN))),
            format!("{} µs", median(&generator_us)),
            median(&|reading| reading.spent.flushes as f64 / reading.spent.wall_s),
        ]
    };
    bounds.iter().map(line).collect()
}
