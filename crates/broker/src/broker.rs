//! The broker: one partition, shared by everybody who asks something of it.
//!
//! A call decides and applies under the partition's lock, on its caller's own task, and then waits at the gate of the
//! batch that holds what it did. The flush is that of the thread that assists (`assist.rs`), where the caller is on
//! one, else of the partition's thread (`thread.rs`).

use crate::{
    Clock, Content, Failure, Metrics, OpenError, Picked, Receipts, StoredMessage, Unavailable,
    assist::assist,
    clock::SteadyClock,
    contents::Recent,
    handle::Handle,
    metrics::Counters,
    open::open,
    partition::{Gate, Gated, Receiving},
    random::Random,
    shared::{Ending, Entry, Inner, Shared, Status},
    shortage::{grows, may_grow},
    thread,
    undelivered::Undelivered,
};
use afterward_log::Log;
use afterward_machine::{Command, Delivery, Receive, Refusal, Reply, Send, State};
use afterward_record::Beside;
use std::{
    convert::Infallible,
    fmt,
    future::{Future, pending},
    sync::{Arc, Condvar, Mutex, atomic::AtomicBool},
    time::Duration,
};

/// How a broker runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Write state forward and trim when the log holds this many times what is live …
    pub compact_at_ratio: f64,
    /// … and at least this much.
    pub compact_at_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { compact_at_ratio: 3.0, compact_at_bytes: 256 << 20 }
    }
}

/// One partition at work. Cheap to clone. When the last clone is dropped without [`Broker::stop`], the partition ends as if the
/// process had been killed: what was not acknowledged may be lost, and nothing else.
#[derive(Clone)]
pub struct Broker {
    handle: Arc<Handle>,
}

/// A message received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its lease, id, counts and times.
    pub delivery: Delivery,
    /// Its content and group.
    pub message: StoredMessage,
}

impl Broker {
    /// Replays `log`, claims it, and starts the partition's thread. Blocks for as long as the replay takes.
    ///
    /// # Errors
    /// When the log can't be read or claimed.
    pub fn open(log: Arc<dyn Log>, clock: Arc<dyn Clock>, settings: Settings) -> Result<Broker, OpenError> {
        let mut random = Random::from_system().map_err(|error| OpenError::Random { reason: error.to_string() })?;
        let counters = Arc::new(Counters::default());
        let clock = SteadyClock::new(clock);
        let partition = open(&*log, clock.now_ms(), random.block(), counters.clone())?;
        clock.not_before(partition.state().now_ms());
        let receipts = Receipts::new(partition.secret());
        let inner = Inner {
            status: Status::Serving(Box::new(partition)),
            random,
            ending: None,
            no_waits: false,
            parked_until_ms: None,
            compacting: false,
            tell_landing: false,
            due: false,
            is_slow: false,
            calls: 0,
            last_calls: 0,
            back: None,
            assisted_bytes: 0,
            looked_live_bytes: 0,
            retry: thread::FIRST_RETRY,
        };
        let shared = Arc::new(Shared {
            log,
            clock,
            settings,
            counters,
            recent: Mutex::new(Recent::default()),
            ended: Gate::default(),
            inner: Mutex::new(inner),
            wake: Condvar::new(),
            short_of_room: AtomicBool::default(),
        });
        let weak = Arc::downgrade(&shared);
        shared.clock.on_jump(Box::new(move || weak.upgrade().map(|shared| shared.nudge()).is_some()));
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("partition".to_owned())
            .spawn(move || thread::run(&of_thread))
            .map_err(|error| OpenError::Thread { reason: error.to_string() })?;
        Ok(Broker { handle: Arc::new(Handle { shared, receipts, thread: Mutex::new(Some(thread)) }) })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.handle.shared
    }

