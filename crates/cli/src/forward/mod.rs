//! `afterward forward`: a queue's messages, posted to any HTTP endpoint as the batch event that a Lambda function gets.
//!
//! So a handler that is written for Lambda runs on a laptop behind a real queue: its failures are retried and end in the
//! dead-letter queue, delays and concurrency hold. It is a consumer like any other: it receives, posts, deletes what is
//! done, and says of the rest when it comes again and why it failed. It keeps nothing, so it may be killed at any moment:
//! what it held comes again when its lease ends.

mod batch;
mod endpoint;
mod event;
mod lane;
mod reach;
mod source;
mod verdict;

use crate::{failure::Failure, output, target::Target, units};
use afterward_server::Signals;
use clap::Args;
use endpoint::Endpoint;
use http::{HeaderName, HeaderValue, Uri};
use lane::Lane;
use reach::Reach;
use source::Source;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};

/// How long a request may take at most: as long as a Lambda function may run.
const LONGEST_TIMEOUT_S: i64 = 900;
/// How long SQS keeps a received message out of sight at most.
const LONGEST_RETRY_DELAY_S: i64 = 43_200;

/// Post a queue's messages to an HTTP endpoint, in batches as a Lambda function gets them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  afterward forward --queue jobs --to http://localhost:3002
  afterward forward --queue a.fifo --to http://localhost:3002/a --concurrency 1 --timeout 5m

The body of a request is the event that AWS Lambda gives to a function:
  {\"Records\":[{\"messageId\":…,\"body\":…}]}
A 2xx answer deletes the batch, but for the messages that it lists:
  {\"batchItemFailures\":[{\"itemIdentifier\":ID}]}

Any other answer, none, or JSON that breaks off fails the whole batch. What failed comes again after a delay that \
doubles with each receive, and goes to the dead-letter queue when the queue's redrive policy says so. While the \
endpoint takes no connections, messages wait, and that counts as no failure.")]
pub(crate) struct Forward {
    /// Name or URL of the queue
    #[arg(long, value_name = "QUEUE")]
    queue: String,
    /// Where to post
    #[arg(long, value_name = "URL", value_parser = address)]
    to: Uri,
    /// Messages in a request, at most, 1 to 10
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(i64).range(1..=10))]
    batch_size: i64,
    /// Requests at once
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    concurrency: u16,
    /// How long a request may take, in whole seconds: 1s to 15m
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = timeout)]
    timeout: Duration,
    /// When a message comes again that failed once, in whole seconds: 0 (at once) to 12h; twice as long after each further
    /// failure, 15m at most
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = retry_delay)]
    retry_delay: i64,
    /// A header of each request, such as 'Authorization: Bearer …'
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    #[command(flatten)]
    target: Target,
}

pub(crate) async fn run(forward: Forward) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let client = forward.target.client_for(&forward.queue)?;
    let source = tokio::select! {
        source = Source::open(client, &forward) => Arc::new(source?),
        () = signals.next() => return Ok(()),
    };
    let endpoint = Endpoint::new(forward.to, forward.headers, forward.timeout)?;
    output::mention(&format!(
        "Forwarding `{}` to {}, {} at once. {}",
        source.name(),
        endpoint.uri(),
        units::count(forward.concurrency, "request"),
        source.end_of_failures()
    ));
    let (stop, stopped) = watch::channel(false);
    let reach = Arc::new(Reach::new(endpoint.clone()));
    let mut lanes = JoinSet::new();
    for _ in 0..forward.concurrency {
        let lane =
            Lane { source: source.clone(), endpoint: endpoint.clone(), reach: reach.clone(), stopped: stopped.clone() };
        lanes.spawn(lane.run());
    }
    drop(stopped);
    until_stopped(lanes, stop, signals).await
}

/// Waits for the lanes: at a signal they finish what they hold, at a second one they don't.
async fn until_stopped(
    mut lanes: JoinSet<Result<(), Failure>>,
    stop: watch::Sender<bool>,
    mut signals: Signals,
) -> Result<(), Failure> {
    let mut outcome = Ok(());
    loop {
        tokio::select! {
            ended = lanes.join_next() => match ended {
                None => return outcome,
                Some(ended) => {
                    let ended = ended.unwrap_or_else(|error| Err(Failure::new(format!("a lane broke: {error}"))));
                    // One lane that can't go on ends them all: they share the queue.
                    stop.send_replace(true);
                    outcome = outcome.and(ended);
                }
            },
            () = signals.next() => {
                if stop.send_replace(true) {
                    std::process::exit(130);
                }
                output::complain("Stopping when the requests under way are answered; once more to stop at once.");
            }
        }
    }
}

fn address(text: &str) -> Result<Uri, String> {
    let written = "write http://HOST:PORT/PATH or https://…";
    let uri: Uri = text.parse().map_err(|error| format!("{error}: {written}"))?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.host().is_some_and(|host| !host.is_empty()) => Ok(uri),
        _ => Err(format!("that is no web address: {written}")),
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    match units::seconds(text)? {
        seconds @ 1..=LONGEST_TIMEOUT_S => Ok(Duration::from_secs(seconds.unsigned_abs())),
        _ => Err("it is from 1s to 15m".to_owned()),
    }
}

fn retry_delay(text: &str) -> Result<i64, String> {
    match units::seconds(text)? {
        seconds @ 0..=LONGEST_RETRY_DELAY_S => Ok(seconds),
        _ => Err("it is up to 12h: SQS keeps no message out of sight for longer".to_owned()),
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write NAME: VALUE")?;
    let name = name.trim().parse::<HeaderName>().map_err(|error| format!("`{name}`: {error}"))?;
    let value = value.trim().parse::<HeaderValue>().map_err(|error| format!("the value of `{name}`: {error}"))?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_web() {
        for good in ["http://localhost:3002", "http://localhost:3002/worker?x=1", "https://api.example.com/"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in ["localhost:3002", "/worker", "ftp://localhost/", "", "http://"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn headers_and_durations_are_checked_before_anything_runs() {
        assert_eq!(header("Authorization: Bearer a:b").unwrap().1, "Bearer a:b");
        assert!(header("Authorization").is_err() && header("a b: c").is_err() && header("a: \u{1}").is_err());
        assert_eq!(timeout("15m"), Ok(Duration::from_secs(900)));
        assert!(timeout("0").is_err() && timeout("16m").is_err());
        assert_eq!((retry_delay("0"), retry_delay("12h")), (Ok(0), Ok(43_200)));
        assert!(retry_delay("13h").is_err() && retry_delay("43201").is_err());
    }
}
