//! Who works in the workshop: a thread of its own, or whoever needs something from it.

use super::{file::SegmentFile, room::Room, workshop::Workshop};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How soon it is tried again to make a segment that could not be made, at first and at the most. A trim is not waited for.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// Makes and takes back segments.
pub(crate) struct Upkeep {
    workshop: Arc<Mutex<Workshop>>,
    idle_bytes: Arc<AtomicU64>,
    room: Arc<Room>,
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
        let room = workshop.room();
        let workshop = Arc::new(Mutex::new(workshop));
        let background = if background { Some(Background::start(&workshop, &room, &directory)?) } else { None };
        Ok(Upkeep { workshop, idle_bytes, room, directory, background })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn idle_bytes(&self) -> u64 {
        self.idle_bytes.load(Ordering::Relaxed)
    }

    /// How many bytes the segments that are ready have room for, and why there is no other, if none could be made ahead.
    pub(crate) fn shortage(&self) -> Option<(u64, String)> {
        self.room.trouble().map(|trouble| (self.room.ready_bytes(), trouble))
    }

    /// Asks for the next segment to be made before it is needed.
    pub(crate) fn prepare(&self) {
        if let Some(background) = &self.background {
            background.order(Order::Prepare);
        }
    }

    /// Waits until the next segment is made, or it is known that it can't be. To be called while the active one has room
    /// still, so that a shortage comes to be known in time.
    pub(crate) fn look_ahead(&self) {
        if self.background.is_some() && self.room.ready_bytes() == 0 && !self.room.is_short() {
            make_next(&self.workshop, &self.room, &self.directory);
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
    fn start(workshop: &Arc<Mutex<Workshop>>, room: &Arc<Room>, directory: &Path) -> io::Result<Background> {
        let (orders, received) = channel();
        let (workshop, room, directory) = (Arc::clone(workshop), Arc::clone(room), directory.to_owned());
        let work = move || work(&workshop, &room, &directory, &received);
        let thread = thread::Builder::new().name("log upkeep".to_owned()).spawn(work)?;
        Ok(Background { orders: Some(orders), thread: Some(thread) })
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // Without a thread, appends make their segments themselves.
            let _ = orders.send(order);
        }
    }
}

/// Makes and takes back, and tells how making the next segment went. While there is no next one it tries again, at once
/// when something was taken back.
fn work(workshop: &Mutex<Workshop>, room: &Room, directory: &Path, orders: &Receiver<Order>) {
    let mut retry = FIRST_RETRY;
    loop {
        let order = match room.is_short() {
            true => orders.recv_timeout(retry),
            false => orders.recv().map_err(RecvTimeoutError::from),
        };
        retry = (2 * retry).min(LAST_RETRY);
        match order {
            // What could not be taken back is tried again with what comes next.
            Ok(Order::Release(segments)) => {
                retry = FIRST_RETRY;
                drop(lock(workshop).release(&segments));
            }
            Ok(Order::Prepare) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if make_next(workshop, room, directory) {
            retry = FIRST_RETRY;
        }
    }
}

/// Makes the next segment if it is not there, and tells everybody whether it is.
fn make_next(workshop: &Mutex<Workshop>, room: &Room, directory: &Path) -> bool {
    let mut workshop = lock(workshop);
    let prepared = workshop.prepare();
    let is_there = prepared.is_ok();
    let trouble = |error| format!("no further segment could be made in {}: {error}", directory.display());
    room.tell(prepared.err().map(trouble));
    is_there
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
