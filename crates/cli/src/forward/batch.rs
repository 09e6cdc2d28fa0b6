//! One batch on its way: posted, judged, settled.

use super::{
    endpoint::{Endpoint, Silence},
    event::Event,
    source::{Source, receive_count},
    verdict::{self, Verdict},
};
use crate::{failure::Failure, output, units};
use afterward::sqs::Message;
use std::time::Instant;

/// Whether the endpoint took the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Yes,
    /// It could not be reached.
    No,
}

/// Posts `messages`, deletes what is done and sends the rest back.
pub(super) async fn deliver(messages: &[Message], source: &Source, endpoint: &Endpoint) -> Result<Taken, Failure> {
    let begun = Instant::now();
    let posted = endpoint.post(serde_json::to_vec(&Event::of(messages, source.origin()))?).await;
    let ids: Vec<&str> = messages.iter().filter_map(|message| message.message_id.as_deref()).collect();
    let count = units::count(messages.len() as u64, "message");
    let answered = |status: http::StatusCode| format!("{count} → {status} in {}", units::took(begun.elapsed()));
    let verdict = match posted {
        Ok(answer) => {
            output::say(&answered(answer.status()))?;
            verdict::of(answer.status(), answer.body(), &ids)
        }
        Err(Silence::Broken(why)) => {
            output::say(&format!("{count} → {why}"))?;
            Verdict::None(why)
        }
        Err(Silence::Away(why)) => {
            for message in messages {
                source.retry(message, 0, &why).await;
            }
            return Ok(Taken::No);
        }
    };
    settle(messages, &verdict, source).await?;
    Ok(Taken::Yes)
}

async fn settle(messages: &[Message], verdict: &Verdict, source: &Source) -> Result<(), Failure> {
    let (failed, done): (Vec<&Message>, Vec<&Message>) = messages.iter().partition(|message| fails(verdict, message));
    source.delete(&done).await;
    for message in failed {
        let why = match verdict {
            Verdict::None(why) => why,
            Verdict::Done | Verdict::Some(_) => "the handler named it among its batchItemFailures",
        };
        let (rest_s, count) = (source.rest_s(message), receive_count(message));
        let id = message.message_id.as_deref().unwrap_or_default();
        let again = units::spoken(rest_s.unsigned_abs());
        output::say(&format!("  {id} failed at receive {count}, rests for {again}: {why}"))?;
        source.retry(message, rest_s, why).await;
    }
    Ok(())
}

fn fails(verdict: &Verdict, message: &Message) -> bool {
    match verdict {
        Verdict::Done => false,
        Verdict::None(_) => true,
        Verdict::Some(failed) => message.message_id.as_ref().is_some_and(|id| failed.contains(id)),
    }
}
