//! What has happened since the last notice, counted: the words of a notice, and when it is due. No clock and no sending.
//!
//! Invariant: it stays small, however many events there are, and of however many types.

use crate::Event;
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// What follows the first event within this time goes with it: failures come in bursts.
const GATHER: Duration = Duration::from_secs(2);
/// No notice waits longer for the next: a longer time means as much, and clocks can't add any.
const RAREST: Duration = Duration::from_secs(365 * 86_400);
/// So many types are counted by name.
const MOST_NAMES: usize = 50;
/// So many of them are named in a text.
const MOST_TOLD: usize = 5;
/// A type's name in a notice: it comes from a message's body, which may say anything.
const LONGEST_NAME_CHARS: usize = 100;
/// An error's text in a notice.
const LONGEST_ERROR_CHARS: usize = 300;

/// Counted events.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// When the first of them was.
    since: Option<Instant>,
    /// The line of the only one, while it is the only one.
    line: String,
    counts: BTreeMap<(Kind, String), Count>,
}

#[derive(Debug, Default, Clone)]
struct Count {
    count: u64,
    last_error: String,
}

/// What happened to a job or a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    DeadLettered,
    Dropped,
    Missed,
    ScheduleFailed,
    AttemptFailed,
}

/// What is said of them.
#[derive(Debug, Serialize)]
pub(super) struct Notice {
    pub(super) text: String,
    counts: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    event: Kind,
    name: String,
    count: u64,
    last_error: String,
}

impl Tally {
    /// Counts an event.
    pub(super) fn add(&mut self, event: &Event, now: Instant) {
        self.line = if self.is_empty() { super::notifier::cut(&event.to_string()) } else { String::new() };
        self.since.get_or_insert(now);
        let (kind, name) = (Kind::of(event), name_of(event));
        let is_known = self.counts.contains_key(&(kind, name.clone()));
        let name = if is_known || self.counts.len() < MOST_NAMES { name } else { "others".to_owned() };
        let count = self.counts.entry((kind, name)).or_default();
        count.count += 1;
        count.last_error = first_chars(event.error(), LONGEST_ERROR_CHARS);
    }

    /// Takes back what could not be told.
    pub(super) fn restore(&mut self, untold: Tally) {
        if self.is_empty() {
            *self = untold;
            return;
        }
        self.line.clear();
        self.since = untold.since.or(self.since);
        for (key, old) in untold.counts {
            let count = self.counts.entry(key).or_insert_with(|| Count { count: 0, ..old.clone() });
            count.count += old.count;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// When a notice is due: a moment after the first event, and not sooner than `every` after the last notice.
    pub(super) fn due(&self, last: Option<Instant>, every: Duration) -> Option<Instant> {
        let gathered = self.since? + GATHER.min(every);
        Some(last.map_or(gathered, |last| gathered.max(last + every.min(RAREST))))
    }

    /// The notice.
    pub(super) fn notice(&self, now: Instant) -> Notice {
        let row = |((kind, name), count): (&(Kind, String), &Count)| Row {
            event: *kind,
            name: name.clone(),
            count: count.count,
            last_error: count.last_error.clone(),
        };
        let rows: Vec<Row> = self.counts.iter().map(row).collect();
        let span = self.since.map_or(Duration::ZERO, |since| now.duration_since(since));
        let text = if self.line.is_empty() { lines(&rows, span) } else { self.line.clone() };
        Notice { text, counts: rows }
    }
}

impl Kind {
    fn of(event: &Event) -> Kind {
        match event {
            Event::DeadLettered { .. } => Kind::DeadLettered,
            Event::Dropped { .. } => Kind::Dropped,
            Event::Missed { .. } => Kind::Missed,
            Event::ScheduleFailed { .. } => Kind::ScheduleFailed,
            Event::AttemptFailed { .. } => Kind::AttemptFailed,
        }
    }

    /// "37 jobs dead-lettered".
    fn words(self, count: u64) -> String {
        let s = if count == 1 { "" } else { "s" };
        match self {
            Kind::DeadLettered => format!("{count} job{s} dead-lettered"),
            Kind::Dropped => format!("{count} job{s} dropped"),
            Kind::Missed => format!("{count} scheduled run{s} missed"),
            Kind::ScheduleFailed => format!("{count} scheduled run{s} failed"),
            Kind::AttemptFailed => format!("{count} attempt{s} failed"),
        }
    }
}

/// A line for each kind: "37 jobs dead-lettered in the last minute: `order:new` ×30, `mail` ×7. The last error: …".
fn lines(rows: &[Row], span: Duration) -> String {
    let mut lines = Vec::new();
    for of_kind in rows.chunk_by(|a, b| a.event == b.event) {
        let mut ranked: Vec<&Row> = of_kind.iter().collect();
        ranked.sort_by(|a, b| b.count.cmp(&a.count).then(a.name.cmp(&b.name)));
        let named = ranked.iter().take(MOST_TOLD).map(|row| format!("{} ×{}", row.name, row.count));
        let mut named: Vec<String> = named.collect();
        if ranked.len() > MOST_TOLD {
            named.push("…".to_owned());
        }
        let (Some(most), total) = (ranked.first(), of_kind.iter().map(|row| row.count).sum()) else { continue };
        let (what, names) = (most.event.words(total), named.join(", "));
        lines.push(format!("{what} in the last {}: {names}. Of {}: {}", words_of(span), most.name, most.last_error));
    }
    lines.join("\n")
}

/// What the event is about.
fn name_of(event: &Event) -> String {
    let of_schedule = || match event {
        Event::ScheduleFailed { schedule, .. } => Some(schedule.clone()),
        _ => None,
    };
    let of_job = |job: &crate::JobInfo| {
        // Of a tick, whose type says nothing, its schedule.
        let name = job.schedule.clone().or_else(|| job.message_type.clone());
        name.unwrap_or_else(|| format!("without type in {}", job.queue))
    };
    first_chars(&event.job().map(of_job).or_else(of_schedule).unwrap_or_default(), LONGEST_NAME_CHARS)
}

fn words_of(span: Duration) -> String {
    match span.as_millis().div_ceil(1_000).max(1) {
        60 => "minute".to_owned(),
        seconds @ 1..=119 => format!("{seconds} s"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

fn first_chars(text: &str, most: usize) -> String {
    let mut first: String = text.chars().take(most).collect();
    if first.len() < text.len() {
        first.push('…');
    }
    first
}
