//! A disk in memory that fails as told: for tests, and for the simulation of the whole broker.
//!
//! It keeps what a process sees (the page cache) apart from what a power cut leaves: sectors that were flushed, and any
//! choice of those that were not. Names survive in the order in which they were changed, as on a journalling file
//! system. A failed flush drops what it should have written and calls it clean, as Linux does: the page cache then
//! shows what the disk doesn't have.

mod state;

use super::{Disk, DiskFile};
use state::{FileState, Random, State, Stop};
use std::{
    collections::BTreeSet,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// An operation that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// [`Disk::create`].
    Create,
    /// [`Disk::rename`].
    Rename,
    /// [`Disk::remove`].
    Remove,
    /// [`Disk::sync_dir`].
    SyncDir,
    /// [`DiskFile::write_at`].
    Write,
    /// [`DiskFile::sync`].
    Sync,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The operation fails, and does nothing. A failed [`Op::Sync`] loses what it should have flushed.
    Error(io::ErrorKind),
    /// A write takes no more than so many bytes, and says so.
    Short(usize),
}

/// The disk. A clone is the same disk.
#[derive(Clone, Default)]
pub struct FaultyDisk(Arc<Mutex<State>>);

impl FaultyDisk {
    /// An empty one.
    pub fn new() -> FaultyDisk {
        FaultyDisk::default()
    }

    /// An empty one with a way past the cache ([`Disk::open_direct`]).
    #[must_use]
    pub fn with_direct() -> FaultyDisk {
        FaultyDisk(Arc::new(Mutex::new(State { direct: true, ..State::default() })))
    }

    /// How many operations were begun that change something.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// Lets the operation number `step` (from 0) and all after it fail. If that one is a write, its first
    /// `last_write_bytes` are taken all the same. Go on with [`Self::after_kill`] or [`Self::after_power_cut`].
    pub fn stop_at(&self, step: u64, last_write_bytes: usize) {
        self.state().stop = Some(Stop { step, last_write_bytes });
    }

    /// Lets the `nth` operation of this kind from now (0: the next one) fail.
    pub fn fail(&self, op: Op, nth: u64, fault: Fault) {
        self.state().faults.push((op, nth, fault));
    }

