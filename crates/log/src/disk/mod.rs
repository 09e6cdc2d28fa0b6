//! What a log asks of the place where its files lie: few enough operations that every one of them can be made to fail.
//!
//! [`Directory`] is the operating system's; [`FaultyDisk`] is one in memory that loses, tears and flips as told.

mod directory;
mod faulty;
#[cfg(test)]
mod tests;

pub use directory::{Directory, LockError};
pub use faulty::{Fault, FaultyDisk, Op};
use std::{io, path::PathBuf, sync::Arc};

/// What is atomic on every disk: a write is torn between sectors, never within one.
pub const SECTOR_BYTES: u64 = 512;

/// One directory.
pub trait Disk: Send + Sync {
    /// The names of the files in it.
    ///
    /// # Errors
    /// The operating system's.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Creates an empty file, in place of one of that name. The name is durable after [`Self::sync_dir`].
    ///
    /// # Errors
    /// The operating system's.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file that is there.
    ///
    /// # Errors
    /// The operating system's.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file that is there for writes of whole, aligned blocks of 4,096 bytes that are durable when they return;
    /// `None` where there is no such way. A write that fails may have been made.
    ///
    /// # Errors
    /// The operating system's.
    fn open_direct(&self, name: &str) -> io::Result<Option<Arc<dyn DiskFile>>>;

    /// Renames, atomically. Durable after [`Self::sync_dir`].
    ///
    /// # Errors
    /// The operating system's.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes. Durable after [`Self::sync_dir`].
    ///
    /// # Errors
    /// The operating system's.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes what happened to names durable.
    ///
    /// # Errors
    /// The operating system's.
    fn sync_dir(&self) -> io::Result<()>;

    /// How many bytes can still be written there, if that is known. Spares a full disk vain attempts, no more.
    ///
    /// # Errors
    /// The operating system's.
    fn free_bytes(&self) -> io::Result<Option<u64>> {
        Ok(None)
    }

    /// What people call the file.
    fn path(&self, name: &str) -> PathBuf;
}

/// One file. Positional, so that reads go on beside a write.
pub trait DiskFile: Send + Sync {
    /// Writes some of `bytes` at `offset_bytes`: how many.
    ///
    /// # Errors
    /// The operating system's; then nothing was written.
    fn write_at(&self, bytes: &[u8], offset_bytes: u64) -> io::Result<usize>;

    /// Reads some bytes: how many; 0 at the end of the file.
    ///
    /// # Errors
    /// The operating system's.
    fn read_at(&self, bytes: &mut [u8], offset_bytes: u64) -> io::Result<usize>;

    /// The same without waiting for the disk: `None` where that can't be promised. It MAY have the disk begin to read what
    /// was asked for, and what follows it.
    ///
    /// # Errors
    /// The operating system's.
    fn read_at_hand(&self, _bytes: &mut [u8], _offset_bytes: u64) -> io::Result<Option<usize>> {
        Ok(None)
    }

    /// Makes what was written durable, and the length (`fdatasync`).
    ///
    /// # Errors
    /// The operating system's. What had been written may then be lost, even if a later call succeeds.
    fn sync(&self) -> io::Result<()>;

    /// The length in bytes; files of a log are written from end to end, so it is what they take up.
    ///
    /// # Errors
    /// The operating system's.
    fn len_bytes(&self) -> io::Result<u64>;
}

/// A write that did not come to its end.
#[derive(Debug)]
pub(crate) struct WriteFailed {
    /// How much had been taken before.
    pub(crate) written: usize,
    pub(crate) error: io::Error,
}

/// Writes all of `bytes`.
pub(crate) fn write_all(file: &dyn DiskFile, bytes: &[u8], offset_bytes: u64) -> Result<(), WriteFailed> {
    let mut written = 0;
    while written < bytes.len() {
        match file.write_at(&bytes[written..], offset_bytes + written as u64) {
            Ok(0) => return Err(WriteFailed { written, error: io::ErrorKind::WriteZero.into() }),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(WriteFailed { written, error }),
        }
    }
    Ok(())
}

/// Reads until `bytes` is full or the file ends: how many.
pub(crate) fn read_full(file: &dyn DiskFile, bytes: &mut [u8], offset_bytes: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], offset_bytes + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
