//! All metrics as one text.

use super::{counters::BOUNDS_US, process, text::Text};
use crate::gateway::Inner;
use afterward_broker::{
    Metrics, Unavailable,
    machine::{Counts, State},
};
use afterward_names::QueueAddress;
use tokio::sync::Mutex;

/// Who asks for metrics, one after the other: a text takes memory by the number of queues, anybody may ask for it, and one
/// in the making is not counted yet.
#[derive(Default)]
pub(crate) struct Scrapes(Mutex<()>);

/// The metrics as Prometheus reads them. What the partition can't tell while it is unavailable is left out.
pub(crate) async fn exposition(gateway: &Inner) -> String {
    let _turn = gateway.scrapes.0.lock().await;
    let mut text = Text::default();
    let queues: Result<Vec<_>, Unavailable> = gateway.broker.read(queues).await;
    text.single("afterward_up", "gauge", "Whether the partition takes calls.", u8::from(queues.is_ok()));
    requests(&mut text, gateway);
    broker(&mut text, &gateway.broker.metrics());
    text.single(
        "afterward_large_replies_bytes",
        "gauge",
        "What replies of more than 64 KiB take of limits.replies_bytes, until the system has their last bytes.",
        gateway.replies.taken_bytes(),
    );
    if let Ok(queues) = queues {
        per_queue(&mut text, &queues, gateway.broker.now_ms());
    }
    if let Some(bytes) = process::resident_memory_bytes() {
        text.single("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", bytes);
    }
    text.finish()
}

fn queues(state: &State) -> Vec<(QueueAddress, Counts)> {
    state.all_queues().map(|queue| (queue.address.clone(), queue.counts)).collect()
}

fn requests(text: &mut Text, gateway: &Inner) {
    let figures = gateway.counters.figures();
    let total = "afterward_requests_total";
    text.metric(total, "counter", "Requests answered, by action and by the code of the answer.");
    for series in &figures {
        for (code, count) in &series.codes {
            let labels = [("service", series.service), ("action", series.action), ("code", code)];
            text.sample(total, &labels, count);
        }
    }
    let duration = "afterward_request_duration_seconds";
    text.metric(duration, "histogram", "From a request's last byte to its answer; a receive includes its wait.");
    for series in &figures {
        let labels = [("service", series.service), ("action", series.action)];
        let mut count = 0;
        let bounds = BOUNDS_US.iter().map(|us| (*us as f64 / 1e6).to_string()).chain(["+Inf".to_string()]);
        for (bucket, bound) in series.buckets.iter().zip(bounds) {
            count += bucket;
            let labels = [labels[0], labels[1], ("le", bound.as_str())];
            text.sample(&format!("{duration}_bucket"), &labels, count);
        }
        text.sample(&format!("{duration}_sum"), &labels, series.sum_us as f64 / 1e6);
        text.sample(&format!("{duration}_count"), &labels, count);
    }
}

fn broker(text: &mut Text, metrics: &Metrics) {
    for (name, help, value) in [
        ("afterward_messages_sent_total", "Messages stored.", metrics.sent),
        (
            "afterward_messages_delivered_total",
            "Messages handed to consumers, repetitions included.",
            metrics.delivered,
        ),
        ("afterward_messages_deleted_total", "Messages deleted by consumers.", metrics.deleted),
        ("afterward_messages_dead_lettered_total", "Messages moved to a dead-letter queue.", metrics.dead_lettered),
        ("afterward_log_batches_total", "Batches appended to the log.", metrics.batches),
        ("afterward_log_flushes_total", "Flushes of the log.", metrics.flushes),
        (
            "afterward_partition_reopened_total",
            "Times that the partition was opened again after a fault.",
            metrics.reopened,
        ),
    ] {
        text.single(name, "counter", help, value);
    }
    for (name, help, value) in [
        ("afterward_receives_waiting", "Receives that wait for a message.", metrics.waiting_receives),
        ("afterward_queues", "Queues.", metrics.queues),
        ("afterward_messages", "Messages in all queues.", metrics.messages),
        (
            "afterward_contents_bytes",
            "Contents of the messages in all queues; they are in the log.",
            metrics.contents_bytes,
        ),
        ("afterward_schedules", "Schedules.", metrics.schedules),
        (
            "afterward_definitions_bytes",
            "Definitions of the schedules; they are in the log.",
            metrics.definitions_bytes,
        ),
        ("afterward_recent_bytes", "Memory of the last batches, for those who receive soon.", metrics.recent_bytes),
        ("afterward_log_allocated_bytes", "What the log takes on disk.", metrics.log_allocated_bytes),
        ("afterward_log_retained_bytes", "What of it is retained.", metrics.log_retained_bytes),
    ] {
        text.single(name, "gauge", help, value);
    }
    text.metric("afterward_state_bytes", "gauge", "Memory of queues, messages and schedules, whatever their sizes.");
    for (kind, bytes) in metrics.memory.by_kind() {
        text.sample("afterward_state_bytes", &[("of", kind)], bytes as f64);
    }
}

fn per_queue(text: &mut Text, queues: &[(QueueAddress, Counts)], now_ms: u64) {
    type Gauge = (&'static str, &'static str, fn(&Counts, u64) -> f64);
    let gauges: [Gauge; 4] = [
        ("afterward_queue_visible", "Messages that can be received.", |counts, _| counts.visible as f64),
        ("afterward_queue_delayed", "Messages that are still delayed.", |counts, _| counts.delayed as f64),
        ("afterward_queue_in_flight", "Messages that a consumer holds.", |counts, _| counts.in_flight as f64),
        ("afterward_queue_oldest_age_seconds", "Age of the oldest message; 0 when there is none.", |counts, now_ms| {
            counts.oldest_sent_ms.map_or(0.0, |sent_ms| now_ms.saturating_sub(sent_ms) as f64 / 1000.0)
        }),
    ];
    for (name, help, value) in gauges {
        text.metric(name, "gauge", help);
        for (address, counts) in queues {
            let account = address.account.to_string();
            let labels = [("queue", address.name.as_str()), ("account", &account), ("region", address.region.as_str())];
            text.sample(name, &labels, value(counts, now_ms));
        }
    }
}