    /// How much all files together may hold from now on: a write that finds no room fails, as on a full disk.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity_bytes = bytes;
    }

    /// Forgets the faults that have not come to pass.
    pub fn heal(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.stop = None;
    }

    /// What a new process finds when only the old one died: all that the operating system had been given.
    #[must_use]
    pub fn after_kill(&self) -> FaultyDisk {
        let mut state = self.state().clone();
        (state.steps, state.stop, state.faults) = (0, None, Vec::new());
        FaultyDisk(Arc::new(Mutex::new(state)))
    }

    /// What is there when the power comes back: what was flushed, and of the rest what `seed` chooses.
    #[must_use]
    pub fn after_power_cut(&self, seed: u64) -> FaultyDisk {
        let state = self.state();
        let mut random = Random(seed);
        let changes = random.below(state.pending_names.len() as u64 + 1) as usize;
        let names = changes.checked_sub(1).map_or(&state.durable_names, |last| &state.pending_names[last]).clone();
        let files = state.files.iter().map(|file| file.after_power_cut(&mut random)).collect();
        let direct = state.direct;
        let state = State { files, durable_names: names.clone(), names, direct, ..State::default() };
        FaultyDisk(Arc::new(Mutex::new(state)))
    }

    /// Exclusive-ors one byte, on the disk and in the cache.
    ///
    /// # Panics
    /// If there is no such byte.
    pub fn flip(&self, name: &str, offset_bytes: u64, mask: u8) {
        let mut state = self.state();
        let file = state.names[name];
        let file = &mut state.files[file];
        file.cache[offset_bytes as usize] ^= mask;
        if let Some(byte) = file.durable.get_mut(offset_bytes as usize) {
            *byte ^= mask;
        }
    }

    /// The bytes of a file, as a process sees them.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn contents(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.files[state.names[name]].cache.clone()
    }

    /// Puts a durable file there.
    pub fn put(&self, name: &str, contents: Vec<u8>) {
        let mut state = self.state();
        let file = FileState { durable: contents.clone(), cache: contents, dirty: BTreeSet::new() };
        state.files.push(file);
        let id = state.files.len() - 1;
        state.names.insert(name.to_owned(), id);
        state.durable_names.insert(name.to_owned(), id);
        for names in &mut state.pending_names {
            names.insert(name.to_owned(), id);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rename_with(&self, op: Op, change: impl FnOnce(&mut State) -> io::Result<()>) -> io::Result<()> {
        let mut state = self.state();
        state.step(op)?;
        change(&mut state)?;
        let names = state.names.clone();
        state.pending_names.push(names);
        Ok(())
    }
}

impl Disk for FaultyDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.rename_with(Op::Create, |state| {
            state.files.push(FileState::default());
            state.names.insert(name.to_owned(), state.files.len() - 1);
            Ok(())
        })?;
        self.open(name)
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = *self.state().names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(FaultyFile { disk: self.clone(), file }))
    }

    fn open_direct(&self, name: &str) -> io::Result<Option<Arc<dyn DiskFile>>> {
        if !self.state().direct {
            return Ok(None);
        }
        Ok(Some(Arc::new(DirectFile(self.open(name)?))))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.rename_with(Op::Rename, |state| {
            let file = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
            state.names.insert(to.to_owned(), file);
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.rename_with(Op::Remove, |state| {
            state.names.remove(name).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.state();
        state.step(Op::SyncDir)?;
        state.durable_names = state.names.clone();
        state.pending_names.clear();
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("memory").join(name)
    }
}

/// Writes, and flushes what it wrote.
struct DirectFile(Arc<dyn DiskFile>);

impl DiskFile for DirectFile {
    fn write_at(&self, bytes: &[u8], offset_bytes: u64) -> io::Result<usize> {
        assert_eq!((bytes.as_ptr().addr() % 4096, bytes.len() % 4096, offset_bytes % 4096), (0, 0, 0), "not aligned");
        let taken = self.0.write_at(bytes, offset_bytes)?;
        self.0.sync()?;
        Ok(taken)
    }

    fn read_at(&self, bytes: &mut [u8], offset_bytes: u64) -> io::Result<usize> {
        self.0.read_at(bytes, offset_bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn len_bytes(&self) -> io::Result<u64> {
        self.0.len_bytes()
    }
}

struct FaultyFile {
    disk: FaultyDisk,
    file: usize,
}

impl DiskFile for FaultyFile {
    fn write_at(&self, bytes: &[u8], offset_bytes: u64) -> io::Result<usize> {
        let mut state = self.disk.state();
        let taken = match state.step(Op::Write)? {
            Some(Fault::Short(taken)) => taken.min(bytes.len()),
            _ => bytes.len(),
        };
        let taken = match state.room(self.file, offset_bytes, taken as u64) {
            0 if taken > 0 => return Err(io::ErrorKind::StorageFull.into()),
            room => room as usize,
        };
        state.files[self.file].write(&bytes[..taken], offset_bytes as usize);
        Ok(taken)
    }

    fn read_at(&self, bytes: &mut [u8], offset_bytes: u64) -> io::Result<usize> {
        let state = self.disk.state();
        let rest = state.files[self.file].cache.get(offset_bytes as usize..).unwrap_or_default();
        let taken = rest.len().min(bytes.len());
        bytes[..taken].copy_from_slice(&rest[..taken]);
        Ok(taken)
    }

    fn read_at_hand(&self, bytes: &mut [u8], offset_bytes: u64) -> io::Result<Option<usize>> {
        self.read_at(bytes, offset_bytes).map(Some)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        match state.step(Op::Sync)? {
            Some(Fault::Error(kind)) => {
                state.files[self.file].dirty.clear();
                Err(kind.into())
            }
            _ => {
                state.files[self.file].flush();
                Ok(())
            }
        }
    }

    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.file].cache.len() as u64)
    }
}
