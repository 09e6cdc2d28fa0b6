//! How often the disk makes one page durable: the time that no server can answer in less than.

use crate::{folder::DataFolder, trouble::Trouble};
use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    path::Path,
    time::{Duration, Instant},
};

/// How a page gets to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Past the system's cache into a zero-filled file, durable when the write returns: as the server does it where the
    /// filesystem lets it.
    Direct,
    /// Into a zero-filled file, then `fdatasync`.
    Rewrite,
    /// At the end of a file, which grows, then `fdatasync`.
    Append,
}

const PAGE: usize = 4096;
/// The zero-filled file, in pages.
const PAGES: u64 = 4096;

/// A file whose pages are written and flushed, one after another.
#[derive(Debug)]
pub struct Flusher {
    file: File,
    way: Way,
    pages: Pages,
    written: u64,
    // The last to be dropped: the file is in it.
    _folder: DataFolder,
}

impl Flusher {
    /// Makes the file in a folder of its own in `work`; `None` if that way does not exist there.
    ///
    /// # Errors
    /// When no file can be written there.
    pub fn new(work: &Path, way: Way) -> Result<Option<Flusher>, Trouble> {
        let folder = DataFolder::new(work)?;
        let path = folder.path().join("pages");
        let failed = || Trouble::because(format!("{} can't be written", path.display()));
        let mut file = File::create(&path).map_err(failed())?;
        if way == Way::Direct {
            match past_the_cache(&path) {
                Some(direct) => file = direct,
                None => return Ok(None),
            }
        }
        if way != Way::Append {
            match zero(&mut file) {
                // Some filesystems open such a file, and then refuse to write to it.
                Err(error) if way == Way::Direct && error.kind() == io::ErrorKind::InvalidInput => return Ok(None),
                zeroed => zeroed.map_err(failed())?,
            }
        }
        Ok(Some(Flusher { file, way, pages: Pages::new(1), written: 0, _folder: folder }))
    }

    /// The way that the server takes: past the cache, or else by `fdatasync`.
    ///
    /// # Errors
    /// When no file can be written there.
    pub fn as_the_server(work: &Path) -> Result<Flusher, Trouble> {
        let refused = || Trouble::new(format!("{} takes no pages", work.display()));
        match Flusher::new(work, Way::Direct)? {
            Some(flusher) => Ok(flusher),
            None => Flusher::new(work, Way::Rewrite)?.ok_or_else(refused),
        }
    }

    /// Writes and flushes one page after another for `time`; how many a second.
    ///
    /// # Errors
    /// When a page can't be written.
    pub fn per_s(&mut self, time: Duration) -> Result<f64, Trouble> {
        let before = self.written;
        let began = Instant::now();
        while began.elapsed() < time {
            self.flush().map_err(Trouble::because("a page can't be flushed"))?;
        }
        Ok((self.written - before) as f64 / began.elapsed().as_secs_f64())
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.way != Way::Append {
            self.file.seek(SeekFrom::Start(self.written % PAGES * PAGE as u64))?;
        }
        let page = self.pages.aligned();
        page.fill(self.written as u8 | 1);
        self.file.write_all(page)?;
        if self.way != Way::Direct {
            self.file.sync_data()?;
        }
        self.written += 1;
        Ok(())
    }
}

/// Fills the file with durable zeros.
fn zero(file: &mut File) -> io::Result<()> {
    const AT_ONCE: usize = 64;
    let mut zeros = Pages::new(AT_ONCE);
    for _ in 0..PAGES / AT_ONCE as u64 {
        file.write_all(zeros.aligned())?;
    }
    file.sync_all()
}

#[cfg(target_os = "linux")]
fn past_the_cache(path: &Path) -> Option<File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = (OFlags::DIRECT | OFlags::DSYNC).bits().cast_signed();
    File::options().write(true).custom_flags(flags).open(path).ok()
}

#[cfg(not(target_os = "linux"))]
fn past_the_cache(_: &Path) -> Option<File> {
    None
}

/// Memory for pages with one to spare, so that it can begin where a page may: past the cache, the disk takes no other.
#[derive(Debug)]
struct Pages(Vec<u8>);

impl Pages {
    fn new(count: usize) -> Pages {
        Pages(vec![0; (count + 1) * PAGE])
    }

    fn aligned(&mut self) -> &mut [u8] {
        let skip = self.0.as_ptr().addr().wrapping_neg() % PAGE;
        let bytes = self.0.len() - PAGE;
        &mut self.0[skip..skip + bytes]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_that_exists_flushes_and_leaves_nothing() {
        let work = tempfile::tempdir().unwrap();
        for way in [Way::Direct, Way::Rewrite, Way::Append] {
            let Some(mut flusher) = Flusher::new(work.path(), way).unwrap() else {
                assert_eq!(way, Way::Direct);
                continue;
            };
            assert!(flusher.per_s(Duration::from_millis(30)).unwrap() > 0.0);
            let pages = if way == Way::Append { flusher.written } else { PAGES };
            assert_eq!(flusher.file.metadata().unwrap().len(), pages * PAGE as u64);
        }
        assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), 0);
    }

    #[test]
    fn pages_begin_where_pages_may() {
        for count in [1, 3] {
            let mut pages = Pages::new(count);
            let aligned = pages.aligned();
            assert_eq!((aligned.as_ptr().addr() % PAGE, aligned.len()), (0, count * PAGE));
        }
    }
}
