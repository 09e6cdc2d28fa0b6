//! The end of the demo: a table whose every number the server gave.

use super::world::World;
use crate::{failure::Failure, table::Table};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Job {
    status: String,
    attempts: u64,
}

/// What the server says about the jobs and its own work.
pub(super) struct Summary {
    by_status: BTreeMap<String, u64>,
    attempts: u64,
    metrics: BTreeMap<String, f64>,
}

/// Asks for every job and for the metrics.
pub(super) async fn of(world: &World, ids: &[String]) -> Result<Summary, Failure> {
    let mut by_status = BTreeMap::new();
    let mut attempts = 0;
    for id in ids {
        let job: Job = world.get(&format!("/jobs/{id}")).await?;
        *by_status.entry(job.status).or_insert(0) += 1;
        attempts += job.attempts;
    }
    let metrics = world.client.get("/_afterward/metrics").await?;
    Ok(Summary { by_status, attempts, metrics: parse(&String::from_utf8_lossy(metrics.body())) })
}

/// The metrics without labels.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let samples = text.lines().filter(|line| !line.contains(['#', '{']));
    samples
        .filter_map(|line| {
            let (name, value) = line.split_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        })
        .collect()
}

impl Summary {
    /// Jobs that have not succeeded.
    pub(super) fn unfinished(&self) -> u64 {
        self.by_status.iter().filter(|(status, _)| *status != "succeeded").map(|(_, count)| count).sum()
    }

    pub(super) fn render(&self) -> String {
        let mut table = Table::new(&["WHAT", "NUMBER", "FROM"]);
        let mut row = |what: &str, number: u64, from: &str| table.row([what.into(), number.to_string(), from.into()]);
        for (status, count) in &self.by_status {
            row(&format!("jobs {status}"), *count, "GET /jobs/ID");
        }
        row("attempts since the last redrive", self.attempts, "GET /jobs/ID");
        for (what, name) in [
            ("messages stored", "afterward_messages_sent_total"),
            ("deliveries to the worker", "afterward_messages_delivered_total"),
            ("dead-lettered", "afterward_messages_dead_lettered_total"),
            ("deleted after success", "afterward_messages_deleted_total"),
            ("messages left", "afterward_messages"),
            ("flushes to disk", "afterward_log_flushes_total"),
        ] {
            if let Some(value) = self.metrics.get(name) {
                row(what, *value as u64, "GET /_afterward/metrics");
            }
        }
        table.render()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_without_labels_are_read() {
        let text = "# HELP a b\n# TYPE a counter\na 7\nb{x=\"y\"} 3\nc 1.5\n";
        assert_eq!(parse(text), BTreeMap::from([("a".to_owned(), 7.0), ("c".to_owned(), 1.5)]));
    }
}
