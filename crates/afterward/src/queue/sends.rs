//! Sends that happen at the same time travel together, where a server takes long [lists](super::lists).
//!
//! Who sends alone sends at once, and asks nobody. When others are sending to the same queue just then, a few calls are under way,
//! and each takes along all that has come up by then. There is no timer. The calls are made by tasks of their own: a caller that
//! is dropped must not leave others in doubt about their messages.
//!
//! Only callers on the same runtime share calls: a task ends with its runtime, and stands still where nobody drives that, and
//! callers elsewhere would wait for it. Who waits for a call that ends without taking him along sends for himself.
//!
//! Each caller's messages keep together, and have their own outcomes. Only what one call takes comes here, and on standard queues
//! only: there is no order to keep.

use super::{
    Queue,
    batch::{self, Numbered, Outcome, Parcel},
};
use crate::pass::pass;
use afterward_names::limits;
use std::{
    collections::{HashMap, VecDeque},
    mem,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    runtime::{Handle, Id},
    sync::oneshot,
};

/// Calls under way at a time, of a runtime.
const CALLS: usize = 2;

/// Who sends to one queue, by runtime.
#[derive(Debug, Default)]
pub(super) struct Sends(Mutex<HashMap<Id, Line>>);

/// Those of one runtime. Somebody waits only while a call is under way.
#[derive(Debug, Default)]
struct Line {
    /// Those whose messages are not yet in the queue.
    callers: usize,
    waiting: VecDeque<Waiting>,
    calls: usize,
}

/// A caller that waits for a call.
#[derive(Debug)]
struct Waiting {
    parcels: Vec<Parcel>,
    bytes: usize,
    told: oneshot::Sender<News>,
}

/// What a caller is told who has waited.
#[derive(Debug)]
enum News {
    Outcomes(Vec<Outcome>),
    /// No call takes these along.
    Unsent(Vec<Parcel>),
}

/// A caller, until it has its outcomes or is dropped.
struct Caller<'a> {
    sends: &'a Sends,
    runtime: Id,
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.sends.of(self.runtime, |line| line.callers -= 1);
    }
}

/// One of the calls that may be under way, as long as its task lives and finds somebody who waits.
struct Call {
    queue: Queue,
    runtime: Id,
    is_over: bool,
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let left = self.queue.0.sends.of(self.runtime, |line| {
            line.calls -= 1;
            // Another call takes along who waits.
            if line.calls == 0 { mem::take(&mut line.waiting) } else { VecDeque::new() }
        });
        for Waiting { parcels, told, .. } in left {
            // A caller that has gone does not want to know.
            drop(told.send(News::Unsent(parcels)));
        }
    }
}

impl Sends {
    /// Does something with those of a runtime.
    fn of<T>(&self, runtime: Id, act: impl FnOnce(&mut Line) -> T) -> T {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(runtime).or_default();
        let done = act(line);
        if line.callers == 0 && line.calls == 0 {
            lines.remove(&runtime);
        }
        done
    }

    /// Whether others are here, too.
    fn enter(&self, runtime: Id) -> (Caller<'_>, bool) {
        let callers = self.of(runtime, |line| {
            line.callers += 1;
            line.callers
        });
        (Caller { sends: self, runtime }, callers > 1)
    }

    /// Who goes with this call: all that a list of so many takes, in the order in which they came. When it is nobody, the call is
    /// over before anybody else can come and rely on it.
    fn gather(&self, longest: usize, call: &mut Call) -> Vec<Waiting> {
        let together = self.of(call.runtime, |line| {
            let together = line.next(longest);
            line.calls -= usize::from(together.is_empty());
            together
        });
        call.is_over = together.is_empty();
        together
    }
}

impl Line {
    fn next(&mut self, longest: usize) -> Vec<Waiting> {
        let (mut together, mut count, mut bytes) = (Vec::new(), 0, 0);
        while let Some(next) = self.waiting.pop_front() {
            // Who has gone does not want to send any more.
            if next.told.is_closed() {
                continue;
            }
            count += next.parcels.len();
            bytes += next.bytes;
            if !together.is_empty() && (count > longest || bytes > limits::MESSAGE_BYTES) {
                self.waiting.push_front(next);
                break;
            }
            together.push(next);
        }
        together
    }
}

impl Queue {
    /// Sends what one call takes, together with what others send at the same time.
    pub(super) async fn send_with_others(&self, part: Vec<Numbered>) -> Vec<(usize, Outcome)> {
        let runtime = Handle::current().id();
        let (_caller, others) = self.0.sends.enter(runtime);
        let is_plain = part.iter().all(|(_, parcel)| parcel.batch.is_none());
        if !(others && is_plain && self.longest_list().await > limits::BATCH_ENTRIES) {
            return batch::insist(self, part).await;
        }
        let (numbers, parcels): (Vec<usize>, Vec<Parcel>) = part.into_iter().unzip();
        let (told, news) = oneshot::channel();
        let bytes = parcels.iter().map(|parcel| batch::size_bytes(&parcel.request)).sum();
        self.0.sends.of(runtime, |line| line.waiting.push_back(Waiting { parcels, bytes, told }));
        self.call_up(runtime);
        match news.await {
            Ok(News::Outcomes(outcomes)) => numbers.into_iter().zip(outcomes).collect(),
            Ok(News::Unsent(parcels)) => batch::insist(self, numbers.into_iter().zip(parcels).collect()).await,
            // The task that had the messages was ended with its runtime.
            Err(_) => numbers.into_iter().map(|number| (number, Err(batch::unsaid(self)))).collect(),
        }
    }

