//! The threads that serve connections: each has a runtime of its own, and commits what its connections have done.
//!
//! A connection stays on its thread. What a request does there is committed there, too, by the broker's assistant
//! ([`Broker::assist`]): once for all requests that are ready at the moment, and without waking anybody
//! elsewhere. While a thread flushes, its connections wait, as they would for the flush; the other threads go on.
//! Nothing here may block for anything else.

use afterward_broker::Broker;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread::JoinHandle,
};
use tokio::{
    runtime::{Builder, Handle},
    sync::watch,
    task::AbortHandle,
};

/// At most so many threads of each serving thread read messages back from the disk.
const READERS: usize = 8;

/// All of them. Dropped, they end, without waiting for it.
pub(super) struct Threads {
    threads: Vec<Thread>,
    ending: watch::Sender<bool>,
}

struct Thread {
    runtime: Handle,
    /// How many connections it serves.
    load: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

/// A connection's place on a thread, until it is dropped.
pub(super) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Threads {
    /// Starts `count` threads, one at least.
    pub(super) fn start(count: usize, broker: &Broker) -> io::Result<Threads> {
        let ending = watch::Sender::new(false);
        let threads = (0..count.max(1)).map(|_| Thread::start(broker, ending.subscribe())).collect::<Result<_, _>>()?;
        Ok(Threads { threads, ending })
    }

    /// Runs a connection on the thread that has the fewest.
    pub(super) fn spawn<F: Future<Output = ()> + Send + 'static>(
        &self,
        connection: impl FnOnce(Place) -> F,
    ) -> AbortHandle {
        // There is one at least.
        let mut least = &self.threads[0];
        for thread in &self.threads[1..] {
            if thread.load.load(Relaxed) < least.load.load(Relaxed) {
                least = thread;
            }
        }
        least.load.fetch_add(1, Relaxed);
        least.runtime.spawn(connection(Place(Arc::clone(&least.load)))).abort_handle()
    }

    /// Ends them, with whatever they still serve, and waits for that. Blocks.
    pub(super) fn end(mut self) {
        self.ending.send_replace(true);
        for Thread { thread, .. } in self.threads.drain(..) {
            // A panic in it has been printed.
            let _ = thread.join();
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.ending.send_replace(true);
    }
}

impl Thread {
    fn start(broker: &Broker, mut ending: watch::Receiver<bool>) -> io::Result<Thread> {
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(READERS).build()?;
        let handle = runtime.handle().clone();
        // A task like any other, so that its turn comes after those who are ready before it.
        let assist = broker.assist();
        runtime.spawn(async move { match assist.await {} });
        let thread = std::thread::Builder::new().name("connections".to_owned()).spawn(move || {
            // Told, or nobody is left to tell.
            let _ = runtime.block_on(ending.wait_for(|ending| *ending));
            runtime.shutdown_background();
        })?;
        Ok(Thread { runtime: handle, load: Arc::default(), thread })
    }
}
