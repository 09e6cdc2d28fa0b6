//! The table's rows: what is measured, what it must be, and which part of the work measures it.

mod ceiling;
mod depth;
mod disk;
mod idle;
mod latency;
mod million;
mod signatures;
mod throughput;
mod worker;
mod yardstick;

pub use ceiling::{Bound, lines as ceiling_lines};
pub use disk::{AT_LEAST_LIVE, LEFT, ORDERS, Order, Shrinking, Use};
pub(crate) use worker::{Burst, Handled, PACE_PER_S, jobs_of, paced, through};
pub use yardstick::{Way, lines as yardstick_lines};

use crate::{
    lab::{Lab, Pace},
    spread::{Spread, figure},
    trouble::Trouble,
};

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// As the command line calls it.
    pub name: &'static str,
    /// What is measured.
    pub measure: &'static str,
    /// What it must be, as the table shows it.
    pub must: &'static str,
    /// What it should be.
    pub aim: &'static str,
}

impl Row {
    /// What is measured, with the numbers of this pace where they are not those that the row is about.
    pub fn measure_at(&self, pace: &Pace) -> String {
        let full = Pace::FULL;
        // The larger numbers last: what they become may be one of the smaller.
        let numbers = [
            ("10,000", pace.idle_queues, full.idle_queues),
            ("100,000", pace.crowd, full.crowd),
            ("1 million", pace.depth, full.depth),
        ];
        let changed = numbers.into_iter().filter(|(_, is, said)| is != said);
        changed.fold(self.measure.to_owned(), |text, (said, is, _)| text.replace(said, &figure(is as f64)))
    }
}

/// What a row showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The ratio, or the figure that must and aim speak of, with its unit.
    pub measured: String,
    /// What it is made of.
    pub absolute: String,
}

/// A row and what came of it: a figure, or why none may be quoted.
pub type Outcome = (Row, Result<Figure, Trouble>);

macro_rules! rows {
    ($($constant:ident: $name:literal, $measure:literal, $must:literal, $aim:literal;)*) => {
        $(pub(crate) const $constant: Row = Row { name: $name, measure: $measure, must: $must, aim: $aim };)*
        /// All rows, in the table's order.
        pub const ROWS: &[Row] = &[$($constant),*];
    };
}

rows! {
    SEND_64: "send-64", "SendMessage, 64 connections", "0.45 R", "0.60 R";
    CPU_64: "cpu-64", "server CPU per SendMessage, 64 connections", "2.0 × hyper's", "1.5 ×";
    SEND_1: "send-1", "SendMessage, 1 connection", "0.35 × hyper's", "0.45 ×";
    BATCH_16: "batch-16", "SendMessageBatch of 10, 16 connections, messages/s", "1.5 R", "2.0 R";
    CYCLE_16: "cycle-16", "send + receive + delete, 16 connections, cycles/s", "0.12 R", "0.18 R";
    PIPELINE: "pipeline", "4 producers + 4 consumers in batches of 10, messages/s", "0.7 R", "1.0 R";
    LONG_POLL: "long-poll", "long poll: acknowledged send to delivery, p99, against the p99 of a send with 1 connection", "2.0 ×", "1.2 ×";
    LONG_POLL_WHOLE: "long-poll-whole", "… from the beginning of the send", "–", "–";
    DEPTH: "depth", "receive + delete at 1 million waiting, against an empty queue", "0.9 ×", "1.0 ×";
    DEPTH_GROUPS: "depth-groups", "… at 1 million waiting in 100,000 message groups (FIFO)", "0.9 ×", "1.0 ×";
    DEPTH_DELAYED: "depth-delayed", "… beside 100,000 delayed messages", "0.9 ×", "1.0 ×";
    DEPTH_FLIGHT: "depth-in-flight", "… beside 100,000 messages in flight", "0.9 ×", "1.0 ×";
    MEMORY: "memory", "memory per waiting message at 1 million", "128 bytes", "64 bytes";
    RESTART: "restart", "restart with 1 million messages after kill -9", "1.5 s", "0.5 s";
    IDLE: "idle-queues", "an idle queue, of 10,000", "2 KB, no CPU", "256 bytes";
    WORKER: "worker-jobs", "no-op jobs end to end, enqueued in batches of 10 by 4 producers, one worker process, against the pipeline", "0.5 ×", "0.7 ×";
    PICK_UP: "worker-pick-up", "acknowledged enqueue to handler, p99, at 1,000 jobs a second, against the p99 of sends at that pace where nobody works", "3.0 ×", "1.5 ×";
    SIGNATURES: "signatures", "SigV4 verification, server CPU a request", "+1.5 µs", "+1.0 µs";
}

/// The rows of the library's worker, among the names.
pub const WORKERS: &str = "worker";

/// Whether a row is among those that were asked for, by its name or its group's; none asked for is all.
pub fn is_chosen(name: &str, chosen: &[String]) -> bool {
    let group = [WORKER.name, PICK_UP.name].contains(&name).then_some(WORKERS);
    chosen.is_empty() || chosen.iter().any(|word| word == name || group == Some(word))
}

