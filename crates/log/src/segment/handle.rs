//! Segment files that are open only while they are used: a backlog of any size takes few file descriptors.
//!
//! The segment that is written stays open from the moment it is made until the next one is begun: a failed flush is only
//! told to those who had the file open before. Others are opened when they are read, and the [`MOST_OPEN`] that were read
//! last stay so. A segment that was let go is closed at once: an open file takes its space on the disk though it has been
//! removed.

use super::file;
use crate::disk::{Disk, DiskFile};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many segments stay open for reading. Beside them are open: the one that is written (twice, where there is a way
/// past the cache), the next one, and one that is being made.
pub(crate) const MOST_OPEN: usize = 64;

/// The files that were read last.
pub(crate) struct OpenFiles {
    disk: Arc<dyn Disk>,
    /// By number, the last one used first.
    open: Mutex<Vec<(u64, Arc<dyn DiskFile>)>>,
}

/// A segment's file, whether it is open or not.
pub(crate) struct Handle {
    files: Arc<OpenFiles>,
    number: u64,
    state: Mutex<State>,
}

enum State {
    /// Open as long as it is held.
    Held(Arc<dyn DiskFile>),
    /// Opened when it is needed.
    Shared,
    /// Let go: the name may be gone, or mean nothing any more.
    Closed,
}

impl OpenFiles {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Arc<OpenFiles> {
        Arc::new(OpenFiles { disk, open: Mutex::default() })
    }

    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    fn open(&self) -> MutexGuard<'_, Vec<(u64, Arc<dyn DiskFile>)>> {
        lock(&self.open)
    }

    fn get_open(&self, number: u64) -> Option<Arc<dyn DiskFile>> {
        let mut open = self.open();
        let at = open.iter().position(|(of, _)| *of == number)?;
        open[..=at].rotate_right(1);
        Some(Arc::clone(&open[0].1))
    }

    fn get(&self, number: u64) -> io::Result<Arc<dyn DiskFile>> {
        if let Some(file) = self.get_open(number) {
            return Ok(file);
        }
        let name = file::name(number);
        let file = match self.disk.open(&name) {
            // Perhaps the process has no descriptor left: others need them more than we do.
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.open().clear();
                self.disk.open(&name)?
            }
            opened => opened?,
        };
        self.keep(number, Arc::clone(&file));
        Ok(file)
    }

    fn keep(&self, number: u64, file: Arc<dyn DiskFile>) {
        let mut open = self.open();
        open.insert(0, (number, file));
        open.truncate(MOST_OPEN);
    }

    fn forget(&self, number: u64) {
        self.open().retain(|(of, _)| *of != number);
    }
}

impl Handle {
    /// Of a file that is there, under its name.
    pub(crate) fn of(files: &Arc<OpenFiles>, number: u64) -> Arc<Handle> {
        Arc::new(Handle { files: Arc::clone(files), number, state: Mutex::new(State::Shared) })
    }

    /// Of a file that was just made.
    pub(crate) fn held(files: &Arc<OpenFiles>, number: u64, file: Arc<dyn DiskFile>) -> Arc<Handle> {
        Arc::new(Handle { files: Arc::clone(files), number, state: Mutex::new(State::Held(file)) })
    }

    /// Keeps it open from now on.
    pub(crate) fn hold(&self) -> io::Result<()> {
        let mut state = lock(&self.state);
        if let State::Shared = *state {
            *state = State::Held(self.files.get(self.number)?);
            self.files.forget(self.number);
        }
        Ok(())
    }

    /// Keeps it open for as long only as it is used.
    pub(crate) fn let_go(&self) {
        let mut state = lock(&self.state);
        if let State::Held(file) = &*state {
            self.files.keep(self.number, Arc::clone(file));
            *state = State::Shared;
        }
    }

    /// Closes it for good.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        *state = State::Closed;
        self.files.forget(self.number);
    }

    fn file(&self) -> io::Result<Arc<dyn DiskFile>> {
        match &*lock(&self.state) {
            State::Held(file) => Ok(Arc::clone(file)),
            State::Shared => self.files.get(self.number),
            State::Closed => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl DiskFile for Handle {
    fn write_at(&self, bytes: &[u8], offset_bytes: u64) -> io::Result<usize> {
        self.file()?.write_at(bytes, offset_bytes)
    }

    fn read_at(&self, bytes: &mut [u8], offset_bytes: u64) -> io::Result<usize> {
        self.file()?.read_at(bytes, offset_bytes)
    }

    fn read_at_hand(&self, bytes: &mut [u8], offset_bytes: u64) -> io::Result<Option<usize>> {
        // To open it could take the disk's time.
        let file = match &*lock(&self.state) {
            State::Held(file) => Some(Arc::clone(file)),
            State::Shared => self.files.get_open(self.number),
            State::Closed => None,
        };
        file.map_or(Ok(None), |file| file.read_at_hand(bytes, offset_bytes))
    }

    fn sync(&self) -> io::Result<()> {
        self.file()?.sync()
    }

    fn len_bytes(&self) -> io::Result<u64> {
        self.file()?.len_bytes()
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
