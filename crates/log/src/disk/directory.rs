//! A directory of the operating system, held against every other process.

use super::{Disk, DiskFile};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use thiserror::Error;

const LOCK: &str = "lock";

/// A directory. Locked for as long as the value lives, if it was opened by [`Directory::lock`].
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// `flock`: it goes when the process does, however it goes.
    lock: Option<File>,
}

/// Why a directory can't be had.
#[derive(Debug, Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error(
        "the directory {} is in use by another process (or twice by this one). \
         Stop that process first, or choose another directory with --data", .0.display()
    )]
    InUse(PathBuf),
    /// The operating system would not.
    #[error("the directory {} can't be used: {error}", path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl Directory {
    /// Makes the directory if need be, and locks it.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn lock(path: &Path) -> Result<Directory, LockError> {
        let io = |error| LockError::Io { path: path.to_owned(), error };
        if !path.is_dir() {
            make_durably(path).map_err(io)?;
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK)).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Directory { path: path.to_owned(), lock: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(LockError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }

    /// Without a lock, to look only.
    pub(crate) fn unlocked(path: &Path) -> Directory {
        Directory { path: path.to_owned(), lock: None }
    }

    /// Whether somebody holds the lock now.
    pub(crate) fn in_use(&self) -> bool {
        self.lock.is_some()
            || File::open(self.path.join(LOCK))
                .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

/// Makes the directory and those above it: their names must not vanish with what will be acknowledged in it.
fn make_durably(path: &Path) -> io::Result<()> {
    let missing: Vec<_> =
        path.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.is_dir()).collect();
    fs::create_dir_all(path)?;
    for made in missing {
        let above = made.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(above)?.sync_all()?;
    }
    Ok(())
}

impl Disk for Directory {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.path.join(name);
        Ok(Arc::new(OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let write = self.lock.is_some();
        Ok(Arc::new(OpenOptions::new().read(true).write(write).open(self.path.join(name))?))
    }

    fn open_direct(&self, name: &str) -> io::Result<Option<Arc<dyn DiskFile>>> {
        direct::open(&self.path.join(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    #[cfg(target_os = "linux")]
    fn free_bytes(&self) -> io::Result<Option<u64>> {
        let found = rustix::fs::statvfs(&self.path)?;
        // Some file systems know no size.
        Ok((found.f_blocks > 0).then(|| found.f_bavail.saturating_mul(found.f_frsize)))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

#[cfg(target_os = "linux")]
mod direct {
    use super::*;
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;

    /// `None` where the file system does without: such ones refuse to open a file so.
    pub(super) fn open(path: &Path) -> io::Result<Option<Arc<dyn DiskFile>>> {
        let flags = (OFlags::DIRECT | OFlags::DSYNC).bits().cast_signed();
        match OpenOptions::new().read(true).write(true).custom_flags(flags).open(path) {
            Ok(file) => Ok(Some(Arc::new(file))),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod direct {
    use super::*;

    pub(super) fn open(_: &Path) -> io::Result<Option<Arc<dyn DiskFile>>> {
        Ok(None)
    }
}

impl DiskFile for File {
    fn write_at(&self, bytes: &[u8], offset_bytes: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset_bytes)
    }

    fn read_at(&self, bytes: &mut [u8], offset_bytes: u64) -> io::Result<usize> {
        FileExt::read_at(self, bytes, offset_bytes)
    }

    #[cfg(target_os = "linux")]
    fn read_at_hand(&self, bytes: &mut [u8], offset_bytes: u64) -> io::Result<Option<usize>> {
        use rustix::io::{Errno, ReadWriteFlags, preadv2};
        let into = &mut [io::IoSliceMut::new(bytes)];
        match preadv2(self, into, offset_bytes, ReadWriteFlags::NOWAIT) {
            Ok(read) => Ok(Some(read)),
            // The second: a file system, or a kernel, that can't tell.
            Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}
