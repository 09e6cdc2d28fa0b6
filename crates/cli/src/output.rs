//! Standard output and standard error. A closed pipe is an error to pass up, not a panic: `afterward queue ls | head`.

use serde::Serialize;
use std::io::{self, IsTerminal, Write};

/// A line on standard output.
pub(crate) fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A line on standard output about work that goes on whether or not anybody still reads.
pub(crate) fn mention(line: &str) {
    let _ = say(line);
}

/// A value as indented JSON on standard output.
pub(crate) fn say_json(value: &impl Serialize) -> io::Result<()> {
    say(&serde_json::to_string_pretty(value).map_err(io::Error::other)?)
}

/// A line on standard error; that it can't be written is nothing that anybody could be told.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether a person is reading.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}
