//! A worker's behaviour, told on a scripted source with paused time.

mod arguments;
mod backlogs;
mod counting;
mod endings;
mod layers;
mod leases;
mod limits;
mod members;
mod notices;
mod panics;
mod pausing;
mod progress;
mod routing;
mod slots;
mod stage;
mod stopping;

use super::{Context, Summary, Worker};
use crate::{Delivery, Error, Message};
use serde::{Deserialize, Serialize};
use stage::{Deed, Stage};
use std::time::Duration;
use tokio::time::sleep;

/// Work that takes some seconds.
#[derive(Serialize, Deserialize, Message)]
#[message(type = "nap")]
struct Nap(u64);

async fn nap(Nap(seconds): Nap) -> Result<(), String> {
    sleep(Duration::from_secs(seconds)).await;
    Ok(())
}

#[derive(Serialize, Deserialize, Message)]
#[message(type = "fail")]
struct Fail(u64);

async fn fail(Fail(seconds): Fail) -> Result<(), &'static str> {
    sleep(Duration::from_secs(seconds)).await;
    Err("out of paper")
}

/// Runs a worker until it has done `deeds` deeds, then stops it.
async fn work(stage: &Stage, worker: Worker<Stage>, deeds: usize) -> Result<Summary, Error> {
    let stage = stage.clone();
    worker.stop_on(async move { stage.done(deeds).await }).run().await
}

fn body(message_type: &str, payload: impl Serialize) -> String {
    serde_json::json!({"type": message_type, "payload": payload}).to_string()
}

fn changed(id: &str, at_s: u64, after_s: u64, error: Option<&str>) -> Deed {
    Deed::Changed { id: id.into(), at_s, after_s, error: error.map(Into::into) }
}

fn dead_lettered(id: &str, at_s: u64, error: &str) -> Deed {
    Deed::DeadLettered { id: id.into(), at_s, error: error.into() }
}

fn deleted(id: &str, at_s: u64) -> Deed {
    Deed::Deleted { id: id.into(), at_s }
}

/// A message that has been received so often.
fn received(id: &str, body: &str, receive_count: u32) -> Delivery {
    let mut delivery = stage::message(id, body);
    delivery.receive_count = receive_count;
    delivery
}

/// A message of an ordered group.
fn ordered(id: &str, group: &str, body: &str) -> Delivery {
    let mut delivery = stage::message(id, body);
    (delivery.group, delivery.ordered) = (Some(group.to_owned()), true);
    delivery
}
