//! `GET /_afterward/queues/NAME/messages`: looks without receiving.

use super::{
    failure::{self, AdminError},
    filter::{Filter, write_cursor},
    message::Peeked,
};
use crate::{
    caller::Caller,
    gateway::Exchange,
    parameters::{Parameters, decoded_path},
    reply,
};
use afterward_broker::machine::{Cursor, MessageView, State};
use afterward_names::{AccountId, QueueAddress, Region};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;

/// How many messages one page looks at, if hardly any pass the filter.
const SCAN: usize = 10_000;
/// How many of them at a time: the state is locked that long, and their bodies are in memory.
const CHUNK: usize = 64;
/// A page ends once it is so large.
const REPLY_BYTES: usize = 4 << 20;

#[derive(Serialize)]
struct Page {
    queue: String,
    messages: Vec<Peeked>,
    next_cursor: Option<String>,
    scanned: usize,
}

/// A page of the queue's messages in the order of their sending.
pub(super) async fn peek(exchange: &Exchange<'_>, name: &str) -> Result<Response<Bytes>, AdminError> {
    let caller = exchange.gateway.callers.identify(&exchange.incoming, None).map_err(failure::unsigned)?;
    let parameters = Parameters::of(exchange.incoming.uri);
    let filter = Filter::of(&parameters)?;
    let queue = address(exchange, &caller, &parameters, &decoded_path(name))?;
    let mut page = Page { queue: queue.name.to_string(), messages: Vec::new(), next_cursor: None, scanned: 0 };
    let (mut after, mut bytes) = (filter.after, 0);
    loop {
        let chunk = chunk(exchange, &queue, after).await?;
        let is_last = chunk.len() < CHUNK;
        let shown = contents(exchange, &filter, &queue, chunk).await?;
        let count = shown.len();
        for (at, (cursor, message)) in shown.into_iter().enumerate() {
            page.scanned += 1;
            after = Some(cursor);
            if let Some(message) = message {
                bytes += message.reply_bytes;
                page.messages.push(message);
            }
            let is_full = page.messages.len() >= filter.limit || bytes >= REPLY_BYTES || page.scanned >= SCAN;
            let is_end = is_last && at + 1 == count;
            if is_full && !is_end {
                page.next_cursor = Some(write_cursor(cursor));
                return Ok(reply::json(StatusCode::OK, &page));
            }
        }
        if is_last {
            return Ok(reply::json(StatusCode::OK, &page));
        }
    }
}

/// The queue, among the caller's. Where nobody signs, parameters may name another account and region.
fn address(
    exchange: &Exchange<'_>,
    caller: &Caller,
    parameters: &Parameters,
    name: &str,
) -> Result<QueueAddress, AdminError> {
    let mut queue = QueueAddress {
        account: caller.account(),
        region: caller.region(),
        name: name.parse().map_err(|_| failure::no_queue(name))?,
    };
    let (account, region) = (parameters.get("account"), parameters.get("region"));
    if exchange.gateway.callers.are_verified() {
        if account.is_some() || region.is_some() {
            return Err(failure::invalid("account and region are those that the request is signed for."));
        }
        return Ok(queue);
    }
    if let Some(account) = account {
        queue.account = account.parse::<AccountId>().map_err(|error| failure::invalid(error.to_string()))?;
    }
    if let Some(region) = region {
        queue.region = region.parse::<Region>().map_err(|error| failure::invalid(error.to_string()))?;
    }
    Ok(queue)
}

/// The next messages of the queue, passing the filter or not.
async fn chunk(
    exchange: &Exchange<'_>,
    queue: &QueueAddress,
    after: Option<Cursor>,
) -> Result<Vec<MessageView>, AdminError> {
    let address = queue.clone();
    let read = move |state: &State| {
        let id = state.queue_at(&address)?.id;
        Some(state.messages(id, after).take(CHUNK).collect())
    };
    let found: Option<Vec<MessageView>> = exchange.gateway.broker.read(read).await.map_err(failure::unavailable)?;
    found.ok_or_else(|| failure::no_queue(queue.name.as_str()))
}

/// The messages with their contents where they pass the filter, each with the place behind it.
async fn contents(
    exchange: &Exchange<'_>,
    filter: &Filter,
    queue: &QueueAddress,
    views: Vec<MessageView>,
) -> Result<Vec<(Cursor, Option<Peeked>)>, AdminError> {
    let broker = &exchange.gateway.broker;
    let wanted: Vec<&MessageView> = views.iter().filter(|view| filter.wants(view.standing)).collect();
    let places = wanted.iter().map(|view| (view.key, view.location)).collect();
    let stored = broker.contents(places).await.map_err(failure::unavailable)?;
    let failed: Vec<_> = wanted.iter().filter_map(|view| view.failure).collect();
    let mut failures = broker.failures(failed).await.map_err(failure::unavailable)?.into_iter();
    let fifo = queue.name.is_fifo();
    let mut found = wanted.iter().zip(stored).map(|(view, stored)| {
        let last_error = view.failure.and_then(|_| failures.next().flatten());
        // Deleted between the two looks, or not what is looked for.
        let stored = stored.filter(|stored| filter.shows(&stored.content))?;
        Some(Peeked::of(view, stored, last_error, fifo, filter.max_body_bytes))
    });
    let place = |view: &MessageView| Cursor { sent_ms: view.sent_ms, slot: view.key.slot };
    Ok(views
        .iter()
        .map(|view| (place(view), if filter.wants(view.standing) { found.next().flatten() } else { None }))
        .collect())
}
