//! An HTTP/1.1 connection for requests that are already bytes: no headers are built, no allocation is made per call.

use std::{io, net::SocketAddr};
use thiserror::Error;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection, opened with the first call and again after the server has closed it.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
    /// A chunked body, put together.
    joined: Vec<u8>,
}

/// A server's answer.
#[derive(Debug)]
pub struct Reply<'a> {
    /// The status code.
    pub status: u16,
    /// The whole body.
    pub body: &'a [u8],
}

/// Why a call has no answer.
#[derive(Debug, Error)]
pub enum CallError {
    /// The connection broke, or could not be made.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The server closed it in the middle.
    #[error("the server closed the connection before its answer was whole")]
    Closed,
    /// What came is no HTTP.
    #[error("the answer is not HTTP: {0}")]
    NotHttp(String),
}

/// What the head of an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    status: u16,
    bytes: usize,
    body: Length,
    closes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Known(usize),
    Chunked,
    UntilClosed,
}

impl Connection {
    /// A connection to `address`, not opened yet.
    pub fn new(address: SocketAddr) -> Connection {
        Connection { address, stream: None, buffer: vec![0; 16 << 10], joined: Vec::new() }
    }

    /// Sends `request` and reads the whole answer.
    ///
    /// # Errors
    /// See [`CallError`]; the connection is opened anew by the next call.
    pub async fn call(&mut self, request: &[u8]) -> Result<Reply<'_>, CallError> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        stream.write_all(request).await?;
        let (head, end) = read(&mut stream, &mut self.buffer).await?;
        if !head.closes {
            self.stream = Some(stream);
        }
        let body = &self.buffer[head.bytes..end];
        let body = match head.body {
            Length::Chunked => {
                self.joined.clear();
                join(body, &mut self.joined);
                &self.joined
            }
            _ => body,
        };
        Ok(Reply { status: head.status, body })
    }
}

/// Reads one answer to the start of `buffer`; its head and where it ends.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<(Head, usize), CallError> {
    let mut filled = 0;
    let mut head = None;
    loop {
        if filled == buffer.len() {
            buffer.resize(filled * 2, 0);
        }
        let read = stream.read(&mut buffer[filled..]).await?;
        filled += read;
        if head.is_none() {
            head = parse(&buffer[..filled])?;
        }
        let end = head.and_then(|head| match head.body {
            Length::Known(bytes) => (filled >= head.bytes + bytes).then_some(head.bytes + bytes),
            Length::Chunked => chunks_end(&buffer[head.bytes..filled]).map(|bytes| head.bytes + bytes),
            Length::UntilClosed => (read == 0).then_some(filled),
        });
        match (head, end) {
            (Some(head), Some(end)) => return Ok((head, end)),
            _ if read == 0 => return Err(CallError::Closed),
            _ => {}
        }
    }
}

/// The head that `bytes` begins with, once it is whole.
fn parse(bytes: &[u8]) -> Result<Option<Head>, CallError> {
    let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let not_http = || CallError::NotHttp(String::from_utf8_lossy(&bytes[..end.min(80)]).into_owned());
    let mut lines = bytes[..end].split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let status = first.get(9..12).and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
    let status = status.filter(|_| first.starts_with(b"HTTP/1.")).ok_or_else(not_http)?;
    let mut head = Head { status, bytes: end + 4, body: Length::UntilClosed, closes: first.starts_with(b"HTTP/1.0") };
    for line in lines {
        let (name, value) = line.split_at(memchr::memchr(b':', line).ok_or_else(not_http)?);
        let value = value[1..].trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            let bytes = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
            head.body = Length::Known(bytes.ok_or_else(not_http)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            head.body = Length::Chunked;
        } else if name.eq_ignore_ascii_case(b"connection") {
            head.closes = value.eq_ignore_ascii_case(b"close");
        }
    }
    head.closes |= head.body == Length::UntilClosed;
    Ok(Some(head))
}

/// The next chunk's size line: the size, and where its data begins.
fn chunk(bytes: &[u8]) -> Option<(usize, usize)> {
    let line = memchr::memchr(b'\n', bytes)?;
    let size = std::str::from_utf8(bytes[..line].trim_ascii()).ok()?;
    let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
    Some((size, line + 1))
}

/// Where a chunked body without trailers ends, once it is whole.
fn chunks_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let (size, begins) = chunk(bytes.get(at..)?)?;
        at += begins + size + 2;
        if size == 0 {
            return (at <= bytes.len()).then_some(at);
        }
    }
}

fn join(mut bytes: &[u8], joined: &mut Vec<u8>) {
    while let Some((size, begins)) = chunk(bytes) {
        joined.extend_from_slice(bytes.get(begins..begins + size).unwrap_or_default());
        bytes = bytes.get(begins + size + 2..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// Calls a server that answers every request with `answer`, in pieces of `piece` bytes, and closes if it says so.
    async fn call(answer: &'static str, piece: usize, closes: bool) -> Result<(u16, String), CallError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut connection = Connection::new(listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            stream.read_exact(&mut [0; 4]).await.unwrap();
            for piece in answer.as_bytes().chunks(piece) {
                stream.write_all(piece).await.unwrap();
            }
            if closes { None } else { Some(stream) }
        });
        let reply = connection.call(b"GET ").await.map(|reply| {
            let body = String::from_utf8(reply.body.to_vec()).unwrap();
            (reply.status, body)
        });
        drop(server.await.unwrap());
        reply
    }

    #[tokio::test]
    async fn answers_are_read_however_they_are_framed_and_cut() {
        for (answer, closes) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\n\r\nhello", true),
            ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", true),
        ] {
            for piece in [1, 7, answer.len()] {
                let reply = call(answer, piece, closes).await;
                assert_eq!(reply.unwrap(), (200, "hello".to_owned()), "{answer:?} by {piece}");
            }
        }
    }

    #[tokio::test]
    async fn half_an_answer_and_other_protocols_are_errors() {
        let half = call("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", 99, true).await;
        assert!(matches!(half, Err(CallError::Closed)), "{half:?}");
        let other = call("220 mail.example.com\r\n\r\n", 99, true).await;
        assert!(matches!(other, Err(CallError::NotHttp(_))), "{other:?}");
    }
}