    /// Begins a call on this runtime, if somebody waits for one and it may be under way.
    fn call_up(&self, runtime: Id) {
        let begins = self.0.sends.of(runtime, |line| {
            let begins = !line.waiting.is_empty() && line.calls < CALLS;
            line.calls += usize::from(begins);
            begins
        });
        if begins {
            let call = Call { queue: Queue(Arc::clone(&self.0)), runtime, is_over: false };
            tokio::spawn(call.carry());
        }
    }
}

impl Call {
    /// Makes calls for as long as somebody waits.
    async fn carry(mut self) {
        let queue = self.queue.clone();
        loop {
            // Others that are ready to run may have something to send.
            pass().await;
            let together = queue.0.sends.gather(queue.lists().longest(), &mut self);
            if together.is_empty() {
                return;
            }
            queue.call_up(self.runtime);
            let (told, parcels): (Vec<_>, Vec<_>) =
                together.into_iter().map(|one| ((one.told, one.parcels.len()), one.parcels)).unzip();
            let mut outcomes = batch::insist_on(&queue, parcels.into_iter().flatten().collect()).await.into_iter();
            for (told, count) in told {
                // A caller that has gone does not want to know.
                drop(told.send(News::Outcomes(outcomes.by_ref().take(count).collect())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Message,
        sqs::tests::{
            client,
            server::{Answer, Server, ok},
        },
    };
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};
    use std::time::Duration;
    use tokio::{runtime, time::timeout};

    /// How long to wait for what has to come, on a machine that has other things to do.
    const PATIENCE: Duration = Duration::from_secs(60);

    #[derive(Serialize, Deserialize, Message)]
    #[message(type = "from")]
    struct From(String);

    /// A server that takes long lists, and never answers those with messages from the one who is `slow`.
    async fn serving() -> Server {
        Server::ruled(|asked| {
            if asked.uri().path() == "/_afterward/clock" {
                return ok(r#"{"clock":"system","now":"","now_ms":1,"entries":100}"#);
            }
            let body: Value = serde_json::from_slice(asked.body()).unwrap();
            let entries = body["Entries"].as_array().unwrap();
            let taken =
                entries.iter().map(|entry| json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": ""}));
            let reply = json!({"Successful": taken.collect::<Vec<_>>(), "Failed": []}).to_string();
            match entries.iter().any(|entry| entry["MessageBody"].as_str().unwrap().contains("slow")) {
                true => Answer::Late(Duration::from_secs(86_400), 200, reply),
                false => ok(&reply),
            }
        })
        .await
    }

    fn jobs(server: &Server) -> Queue {
        Queue::with_client(client(&server.url()), "http://elsewhere/000000000000/jobs")
    }

    /// Two messages, for one alone goes by another action.
    async fn send(queue: Queue, from: &str) -> bool {
        let messages = [From(from.to_owned()), From(from.to_owned())];
        queue.enqueue_all(&messages).await.iter().all(Result::is_ok)
    }

    async fn until(holds: impl Fn() -> bool) {
        let waiting = async {
            while !holds() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("it never came to that");
    }

    fn alone() -> runtime::Runtime {
        runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    /// One that nobody drives any more, and one that then ends.
    #[test]
    fn callers_do_not_wait_for_those_of_another_runtime() {
        let house = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = house.block_on(serving());
        let jobs = jobs(&server);
        let elsewhere = alone();
        elsewhere.block_on(async {
            jobs.longest_list().await;
            // The first sends at once, and the others make all the calls that there may be.
            for callers in 1..=3 {
                tokio::spawn(send(jobs.clone(), "slow"));
                until(|| server.bodies_of("/").len() == callers).await;
            }
        });
        let here = || alone().block_on(async { timeout(PATIENCE, send(jobs.clone(), "quick")).await });
        assert_eq!(here(), Ok(true), "while it stands still");
        drop(elsewhere);
        assert_eq!(here(), Ok(true), "when it has ended");
        assert!(jobs.0.sends.0.lock().unwrap().is_empty(), "nothing is kept of it");
    }

    #[tokio::test]
    async fn who_waits_for_a_call_that_ends_before_its_time_sends_for_himself() {
        let server = serving().await;
        let jobs = jobs(&server);
        jobs.longest_list().await;
        let runtime = Handle::current().id();
        let (_another, _) = jobs.0.sends.enter(runtime);
        // Tasks that end as by a panic: one after the other, and only when the last of them is gone nobody takes care.
        let under_way = || {
            jobs.0.sends.of(runtime, |line| line.calls += 1);
            Call { queue: jobs.clone(), runtime, is_over: false }
        };
        let mut calls: Vec<Call> = (0..CALLS).map(|_| under_way()).collect();
        let callers: Vec<_> = (0..3).map(|_| tokio::spawn(send(jobs.clone(), "quick"))).collect();
        let waiting = || jobs.0.sends.of(runtime, |line| line.waiting.len());
        until(|| waiting() == 3).await;
        while let Some(call) = calls.pop() {
            assert_eq!(waiting(), 3);
            drop(call);
        }
        for caller in callers {
            assert!(timeout(PATIENCE, caller).await.expect("it waits for ever").unwrap());
        }
        assert_eq!(jobs.0.sends.of(runtime, |line| (line.callers, line.calls)), (1, 0));
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_runtime_whose_callers_are_gone() {
        let server = serving().await;
        let jobs = jobs(&server);
        jobs.longest_list().await;
        let callers: Vec<_> = (0..5).map(|_| tokio::spawn(send(jobs.clone(), "quick"))).collect();
        for caller in callers {
            assert!(caller.await.unwrap());
        }
        until(|| jobs.0.sends.0.lock().unwrap().is_empty()).await;
    }
}
