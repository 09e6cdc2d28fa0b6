//! `GET /_afterward/queues/NAME/messages`: looks without receiving.

use super::{
    failure::{self, AdminError},
    filter::{Filter, write_cursor},
    message::{Peeked, Told},
};
use crate::{
    caller::Caller,
    gateway::Exchange,
    http::room::{Full, SMALL_BYTES, Share},
    parameters::{Parameters, decoded_path},
    reply,
};
use afterward_broker::machine::{Cursor, MessageView, Standing, State};
use afterward_names::{AccountId, QueueAddress, Region};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;

/// How many messages one page looks at, if hardly any pass the filter.
const SCAN: usize = 10_000;
/// How much of the log one page reads for that.
const SCAN_BYTES: usize = 16 << 20;
/// How many of them at a time: the state is locked that long.
const CHUNK: usize = 64;
/// And about how much of the log: their bodies are in memory.
const CHUNK_BYTES: usize = 4 << 20;
/// A page ends once it is so large.
const REPLY_BYTES: usize = 4 << 20;

#[derive(Serialize)]
struct Page {
    queue: String,
    messages: Vec<Peeked>,
    next_cursor: Option<String>,
    scanned: usize,
}

/// The next messages of a queue.
struct Chunk {
    views: Vec<MessageView>,
    /// Whether there are no more behind them.
    is_last: bool,
}

/// A message that was looked at.
struct Looked {
    cursor: Cursor,
    /// How much of the log was read for it.
    read_bytes: usize,
    /// The message, if it passes the filter.
    message: Option<Peeked>,
}

/// A page of the queue's messages in the order of their sending.
pub(super) async fn peek(exchange: &Exchange<'_>, name: &str) -> Result<Response<Bytes>, AdminError> {
    let caller = exchange.gateway.callers.identify(&exchange.incoming, None).map_err(failure::unsigned)?;
    let parameters = Parameters::of(exchange.incoming.uri);
    let filter = Filter::of(&parameters)?;
    let queue = address(exchange, &caller, &parameters, &decoded_path(name))?;
    let mut page = Page { queue: queue.name.to_string(), messages: Vec::new(), next_cursor: None, scanned: 0 };
    let (mut after, mut bytes, mut read_bytes) = (filter.after, 0, 0);
    let mut share = exchange.share();
    loop {
        let Chunk { views, is_last } = chunk(exchange, &queue, after).await?;
        let most_bytes = bytes + most_bytes(&filter, &views);
        if most_bytes > SMALL_BYTES {
            share.try_cover(most_bytes).map_err(|Full| failure::no_room())?;
        }
        let looked = contents(exchange, &filter, &queue, views).await?;
        let count = looked.len();
        for (at, Looked { cursor, read_bytes: of_message, message }) in looked.into_iter().enumerate() {
            page.scanned += 1;
            read_bytes += of_message;
            after = Some(cursor);
            if let Some(message) = message {
                bytes += message.reply_bytes;
                page.messages.push(message);
            }
            let is_tired = page.scanned >= SCAN || read_bytes >= SCAN_BYTES;
            let is_full = page.messages.len() >= filter.limit || bytes >= REPLY_BYTES || is_tired;
            let is_end = is_last && at + 1 == count;
            if is_full && !is_end {
                page.next_cursor = Some(write_cursor(cursor));
                return Ok(shown(exchange, share, &page));
            }
        }
        if is_last {
            return Ok(shown(exchange, share, &page));
        }
    }
}

/// The most that is in memory at a time while these are looked at: each as the log has it, as it is decoded, and as it is
/// shown.
fn most_bytes(filter: &Filter, views: &[MessageView]) -> usize {
    let wanted = views.iter().filter(|view| filter.wants(view.standing));
    wanted.map(|view| view.location.length_bytes as usize * 3).sum()
}

/// The reply, which has the share that was taken for what it was made of.
fn shown(exchange: &Exchange<'_>, share: Share, page: &Page) -> Response<Bytes> {
    exchange.reply_with(share);
    reply::json(StatusCode::OK, page)
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
async fn chunk(exchange: &Exchange<'_>, queue: &QueueAddress, after: Option<Cursor>) -> Result<Chunk, AdminError> {
    let address = queue.clone();
    let read = move |state: &State| {
        let id = state.queue_at(&address)?.id;
        let (mut views, mut bytes) = (Vec::new(), 0);
        for view in state.messages(id, after) {
            if views.len() == CHUNK || bytes >= CHUNK_BYTES {
                return Some(Chunk { views, is_last: false });
            }
            bytes += view.location.length_bytes as usize;
            views.push(view);
        }
        Some(Chunk { views, is_last: true })
    };
    let found = exchange.gateway.broker.read(read).await.map_err(failure::unavailable)?;
    found.ok_or_else(|| failure::no_queue(queue.name.as_str()))
}

/// The messages, with their contents where they pass the filter.
async fn contents(
    exchange: &Exchange<'_>,
    filter: &Filter,
    queue: &QueueAddress,
    views: Vec<MessageView>,
) -> Result<Vec<Looked>, AdminError> {
    let broker = &exchange.gateway.broker;
    let wanted: Vec<&MessageView> = views.iter().filter(|view| filter.wants(view.standing)).collect();
    let places = wanted.iter().map(|view| (view.key, view.location)).collect();
    let stored = broker.contents(places).await.map_err(failure::unavailable)?;
    let failed: Vec<_> = wanted.iter().filter_map(|view| Some((view.id, view.failure?))).collect();
    let mut failures = broker.failures(failed).await.map_err(failure::unavailable)?.into_iter();
    let held = wanted.iter().filter(|view| is_held(view)).map(|view| view.key).collect();
    let mut reports = broker.progress(held).await.map_err(failure::unavailable)?.into_iter();
    let fifo = queue.name.is_fifo();
    let mut found = wanted.iter().zip(stored).map(|(view, stored)| {
        let last_error = view.failure.and_then(|_| failures.next().flatten());
        let progress = if is_held(view) { reports.next().flatten() } else { None };
        // Deleted between the two looks, or not what is looked for.
        let stored = stored.filter(|stored| filter.shows(&stored.content))?;
        Some(Peeked::of(view, stored, Told { last_error, progress }, fifo, filter.max_body_bytes))
    });
    let looked = views.iter().map(|view| {
        let cursor = view.cursor();
        match filter.wants(view.standing) {
            true => Looked { cursor, read_bytes: view.location.length_bytes as usize, message: found.next().flatten() },
            false => Looked { cursor, read_bytes: 0, message: None },
        }
    });
    Ok(looked.collect())
}

/// Whether somebody is at work on it, and may have said how far.
fn is_held(view: &MessageView) -> bool {
    matches!(view.standing, Standing::Leased { .. })
}
