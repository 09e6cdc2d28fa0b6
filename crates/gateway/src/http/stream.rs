//! The connection's bytes, watched.

use super::pulse::{Phase, Pulse};
use std::{
    io, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};

/// What is written of a reply is told to the pulse in steps of so much: a small reply costs it nothing.
const STEP: usize = 64 << 10;

/// A socket that keeps its connection's [`Pulse`]: the first byte that comes in between requests begins a head, what goes
/// out of a reply gives the rest of it time, and a reply is out when what was written of it has been flushed.
///
/// The socket is shared with the connection's [`Peer`](super::peer::Peer), so it is read and written by reference here,
/// with as few calls of the system as by tokio's own way.
pub(super) struct Watched {
    stream: Arc<TcpStream>,
    pulse: Arc<Pulse>,
    /// Whether something of the reply has been written since the last flush.
    wrote: bool,
    /// How much of the reply has been written that the pulse has not been told of.
    untold: usize,
    /// How long a reply may take to go out, or each mebibyte of a larger one.
    patience: Duration,
}

impl Watched {
    pub(super) fn new(stream: Arc<TcpStream>, pulse: Arc<Pulse>, patience: Duration) -> Watched {
        Watched { stream, pulse, wrote: false, untold: 0, patience }
    }

    fn poll_io(
        &mut self,
        cx: &mut Context<'_>,
        wanted: usize,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let outcome = loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match once(&self.stream, Interest::WRITABLE, wanted, &write) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => break outcome,
            }
        };
        if let Ok(count) = outcome
            && count > 0
            && self.pulse.phase() == Phase::Writing
        {
            self.wrote = true;
            self.untold += count;
            if self.untold >= STEP {
                self.pulse.wrote(mem::take(&mut self.untold), self.patience);
            }
        }
        Poll::Ready(outcome)
    }
}

/// Reads or writes once. Where that was for less than `wanted`, the socket has no more, and tokio is told so: it would
/// ask the system again otherwise.
fn once(
    stream: &TcpStream,
    interest: Interest,
    wanted: usize,
    io: impl FnOnce(&TcpStream) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut done = None;
    let outcome = stream.try_io(interest, || {
        let count = io(stream)?;
        done = Some(count);
        // What came in since the socket was found ready is not forgotten by this: tokio knows of when it is said.
        if 0 < count && count < wanted { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    match done {
        Some(count) => Ok(count),
        None => outcome.map(|()| 0),
    }
}

impl AsyncRead for Watched {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = buffer.remaining();
        let count = loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match once(&self.stream, Interest::READABLE, room, |stream| stream.try_read_buf(buffer)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => break outcome?,
            }
        };
        if count > 0 && self.pulse.phase() == Phase::Idle {
            self.pulse.enter(Phase::Head);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_io(cx, bytes.len(), |stream| stream.try_write(bytes))
    }

    /// A socket has nothing to flush.
    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.wrote {
            self.wrote = false;
            self.untold = 0;
            self.pulse.enter(Phase::Idle);
        }
        Poll::Ready(Ok(()))
    }

    /// The end of the connection's task closes the socket at once, and says all there is to say.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wanted = slices.iter().map(|slice| slice.len()).sum();
        self.poll_io(cx, wanted, |stream| stream.try_write_vectored(slices))
    }
}