    /// One command; its reply, or refusal, once everything that it rests on is durable. For `Send` and `Receive` use
    /// [`Self::send`] and [`Self::receive`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn execute(&self, command: Command) -> Result<Reply, Failure> {
        let mut outcomes = self.execute_all(vec![(command, None)]).await?;
        Ok(outcomes.pop().unwrap_or(Ok(Reply::Done))?)
    }

    /// Several commands under one flush, each with its own outcome: batches of deletes and visibility changes. The
    /// second of a pair is the error text of a `ChangeVisibility`, a `DeadLetter` or a `Drop`.
    ///
    /// # Errors
    /// [`Unavailable`] for all.
    pub async fn execute_all(
        &self,
        mut commands: Vec<(Command, Option<String>)>,
    ) -> Result<Vec<Result<Reply, Refusal>>, Unavailable> {
        for (command, error) in &mut commands {
            if let Command::Send(_)
            | Command::CreateSchedule { .. }
            | Command::UpdateSchedule { .. }
            | Command::RunSchedule(_) = command
            {
                return Err(Unavailable::because("a bug in Afterward: what is to be stored came without its content"));
            }
            if let Command::ChangeVisibility { failure, .. } | Command::DeadLetter { failure, .. } = command {
                *failure = error.is_some();
            }
        }
        let may_grow = commands.iter().any(|(command, _)| may_grow(command));
        let shortage = if may_grow { self.shared().shortage() } else { None };
        let all = self.shared().enter(|entry| {
            if let Some(shortage) = shortage
                && commands.iter().any(|(command, _)| grows(entry.partition.state(), command))
            {
                return Err(shortage);
            }
            let commands = commands
                .iter()
                .map(|(command, error)| (command, error.as_deref().map_or(Beside::Nothing, Beside::Error)));
            // Only messages that are sent need random bits, for their ids.
            Ok(entry.partition.submit_all(entry.now_ms, || 0, commands))
        });
        all.await??.await
    }

    /// One send, and its outcome ([`Reply::Sent`]).
    ///
    /// # Errors
    /// [`Unavailable`]: perhaps stored, perhaps not.
    pub async fn send_one(&self, send: Send, content: Content) -> Result<Result<Reply, Refusal>, Unavailable> {
        if let Some(shortage) = self.shared().shortage() {
            return Err(shortage);
        }
        let command = Command::Send(send);
        let outcome = self.shared().enter(|Entry { partition, random, now_ms, .. }| {
            partition.submit(now_ms, random.bits(), &command, Beside::Content(&content))
        });
        outcome.await?.await
    }

    /// Several sends under one flush, each with its own outcome ([`Reply::Sent`]).
    ///
    /// # Errors
    /// [`Unavailable`] for all: perhaps stored, perhaps not.
    pub async fn send(&self, sends: Vec<(Send, Content)>) -> Result<Vec<Result<Reply, Refusal>>, Unavailable> {
        if let Some(shortage) = self.shared().shortage() {
            return Err(shortage);
        }
        let sends: Vec<_> = sends.into_iter().map(|(send, content)| (Command::Send(send), content)).collect();
        let all = self.shared().enter(|Entry { partition, random, now_ms, .. }| {
            let sends = sends.iter().map(|(command, content)| (command, Beside::Content(content)));
            partition.submit_all(now_ms, || random.bits(), sends)
        });
        all.await?.await
    }

    /// Receives, waiting up to `wait` (`None`: the queue's own wait) for a message to become visible. Dropping the
    /// future ends the wait, and gives back what it has received by then. A message that can't be read from the log stays behind,
    /// out of sight for a while, and its receive does not count.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn receive(&self, receive: Receive, wait: Option<Duration>) -> Result<Vec<Received>, Failure> {
        self.receive_until(receive, wait, pending()).await
    }

    /// The same for somebody who may be `gone`. What there is at once, they get all the same; a wait ends, with nothing,
    /// and what it has received by then is given back.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn receive_until(
        &self,
        receive: Receive,
        wait: Option<Duration>,
        gone: impl Future<Output = ()>,
    ) -> Result<Vec<Received>, Failure> {
        Ok(self.pick(&receive, wait, gone).await?.read().await?)
    }

    /// The same as far as to what was found: its sizes are known, and nothing of it has been read yet.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn pick<'a>(
        &'a self,
        receive: &'a Receive,
        wait: Option<Duration>,
        gone: impl Future<Output = ()>,
    ) -> Result<Picked<'a>, Failure> {
        let wait_ms = wait.map(|wait| wait.as_millis() as u64);
        let mut answer = loop {
            let receiving = self.shared().enter(|entry| {
                let wait_ms = if entry.may_wait { wait_ms } else { Some(0) };
                entry.partition.receive(entry.now_ms, receive, wait_ms)
            });
            match receiving.await? {
                Receiving::Answered(answer) => break Undelivered::gated(self, &receive.queue, answer),
                Receiving::Waiting(waiting) => break Undelivered::waiting(self, &receive.queue, waiting),
                // A thousand messages went to their dead-letter queue. Let others at the lock.
                Receiving::Again => tokio::task::yield_now().await,
            }
        };
        if answer.is_waited_for() {
            tokio::select! {
                biased;
                found = answer.found() => found??,
                () = gone => return Ok(Undelivered::nothing(self, &receive.queue).into()),
            }
        } else {
            answer.found().await??
        };
        Ok(answer.into())
    }

    /// Reads the state, advanced to now; the answer is given once all that it rests on is durable.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn read<T: std::marker::Send + 'static>(
        &self,
        read: impl FnOnce(&State) -> T + std::marker::Send + 'static,
    ) -> Result<T, Unavailable> {
        self.shared().enter(|entry| entry.partition.read(entry.now_ms, read)).await?.await
    }

    /// Commits what is done on the thread that polls this, for as long as it is polled: once for all callers who are
    /// ready at a time, and without waking another thread for the sake of a few. For a task on a tokio runtime of one
    /// thread, where everybody minds waiting for a flush no more than the broker's callers do. It is also what wakes those
    /// who wait on that thread, so they need it to be polled along with them, or dropped. Does not keep the broker open.
    pub fn assist(&self) -> impl Future<Output = Infallible> + std::marker::Send + 'static {
        assist(Arc::downgrade(&self.handle.shared))
    }

    /// The maker of receipt handles.
    pub fn receipts(&self) -> &Receipts {
        &self.handle.receipts
    }

    /// The broker's time: the clock's, or a later one where the clock has run back.
    pub fn now_ms(&self) -> u64 {
        self.shared().clock.now_ms()
    }

    /// Why the partition can't take calls now, if it can't.
    pub fn trouble(&self) -> Option<String> {
        let inner = self.shared().lock();
        match &inner.status {
            Status::Down { why, .. } => Some(why.reason.clone()),
            Status::Serving(_) => inner.ending.map(|_| "the server is stopping".to_owned()),
        }
    }

    /// Counters and gauges.
    pub fn metrics(&self) -> Metrics {
        let usage = self.shared().log.usage();
        let mut metrics = Metrics {
            flushes: usage.flushes,
            log_allocated_bytes: usage.allocated_bytes,
            log_retained_bytes: usage.retained_bytes,
            recent_bytes: self.shared().recent().bytes() as u64,
            ..self.shared().counters.read()
        };
        if let Status::Serving(partition) = &self.shared().lock().status {
            metrics.queues = partition.state().all_queues().count() as u64;
            metrics.messages = partition.state().message_count();
            metrics.memory = partition.state().memory();
            metrics.contents_bytes = partition.state().content_bytes();
            metrics.schedules = partition.state().schedule_count();
            metrics.definitions_bytes = partition.state().definition_bytes();
        }
        metrics
    }

    /// Ends every waiting receive with nothing; new ones don't wait any more. The first step of a graceful stop.
    pub fn end_waits(&self) {
        {
            let mut inner = self.shared().lock();
            inner.no_waits = true;
            let Inner { status, due, .. } = &mut *inner;
            if let Status::Serving(partition) = status {
                partition.end_waits();
                // The answers rest on what is pending, and perhaps nobody else calls for that to be committed.
                *due |= partition.is_pending();
            }
        }
        self.shared().nudge();
    }

    /// Flushes and stops: later calls are [`Unavailable`]. Returns when the partition's thread has ended.
    pub async fn stop(&self) {
        self.end_waits();
        self.handle.end(Ending::Flushed);
        // The gate opens with nothing but the end.
        let _ended = Gated::new((), Some(self.shared().ended.clone())).await;
        self.handle.join();
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("trouble", &self.trouble()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sendable<T: std::marker::Send>(_: &T) {}

    #[allow(dead_code)] // that it compiles is the test
    fn calls_can_move_between_threads(broker: &Broker, command: Command, receive: Receive) {
        sendable(broker);
        sendable(&broker.execute(command));
        sendable(&broker.send(Vec::new()));
        sendable(&broker.receive(receive, None));
        sendable(&broker.read(State::now_ms));
        sendable(&broker.contents(Vec::new()));
        sendable(&broker.failures(Vec::new()));
        sendable(&broker.stop());
    }
}
