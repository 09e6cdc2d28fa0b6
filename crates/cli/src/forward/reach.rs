//! Whether the endpoint is there. As long as it is not, nothing is received: each receive would count against the
//! message, and a worker that is restarted would find its work in the dead-letter queue.
//!
//! All lanes share what they know of it, and one of them knocks for all. Between two attempts to connect there is a pause,
//! whoever makes them: only a request that got there ends it. What is wrong is told once, and again when it changes.

use super::endpoint::Endpoint;
use crate::output;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// An endpoint, and what is known of whether it can be reached.
pub(super) struct Reach {
    endpoint: Endpoint,
    known: Mutex<Known>,
    /// Whose turn it is to knock.
    turn: tokio::sync::Mutex<()>,
}

/// The last that was seen of the endpoint.
struct Known {
    is_there: bool,
    /// Why it can't be reached, once that is told.
    told: Option<String>,
    /// How long to wait before the next attempt.
    pause: Duration,
}

impl Reach {
    pub(super) fn new(endpoint: Endpoint) -> Reach {
        let known = Known { is_there: false, told: None, pause: Duration::ZERO };
        Reach { endpoint, known: Mutex::new(known), turn: tokio::sync::Mutex::new(()) }
    }

    /// Waits until the endpoint takes connections, if it did not at the last attempt. May be dropped and called anew.
    pub(super) async fn wait(&self) {
        if self.known().is_there {
            return;
        }
        let _turn = self.turn.lock().await;
        loop {
            let pause = match &*self.known() {
                Known { is_there: true, .. } => return,
                known => known.pause,
            };
            tokio::time::sleep(pause).await;
            match self.endpoint.knock().await {
                Ok(()) => self.found(),
                Err(why) => self.lost(&why),
            }
        }
    }

    /// A connection was refused: why.
    pub(super) fn lost(&self, why: &str) {
        let mut known = self.known();
        known.is_there = false;
        known.pause = (known.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        if known.told.as_deref() != Some(why) {
            known.told = Some(why.to_owned());
            let uri = self.endpoint.uri();
            output::complain(&format!("{uri} can't be reached ({why}); messages wait until it can."));
        }
    }

    /// A request got there.
    pub(super) fn reached(&self) {
        self.found();
        self.known().pause = Duration::ZERO;
    }

    fn found(&self) {
        let mut known = self.known();
        known.is_there = true;
        if known.told.take().is_some() {
            output::complain(&format!("{} is there.", self.endpoint.uri()));
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn requests_that_do_not_get_there_are_made_after_pauses_even_where_connections_are_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let reach = Reach::new(Endpoint::new(uri, Vec::new(), Duration::from_secs(10)).unwrap());
        reach.wait().await;
        let mut waits = Vec::new();
        for _ in 0..3 {
            reach.lost("no TLS");
            let begun = Instant::now();
            reach.wait().await;
            waits.push(begun.elapsed());
        }
        let at_least = [1, 2, 4].map(|times| FIRST_PAUSE * times);
        assert!(waits.iter().zip(at_least).all(|(waited, least)| *waited >= least), "{waits:?}");
        reach.reached();
        reach.lost("no TLS");
        assert_eq!(reach.known().pause, FIRST_PAUSE);
    }
}
