//! `/_afterward/clock`: what time it is, and, where the server was started with a clock that stands still, moving it.
//!
//! Time goes forwards only: what has happened stays done. Whoever moves the clock is answered once all timers up to there
//! have fired and the schedules that are due by then have been run, so that what the caller does next finds it done.

use super::failure::{self, AdminError};
use crate::{gateway::Exchange, reply, time};
use afterward_broker::{Broker, ManualClock, Unavailable, machine::State};
use afterward_names::limits;
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// The end of the year 9999: the last time that has a text of the usual length.
const LAST_MS: u64 = 253_402_300_799_999;

/// How long the schedules that are due may take to be run.
const PATIENCE: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// What a clock says; and, for this is the page by which clients know us, how long the lists of a request may be.
#[derive(Debug, Serialize)]
struct Shown {
    clock: &'static str,
    now: String,
    now_ms: u64,
    entries: usize,
}

/// How to move it: exactly one of these.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    set: Option<String>,
    set_ms: Option<u64>,
    advance_ms: Option<u64>,
}

const USAGE: &str = "The body is a JSON object with one of \"advance_ms\" (milliseconds), \"set\" (a time as in \
                     2026-03-29T01:00:00Z) and \"set_ms\" (milliseconds since 1970).";

/// Answers `GET`, `HEAD` and `POST`.
pub(super) async fn clock(exchange: &Exchange<'_>) -> Result<Response<Bytes>, AdminError> {
    exchange.gateway.callers.identify(&exchange.incoming, None).map_err(failure::unsigned)?;
    let broker = &exchange.gateway.broker;
    let clock = exchange.gateway.settings.clock.as_deref();
    let moves = *exchange.incoming.method == Method::POST;
    if moves {
        move_clock(broker, clock.ok_or_else(failure::clock_is_not_manual)?, exchange.incoming.body)?;
    }
    let waits = moves && exchange.gateway.settings.runner.is_some();
    let now_ms = until_done(broker, waits).await.map_err(failure::unavailable)?;
    let clock = if clock.is_some() { "manual" } else { "system" };
    Ok(reply::json(
        StatusCode::OK,
        &Shown { clock, now: time::rfc3339(now_ms), now_ms, entries: limits::LONG_BATCH_ENTRIES },
    ))
}

/// Advances the state, so that all timers up to now fire, and, if it `waits`, gives the schedules that are due the time to be
/// run. Answers the time.
async fn until_done(broker: &Broker, waits: bool) -> Result<u64, Unavailable> {
    let began = Instant::now();
    loop {
        let look = |state: &State| (state.now_ms(), state.next_schedule_ms());
        let (now_ms, next_ms) = broker.read(look).await?;
        let is_due = next_ms.is_some_and(|next_ms| next_ms <= now_ms);
        if !(waits && is_due) || began.elapsed() > PATIENCE {
            return Ok(now_ms);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

fn move_clock(broker: &Broker, clock: &ManualClock, body: &[u8]) -> Result<(), AdminError> {
    let asked: Move = serde_json::from_slice(body).map_err(|error| failure::invalid(format!("{USAGE} ({error})")))?;
    let now_ms = broker.now_ms();
    let to_ms = match asked {
        Move { advance_ms: Some(by_ms), set: None, set_ms: None } => {
            bounded(now_ms.saturating_add(by_ms))?;
            // What others move it by meanwhile is not lost.
            clock.advance(Duration::from_millis(by_ms));
            return Ok(());
        }
        Move { set_ms: Some(to_ms), set: None, advance_ms: None } => to_ms,
        Move { set: Some(text), set_ms: None, advance_ms: None } => time::parse_rfc3339(&text)
            .ok_or_else(|| failure::invalid(format!("{text:?} is no time such as 2026-03-29T01:00:00Z.")))?,
        _ => return Err(failure::invalid(USAGE)),
    };
    if to_ms < now_ms {
        return Err(failure::clock_is_later(&time::rfc3339(now_ms), &time::rfc3339(to_ms)));
    }
    clock.not_before_ms(bounded(to_ms)?);
    Ok(())
}

fn bounded(ms: u64) -> Result<u64, AdminError> {
    if ms > LAST_MS { Err(failure::invalid("The clock goes to the end of the year 9999.")) } else { Ok(ms) }
}
