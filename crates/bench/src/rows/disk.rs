//! How much of the disk the log takes while the messages in it become fewer, by the order in which they are deleted.

use crate::{
    lab::{Broker, Lab},
    load::Load,
    meter,
    sqs::Delivered,
    trouble::Trouble,
};
use std::time::{Duration, Instant};

/// Larger than elsewhere: a queue holds at most 120,000 messages in flight, and the log must become many times as large
/// as the one that is not compacted yet.
const BODY_BYTES: usize = 16 << 10;
/// One segment file's messages, nearly.
const SEGMENT_MESSAGES: usize = (64 << 20) / (BODY_BYTES + 256);

/// An order of deletes.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// As the table calls it.
    pub name: &'static str,
    arrange: fn(Vec<Delivered>) -> Vec<Delivered>,
}

/// All of them.
pub const ORDERS: &[Order] = &[
    Order { name: "oldest first", arrange: |held| held },
    Order { name: "newest first", arrange: |held| held.into_iter().rev().collect() },
    Order { name: "every other, then the rest", arrange: |held| kept_last(held, |at| at % 2 == 1) },
    Order { name: "random", arrange: shuffled },
    Order { name: "all but every 100th, then these", arrange: |held| kept_last(held, |at| at % 100 == 0) },
    Order {
        name: "all but one of each segment, then these",
        arrange: |held| kept_last(held, |at| at % SEGMENT_MESSAGES == 0),
    },
];

/// How the disk use went down.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrinking {
    /// Bytes of bodies that were sent.
    pub written_bytes: u64,
    /// After each step, when the files had come to rest.
    pub steps: Vec<Use>,
    /// The largest multiple at any moment, also between the steps, while [`AT_LEAST_LIVE`] of what was written was live.
    pub worst: Use,
}

/// What there was at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// Bytes of bodies that were not deleted.
    pub live_bytes: u64,
    /// What the files took of the disk.
    pub allocated_bytes: u64,
}

impl Use {
    /// What the files took, as a multiple of the live bodies.
    pub fn multiple(&self) -> f64 {
        self.allocated_bytes as f64 / self.live_bytes as f64
    }
}

/// One in so many bytes; where less is live, what the files take at the least (about 256 MiB) is any multiple of it.
pub const AT_LEAST_LIVE: u64 = 10;

/// A server at rest takes less processor time than this in seconds, one that compacts takes it over and over.
const AT_REST_S: f64 = 0.05;

/// From one look at the files to the next, while messages are deleted.
const LOOK: Duration = Duration::from_millis(20);

/// How many messages of a hundred are left at each step.
pub const LEFT: &[u64] = &[100, 75, 50, 25, 10, 1, 0];

fn kept_last(held: Vec<Delivered>, is_kept: fn(usize) -> bool) -> Vec<Delivered> {
    let (kept, first): (Vec<_>, Vec<_>) = held.into_iter().enumerate().partition(|(at, _)| is_kept(*at));
    first.into_iter().chain(kept).map(|(_, message)| message).collect()
}

fn shuffled(mut held: Vec<Delivered>) -> Vec<Delivered> {
    let mut state = 7_u64;
    for at in (1..held.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        held.swap(at, ((state >> 33) as usize) % (at + 1));
    }
    held
}

pub(super) async fn measure(lab: &Lab<'_>, order: &Order) -> Result<Shrinking, Trouble> {
    let broker = lab.broker()?;
    let load: Load = lab.load_with(broker.target(), &[], 0, BODY_BYTES).await?;
    let count = lab.pace.disk_bytes / BODY_BYTES as u64;
    let filled = load.fill(count).await.operations;
    let mut held = load.hold(filled).await;
    load.proof(true).check()?;
    held.sort_unstable_by_key(|message| message.number);
    let mut waiting = (order.arrange)(held).into_iter();
    let written_bytes = filled * BODY_BYTES as u64;
    let look = |left: u64| Use { live_bytes: left * BODY_BYTES as u64, allocated_bytes: broker.allocated_bytes() };
    let mut worst = look(filled);
    let mut steps = Vec::new();
    for left in LEFT {
        let before = waiting.len() as u64;
        let more = waiting.len().saturating_sub((filled * left / 100) as usize);
        let batch = waiting.by_ref().take(more).collect();
        let mut watch = |step: Use| {
            if step.live_bytes >= written_bytes / AT_LEAST_LIVE && step.multiple() > worst.multiple() {
                worst = step;
            }
        };
        let deleting = load.delete(batch);
        let watching = async {
            loop {
                tokio::time::sleep(LOOK).await;
                watch(look(before.saturating_sub(load.operations())));
            }
        };
        tokio::select! {
            _ = deleting => {}
            () = watching => {}
        }
        settle(lab, &broker).await;
        let step = look(waiting.len() as u64);
        watch(step);
        steps.push(step);
    }
    load.proof(true).check()?;
    Ok(Shrinking { written_bytes, steps, worst })
}

/// Waits until the server has come to rest: a pass of compaction may take seconds before it lets a file go, and is known
/// by the processor time that it takes.
async fn settle(lab: &Lab<'_>, broker: &Broker) {
    let calm = lab.pace.calm;
    let pid = broker.target().pid;
    let look = || (broker.allocated_bytes(), pid.map_or(0, |pid| (meter::cpu_s(pid) / AT_REST_S) as u64));
    let began = Instant::now();
    let mut seen = (look(), Instant::now());
    while seen.1.elapsed() < calm && began.elapsed() < 10 * calm {
        tokio::time::sleep(calm.min(Duration::from_millis(50))).await;
        let now = look();
        if now != seen.0 {
            seen = (now, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_deletes_every_message_once() {
        for order in ORDERS {
            let held = (0..40_000).map(|number| Delivered { number: Some(number), receipt: String::new() });
            let arranged = (order.arrange)(held.collect());
            let mut numbers: Vec<u32> = arranged.iter().filter_map(|message| message.number).collect();
            let is_sorted = numbers.is_sorted();
            assert_eq!(is_sorted, order.name == "oldest first", "{}", order.name);
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(0..40_000), "{}", order.name);
        }
    }
}