/// Measures the rows that `chosen` names, or all, telling `told` of each when it is done.
pub async fn measure(lab: &Lab<'_>, chosen: &[String], told: &mut dyn FnMut(&Outcome)) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    let wants = |row: &Row| is_chosen(row.name, chosen);
    let mut add = |mut measured: Vec<Outcome>| {
        measured.retain(|(row, _)| wants(row));
        measured.iter().for_each(&mut *told);
        outcomes.append(&mut measured);
    };
    if wants(&SEND_64) || wants(&CPU_64) {
        add(throughput::send_64(lab).await);
    }
    if wants(&SEND_1) {
        add(vec![(SEND_1, throughput::send_1(lab).await)]);
    }
    if wants(&BATCH_16) {
        add(vec![(BATCH_16, throughput::batches(lab).await)]);
    }
    if wants(&CYCLE_16) {
        add(vec![(CYCLE_16, throughput::cycles(lab).await)]);
    }
    if wants(&PIPELINE) {
        add(vec![(PIPELINE, throughput::pipeline(lab).await)]);
    }
    if wants(&LONG_POLL) || wants(&LONG_POLL_WHOLE) {
        add(latency::long_poll(lab).await);
    }
    if wants(&DEPTH) || wants(&MEMORY) || wants(&RESTART) {
        add(million::measure(lab).await);
    }
    for (row, crowd) in [
        (DEPTH_GROUPS, depth::Crowd::Groups),
        (DEPTH_DELAYED, depth::Crowd::Delayed),
        (DEPTH_FLIGHT, depth::Crowd::InFlight),
    ] {
        if wants(&row) {
            add(vec![(row, depth::beside(lab, crowd).await)]);
        }
    }
    if wants(&IDLE) {
        add(vec![(IDLE, idle::measure(lab).await)]);
    }
    if wants(&WORKER) {
        add(vec![worker::throughput(lab).await]);
    }
    if wants(&PICK_UP) {
        add(vec![worker::pick_up(lab).await]);
    }
    if wants(&SIGNATURES) {
        add(vec![(SIGNATURES, signatures::measure(lab).await)]);
    }
    outcomes.sort_by_key(|(row, _)| ROWS.iter().position(|known| known == row));
    outcomes
}

/// Measures the bare hyper server in each way that it can use its cores.
///
/// # Errors
/// When one of them can't be measured.
pub async fn yardstick(lab: &Lab<'_>) -> Result<Vec<Way>, Trouble> {
    yardstick::measure(lab).await
}

/// Measures the pipeline beside bare servers in the same shape.
///
/// # Errors
/// When one of them can't be measured.
pub async fn ceiling(lab: &Lab<'_>) -> Result<Vec<Bound>, Trouble> {
    ceiling::measure(lab).await
}

/// Measures the disk use under every order of deletes.
pub async fn disk_use(lab: &Lab<'_>, told: &mut dyn FnMut(&Order)) -> Vec<(Order, Result<Shrinking, Trouble>)> {
    let mut measured = Vec::new();
    for order in ORDERS {
        told(order);
        measured.push((*order, disk::measure(lab, order).await));
    }
    measured
}

/// The spread of a quotient, round by round.
fn ratio<T>(pairs: &[(T, T)], of: impl Fn(&T) -> f64) -> Spread {
    Spread::of(pairs.iter().map(|(base, ours)| of(ours) / of(base)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_by_their_names_or_their_group() {
        let chosen =
            |name: &str, words: &[&str]| is_chosen(name, &words.iter().map(ToString::to_string).collect::<Vec<_>>());
        for (name, words, expected) in [
            ("worker-jobs", &["worker"][..], true),
            ("worker-pick-up", &["worker"], true),
            ("worker-pick-up", &["worker-jobs"], false),
            ("depth", &["worker"], false),
            ("depth-groups", &["depth"], false),
            ("depth", &["worker", "depth"], true),
            ("depth", &[], true),
        ] {
            assert_eq!(chosen(name, words), expected, "{name} of {words:?}");
        }
    }

    #[test]
    fn a_row_says_how_much_was_measured() {
        let deep = Pace { depth: 10_000_000, ..Pace::FULL };
        for (row, pace, text) in [
            (DEPTH, Pace::FULL, "receive + delete at 1 million waiting, against an empty queue"),
            (DEPTH, deep, "receive + delete at 10,000,000 waiting, against an empty queue"),
            (DEPTH_GROUPS, Pace::QUICK, "… at 100,000 waiting in 20,000 message groups (FIFO)"),
            (IDLE, Pace::QUICK, "an idle queue, of 2,000"),
            (SEND_64, Pace::QUICK, "SendMessage, 64 connections"),
        ] {
            assert_eq!(row.measure_at(&pace), text);
        }
    }
}
