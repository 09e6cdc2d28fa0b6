//! Who works in the workshop: a thread of its own, or whoever needs something from it.

use super::{file::SegmentFile, workshop::Workshop};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
};

/// Makes and takes back segments.
pub(crate) struct Upkeep {
    workshop: Arc<Mutex<Workshop>>,
    idle_bytes: Arc<AtomicU64>,
    directory: PathBuf,
    background: Option<Background>,
}

struct Background {
    /// Taken when the log is dropped: that ends the thread.
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

enum Order {
    Prepare,
    Release(Vec<Arc<SegmentFile>>),
}

impl Upkeep {
    pub(crate) fn new(workshop: Workshop, directory: PathBuf, background: bool) -> io::Result<Upkeep> {
        let idle_bytes = workshop.idle_bytes();
        let workshop = Arc::new(Mutex::new(workshop));
        let background = if background { Some(Background::start(&workshop)?) } else { None };
        Ok(Upkeep { workshop, idle_bytes, directory, background })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn idle_bytes(&self) -> u64 {
        self.idle_bytes.load(Ordering::Relaxed)
    }

    /// Asks for the next segment to be made before it is needed.
    pub(crate) fn prepare(&self) {
        if let Some(background) = &self.background {
            background.order(Order::Prepare);
        }
    }

    /// The next segment, made now if it isn't ready. Waits for the thread if that is just making it.
    pub(crate) fn next_segment(&self, frame_bytes: u64) -> io::Result<SegmentFile> {
        let taken = lock(&self.workshop).take(frame_bytes);
        self.prepare();
        taken
    }

    /// Takes back segments without batches. A failure costs no more than space, which the next call tries to get again.
    pub(crate) fn release(&self, segments: Vec<Arc<SegmentFile>>) {
        match &self.background {
            Some(background) => background.order(Order::Release(segments)),
            None => drop(lock(&self.workshop).release(&segments)),
        }
    }
}

impl Background {
    fn start(workshop: &Arc<Mutex<Workshop>>) -> io::Result<Background> {
        let (orders, received) = channel();
        let workshop = Arc::clone(workshop);
        let thread = thread::Builder::new().name("log upkeep".to_owned()).spawn(move || work(&workshop, &received))?;
        Ok(Background { orders: Some(orders), thread: Some(thread) })
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // Without a thread, appends make their segments themselves.
            let _ = orders.send(order);
        }
    }
}

/// Errors come again, to somebody who can be told, when a segment is needed.
fn work(workshop: &Mutex<Workshop>, orders: &Receiver<Order>) {
    for order in orders {
        let mut workshop = lock(workshop);
        let _ = match order {
            Order::Prepare => workshop.prepare(),
            Order::Release(segments) => workshop.release(&segments),
        };
    }
}

fn lock(workshop: &Mutex<Workshop>) -> MutexGuard<'_, Workshop> {
    workshop.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Background {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
