//! A tick: the message that a schedule sends when it is due.

use crate::{
    instant,
    source::Cause,
    worker::{
        Job,
        handler::{Input, Peek, not_of_type},
    },
};
use serde::Deserialize;
use std::time::SystemTime;

/// The type of the messages that schedules send.
pub(crate) const TICK: &str = "afterward:tick";

/// One time of a schedule, as its handler gets it; see [`Worker::every`](crate::Worker::every).
///
/// It is the same at every attempt, so a handler that keeps what it did under name and time does it once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// The schedule's name.
    pub name: String,
    /// The time that this run is for, which is not later than the time it is run.
    pub scheduled_at: SystemTime,
}

/// A tick's payload on the wire.
#[derive(Deserialize)]
struct Payload {
    name: String,
    scheduled_at: String,
}

impl Tick {
    /// A tick, for tests of handlers that are called as the functions that they are.
    pub fn new(name: impl Into<String>, scheduled_at: SystemTime) -> Tick {
        Tick { name: name.into(), scheduled_at }
    }

    /// Reads a tick's payload.
    pub(crate) fn read(payload: &str) -> Option<Tick> {
        let Payload { name, scheduled_at } = serde_json::from_str(payload).ok()?;
        Some(Tick { name, scheduled_at: parse(&scheduled_at)? })
    }
}

/// The body of the ticks of the schedule `name`; `scheduled_at` may be a placeholder for a time.
pub(crate) fn body(name: &str, scheduled_at: &str) -> String {
    serde_json::json!({"type": TICK, "payload": {"name": name, "scheduled_at": scheduled_at}}).to_string()
}

/// A time as schedulers write it, in whole seconds: `2022-03-22T18:59:43Z`.
pub(crate) fn format(ms: u64) -> String {
    format!("{}Z", instant::in_seconds(ms))
}

/// Such a time, whose seconds may have a fraction, which does not count.
fn parse(text: &str) -> Option<SystemTime> {
    let text = text.strip_suffix('Z')?;
    instant::parse(text.split_once('.').map_or(text, |(seconds, _)| seconds))
}

impl Input for Tick {
    fn read(job: &Job) -> Result<Tick, Cause> {
        let payload = job.context().hand().payload();
        payload.and_then(Tick::read).ok_or_else(|| "this message is no tick of a schedule".into())
    }

    fn peek(hand: &Peek<'_>) -> Option<Tick> {
        hand.0.payload().and_then(Tick::read)
    }

    fn mismatch(hand: &Peek<'_>) -> Option<String> {
        not_of_type(hand, TICK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_tick_is_read_as_it_was_written() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2024-02-29T12:34:56Z", Some(1_709_210_096_000)),
            ("2024-02-29T12:34:56.789Z", Some(1_709_210_096_000)),
            ("2024-02-29T12:34:56", None),
            ("2024-02-29Z", None),
            ("<aws.scheduler.scheduled-time>", None),
        ] {
            let body: serde_json::Value = serde_json::from_str(&body("hourly", text)).unwrap();
            assert_eq!(body["type"], TICK);
            let read = Tick::read(&body["payload"].to_string());
            let expected = ms.map(|ms| Tick::new("hourly", UNIX_EPOCH + Duration::from_millis(ms)));
            assert_eq!(read, expected, "{text}");
        }
        assert_eq!(format(1_709_210_096_789), "2024-02-29T12:34:56Z");
    }
}
