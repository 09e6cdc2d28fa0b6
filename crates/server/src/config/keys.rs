//! The table of settings: every one is a key of the file, an environment variable and a flag, by the same words.

/// What a setting's value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// `true` or `false`; as a flag it may stand alone.
    Switch,
    /// A whole number.
    Number,
    /// Texts; from the environment or a flag, separated by commas.
    List,
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As the file has it: `jobs.delay_seconds`.
    pub name: &'static str,
    /// How a value reads.
    pub kind: Kind,
    /// One line for `--help`.
    pub help: &'static str,
}

impl Key {
    /// The environment variable: `AFTERWARD_JOBS_DELAY_SECONDS`.
    pub fn variable(&self) -> String {
        format!("AFTERWARD_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// The flag, without its dashes: `jobs-delay-seconds`.
    pub fn flag(&self) -> String {
        self.name.replace(['.', '_'], "-")
    }

    /// The setting of this name.
    pub fn named(name: &str) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.name == name)
    }
}

const fn key(name: &'static str, kind: Kind, help: &'static str) -> Key {
    Key { name, kind, help }
}

/// All settings but `[[credentials]]`, which only the file and two environment variables of their own can give.
pub const KEYS: &[Key] = &[
    key("listen", Kind::Text, "Address and port to listen on; port 0 picks a free one [default: 127.0.0.1:4566]"),
    key("data", Kind::Text, "Directory for the data [default: afterward in the user's data directory]"),
    key("ephemeral", Kind::Switch, "Keep the data in a temporary directory and remove it at the end"),
    key(
        "durability",
        Kind::Text,
        "When a write is acknowledged: flush (on disk) or os (with the system) [default: flush]",
    ),
    key(
        "clock",
        Kind::Text,
        "For tests: manual, or a time as 2026-01-01T00:00:00Z to begin at, and time stands until /_afterward/clock moves it \
         [default: system]",
    ),
    key("log_level", Kind::Text, "What to log: error, warn, info, debug, trace, or directives [default: info]"),
    key(
        "sqs.cooldowns",
        Kind::Switch,
        "Refuse for 60 s to purge a queue again, or to create a deleted one, as Amazon does",
    ),
    key("jobs.queue", Kind::Text, "The queue that POST /jobs feeds [default: jobs]"),
    key("jobs.account", Kind::Text, "The account of that queue, 12 digits [default: 000000000000]"),
    key("jobs.region", Kind::Text, "The region of that queue [default: us-east-1]"),
    key("jobs.create", Kind::Switch, "Create that queue and its dead-letter queue at the start [default: true]"),
    key(
        "jobs.delay_seconds",
        Kind::Number,
        "How long a job waits at first, for less than the queue's retention period [default: the queue's own delay]",
    ),
    key("jobs.cors_origins", Kind::List, "Origins whose pages may call /jobs, or * for all [default: none]"),
    key("jobs.public", Kind::Switch, "Take jobs without a signature although credentials are configured"),
    key(
        "scheduler.http_targets",
        Kind::Text,
        "What HTTP targets of schedules may reach: any, public (no internal address) or off [default: any, or public where \
         credentials are configured]",
    ),
    key("limits.body_bytes", Kind::Number, "The largest request body [default: 8388608]"),
    key(
        "limits.bodies_bytes",
        Kind::Number,
        "The most that large request bodies may take together [default: 268435456]",
    ),
    key("limits.replies_bytes", Kind::Number, "The most that large replies may take together [default: 268435456]"),
    key("limits.header_seconds", Kind::Number, "How long a client may take to send a request's head [default: 10]"),
    key("limits.body_seconds", Kind::Number, "How long a request's body, or a reply, may take [default: 60]"),
    key("limits.idle_seconds", Kind::Number, "How long a connection may stay open between requests [default: 120]"),
    key("limits.connections", Kind::Number, "How many connections may be open at a time [default: 16384]"),
];

/// The keys of one entry of `[[credentials]]`.
pub(super) const CREDENTIAL_KEYS: &[&str] = &["access_key_id", "secret_access_key", "account"];

/// The one of `candidates` that `word` is most like, however little that is.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates.min_by_key(|candidate| (distance(word, candidate), *candidate))
}

/// How many letters have to be put in, left out or changed to get from one word to the other.
pub(super) fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_slip_finds_the_key_that_was_meant() {
        let names = || KEYS.iter().map(|key| key.name);
        for (slip, meant) in [
            ("lisen", Some("listen")),
            ("listn", Some("listen")),
            ("durabilty", Some("durability")),
            ("job.queue", Some("jobs.queue")),
            ("jobs.delay_second", Some("jobs.delay_seconds")),
            ("loglevel", Some("log_level")),
            ("port", Some("clock")),
        ] {
            assert_eq!(nearest(slip, names()), meant, "{slip}");
        }
    }

    #[test]
    fn every_key_has_a_variable_and_a_flag_by_the_same_words() {
        let key = Key::named("jobs.delay_seconds").unwrap();
        assert_eq!(key.variable(), "AFTERWARD_JOBS_DELAY_SECONDS");
        assert_eq!(key.flag(), "jobs-delay-seconds");
    }
}
