//! Receiving from a full queue costs what it costs from an empty one: a number of messages is put into an otherwise
//! empty queue and taken out again, in turns with taking as many from a deep or crowded one of the same broker.

use super::Figure;
use crate::{
    body::BODY_BYTES,
    lab::Lab,
    load::{Extent, Load, Reading, Target},
    slices,
    spread::figure,
    trouble::Trouble,
};

/// How many connections take.
const CONNECTIONS: usize = 16;

/// What else is in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crowd {
    /// Waiting messages of many groups.
    Groups,
    /// Messages that are not to be delivered yet.
    Delayed,
    /// Messages that somebody holds.
    InFlight,
}

/// How many slices a round is cut into.
const SLICES: usize = 10;

/// Takes from `shallow` what it just got, in turns with taking from `deep` as much as that has just got.
pub(super) async fn compare(lab: &Lab<'_>, shallow: &Load, deep: &Load) -> Result<Figure, Trouble> {
    let slice = (lab.pace.take / SLICES as u64).max(1);
    let take = async |load: &Load| {
        // Filled first, so that the deep queue has the fresh messages, too, and is never less deep than it should be.
        load.fill(slice).await;
        lab.flushed_slice(load.take(CONNECTIONS, slice).await, CONNECTIONS)
    };
    let pid = deep.target().pid;
    let rounds = slices::rounds(lab, pid, SLICES, async || take(shallow).await, async || take(deep).await).await?;
    let us = |reading: &Reading| reading.server_us_of_threads().unwrap_or(f64::NAN);
    let median = |of: fn(&Reading) -> f64| {
        let (empty, full) = (slices::median(&rounds, |pair| of(&pair.0)), slices::median(&rounds, |pair| of(&pair.1)));
        (figure(full), figure(empty))
    };
    let ((per_s, empty_per_s), (full_us, empty_us)) = (median(Reading::per_s), median(us));
    let cpu = slices::spread(&rounds, |(empty, full)| us(full) / us(empty));
    Ok(Figure {
        measured: format!("{} ×", slices::spread(&rounds, |(empty, full)| full.per_s() / empty.per_s())),
        absolute: format!(
            "{per_s}/s; empty {empty_per_s}/s; server CPU {full_us} µs a message, empty {empty_us} µs: {cpu} ×"
        ),
    })
}

pub(super) async fn beside(lab: &Lab<'_>, crowd: Crowd) -> Result<Figure, Trouble> {
    let broker = lab.broker()?;
    let target = broker.target();
    let groups = if crowd == Crowd::Groups { u32::try_from(lab.pace.crowd).unwrap_or(u32::MAX) } else { 0 };
    let shallow = lab.load_with(target, &[], groups, BODY_BYTES).await?;
    let deep = lab.load_with(target, &[], groups, BODY_BYTES).await?;
    let rest = fill(lab, target, crowd, &deep).await?;
    let mut measured = compare(lab, &shallow, &deep).await?;
    shallow.prove(Extent::All).await.check()?;
    deep.prove(if crowd == Crowd::Groups { Extent::All } else { Extent::Sample(0) }).await.check()?;
    measured.absolute.push_str(&rest);
    Ok(measured)
}

/// Puts the crowd into the queue; a note for the table.
async fn fill(lab: &Lab<'_>, target: Target, crowd: Crowd, deep: &Load) -> Result<String, Trouble> {
    let count = lab.pace.crowd;
    match crowd {
        Crowd::Groups => {
            deep.fill(lab.pace.depth).await;
            Ok(format!("; {} messages in {} groups", figure(lab.pace.depth as f64), figure(count as f64)))
        }
        Crowd::Delayed => {
            let delay = |seconds| set_delay(target, deep, seconds);
            delay("900").await?;
            deep.fill(count).await;
            delay("0").await?;
            Ok(format!("; {} delayed", figure(count as f64)))
        }
        Crowd::InFlight => {
            deep.fill(count).await;
            let held = deep.hold(count).await.len();
            if (held as u64) < count {
                return Err(Trouble::new(format!("only {held} of {count} messages could be held in flight")));
            }
            Ok(format!("; {} in flight", figure(held as f64)))
        }
    }
}

/// The delay of messages that are sent from now on.
async fn set_delay(target: Target, load: &Load, seconds: &str) -> Result<(), Trouble> {
    let json = serde_json::json!({ "QueueUrl": load.queue_url(), "Attributes": { "DelaySeconds": seconds } });
    crate::sqs::act(target.address, "SetQueueAttributes", &json).await?;
    Ok(())
}
