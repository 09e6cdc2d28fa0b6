//! A directory as a store: for one machine, or a file system that producers and workers share.
//!
//! A payload appears whole or not at all: it is written beside its place, flushed, and moved there.

use super::{ClaimCheck, Storing};
use crate::Cause;
use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

/// What a path can't have as it is in a URL.
const IN_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`');

pub(super) struct FileStore {
    directory: PathBuf,
    url: String,
}

impl FileStore {
    /// A store in this directory, which is made with the first payload.
    pub(super) fn new(directory: PathBuf) -> FileStore {
        let path = directory.to_string_lossy();
        let url = format!("file://{}", utf8_percent_encode(path.trim_end_matches('/'), IN_PATH));
        FileStore { directory, url }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.directory.join(key)
    }
}

impl ClaimCheck for FileStore {
    fn url(&self) -> &str {
        &self.url
    }

    fn put<'a>(&'a self, key: &'a str, payload: Bytes) -> Storing<'a, ()> {
        let (directory, path, beside) = (self.directory.clone(), self.path(key), self.path(&format!(".{key}.part")));
        on_a_thread(move || {
            fs::create_dir_all(&directory).map_err(|error| in_file(&directory, &error))?;
            write_whole(&beside, &payload).map_err(|error| in_file(&beside, &error))?;
            fs::rename(&beside, &path).map_err(|error| in_file(&path, &error))?;
            // The name is as durable as the payload only when its directory is.
            File::open(&directory).and_then(|open| open.sync_all()).map_err(|error| in_file(&directory, &error))
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> Storing<'a, Option<Bytes>> {
        let path = self.path(key);
        on_a_thread(move || match fs::read(&path) {
            Ok(payload) => Ok(Some(Bytes::from(payload))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(in_file(&path, &error)),
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> Storing<'a, ()> {
        let path = self.path(key);
        on_a_thread(move || match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(in_file(&path, &error)),
            _ => Ok(()),
        })
    }
}

fn write_whole(path: &Path, payload: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(payload)?;
    file.sync_all()
}

fn in_file(path: &Path, error: &std::io::Error) -> Cause {
    format!("{}: {error}", path.display()).into()
}

/// Files block whoever waits for them.
fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T, Cause> + Send + 'static) -> Storing<'static, T> {
    Box::pin(async move { tokio::task::spawn_blocking(work).await.map_err(Cause::from)? })
}
