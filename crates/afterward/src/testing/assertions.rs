//! Assertions about what is in a queue. When one fails, it says where it stands and what is there instead.

use super::{Enqueued, contents::of_type, everything};
use crate::{Message, Queue};
use std::{fmt::Write, panic::Location};

/// Panics unless the queue holds a message of this type that is `wanted`; returns the first.
///
/// ```no_run
/// # use afterward::{Message, Queue, testing::{self, Broker}};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)] #[message(type = "order:new")] struct OrderNew { order_id: String }
/// # async fn test(broker: Broker, jobs: Queue) {
/// # use std::time::Duration;
/// let order = testing::assert_enqueued::<OrderNew>(&jobs, |order| order.order_id == "123").await;
/// assert_eq!(order.delayed_until(), Some(broker.now() + Duration::from_secs(120)));
/// # }
/// ```
#[track_caller]
pub fn assert_enqueued<M: Message>(queue: &Queue, wanted: impl Fn(&M) -> bool) -> impl Future<Output = Enqueued<M>> {
    let caller = Location::caller();
    async move {
        let contents = everything(queue).await;
        let ours = of_type::<M>(contents.clone());
        let any = !ours.is_empty();
        match ours.into_iter().find(|found| wanted(&found.message)) {
            Some(found) => found,
            None if any => failed(caller, queue, &contents, &format!("no `{}` that is wanted is enqueued", M::TYPE)),
            None => failed(caller, queue, &contents, &format!("no `{}` is enqueued", M::TYPE)),
        }
    }
}

/// Panics if the queue holds a message of this type.
#[track_caller]
pub fn assert_not_enqueued<M: Message>(queue: &Queue) -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        let contents = everything(queue).await;
        if contents.iter().any(|found| found.message.message_type.as_deref() == Some(M::TYPE)) {
            failed(caller, queue, &contents, &format!("a `{}` is enqueued", M::TYPE));
        }
    }
}

/// Panics if anything is in the queue, be it ready, delayed, or in a worker's hands.
#[track_caller]
pub fn assert_empty(queue: &Queue) -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        let contents = everything(queue).await;
        if !contents.is_empty() {
            failed(caller, queue, &contents, "the queue is not empty");
        }
    }
}

/// Fails, with what is there.
fn failed(caller: &Location<'_>, queue: &Queue, contents: &[Enqueued], what: &str) -> ! {
    let name = queue.name();
    let mut text = format!("{caller}: {what}. ");
    let _ = match contents.len() {
        0 => write!(text, "The queue `{name}` is empty."),
        count => write!(text, "The queue `{name}` holds {count}:"),
    };
    for found in contents {
        let _ = write!(text, "\n    {found}");
    }
    panic!("{text}")
}
