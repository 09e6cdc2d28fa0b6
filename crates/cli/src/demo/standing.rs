//! How the jobs stand, asked of the server.

use super::{
    show::Show,
    world::{DEAD_QUEUE, World},
};
use crate::failure::Failure;
use afterward::sqs::GetQueueAttributesRequest;
use serde::Deserialize;
use std::time::{Duration, Instant};

/// How many jobs are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) waiting: u64,
    pub(super) active: u64,
    pub(super) dead: u64,
    pub(super) succeeded: u64,
}

impl Standing {
    /// Those that are still to be worked off.
    pub(super) fn left(&self) -> u64 {
        self.waiting + self.active
    }
}

/// Between two looks.
const LOOK: Duration = Duration::from_millis(80);

/// Shows how the jobs stand until `enough` is true of it.
pub(super) async fn until(
    world: &World,
    jobs: u64,
    enough: impl Fn(&Standing) -> bool,
    show: &mut Show,
    patience: Duration,
) -> Result<(), Failure> {
    let deadline = Instant::now() + patience;
    loop {
        let standing = look(world, jobs).await?;
        show.standing(&standing)?;
        if enough(&standing) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Failure::new(format!("after {} s the jobs stand like this: {standing:?}", patience.as_secs())));
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn look(world: &World, jobs: u64) -> Result<Standing, Failure> {
    let (waiting, active) = counts(world, &world.jobs_url).await?;
    let (dead, _) = counts(world, &world.dead_url).await?;
    Ok(Standing { waiting, active, dead, succeeded: jobs.saturating_sub(waiting + active + dead) })
}

/// (visible or delayed, in flight)
async fn counts(world: &World, queue_url: &str) -> Result<(u64, u64), Failure> {
    let request =
        GetQueueAttributesRequest { queue_url: queue_url.to_owned(), attribute_names: vec!["All".to_owned()] };
    let attributes = world.client.get_queue_attributes(request).await?.attributes;
    let number = |suffix: &str| -> u64 {
        let name = format!("ApproximateNumberOfMessages{suffix}");
        attributes.get(&name).and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    Ok((number("") + number("Delayed"), number("NotVisible")))
}

/// A message of the dead-letter queue.
#[derive(Debug, Deserialize)]
pub(super) struct DeadLetter {
    pub(super) id: String,
    #[serde(rename = "receive_count")]
    pub(super) receives: u32,
    pub(super) body: String,
    #[serde(default)]
    pub(super) last_error: String,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<DeadLetter>,
}

/// What is in the dead-letter queue, looked at without receiving.
pub(super) async fn dead_letters(world: &World) -> Result<Vec<DeadLetter>, Failure> {
    let page: Page = world.get(&format!("/_afterward/queues/{DEAD_QUEUE}/messages?limit=100")).await?;
    Ok(page.messages)
}
