//! Accepting connections, serving them, and stopping in good order.

use super::{
    Peer,
    exchange::Line,
    pulse::{Patience, Pulse},
    room::Room,
    stream::Watched,
    threads::Threads,
    watch::Connections,
};
use crate::Gateway;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinHandle,
};

/// The largest head of a request: a presigned call may carry a message in its URL.
const HEAD_BYTES: usize = 64 << 10;

/// The most that a connection reads at a time: whoever sends much would otherwise be given a buffer of 400 KiB.
const BUFFER_BYTES: usize = 128 << 10;

/// How much of a reply the system keeps that it can't send yet.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 128 << 10;

/// How long the threads may take to end once their connections have.
const LAST_FLUSH: Duration = Duration::from_secs(1);

/// How often a connection that is to end looks whether it can.
const TURN: Duration = Duration::from_millis(20);

/// A gateway that listens. Dropping it stops at once; [`Listening::drain`] is the orderly way.
pub struct Listening {
    address: SocketAddr,
    connections: Arc<Connections>,
    draining: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    watching: JoinHandle<()>,
    threads: Option<Arc<Threads>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.accepting.abort();
        self.watching.abort();
        self.connections.cut(|_| true);
    }
}

impl Listening {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing any more, lets the requests that have begun finish, closes what is idle. Returns how many
    /// connections were cut because they took longer than `patience`. Long polls are ended by the broker, not here.
    pub async fn drain(mut self, patience: Duration) -> usize {
        self.accepting.abort();
        // What it holds is free only when it has ended.
        let _ = (&mut self.accepting).await;
        self.draining.send_replace(true);
        let finished = tokio::time::timeout(patience, self.connections.none_left()).await;
        let cut = if finished.is_ok() { 0 } else { self.connections.cut(|_| true) };
        if let Some(threads) = self.threads.take().and_then(Arc::into_inner) {
            // One that hangs in a flush is not waited for.
            let ended = tokio::task::spawn_blocking(move || threads.end());
            let _ = tokio::time::timeout(LAST_FLUSH, ended).await;
        }
        cut
    }
}

impl Gateway {
    /// Serves what connects to `listener`, on threads of its own; accepts on the tokio runtime that this is called in.
    ///
    /// # Errors
    /// When the listener can't say where it listens, or the threads can't be had.
    pub fn listen(&self, listener: TcpListener) -> io::Result<Listening> {
        let address = listener.local_addr()?;
        keep_little_unsent(&listener)?;
        let limits = &self.settings().limits;
        let patience = Patience { idle: limits.idle, head: limits.header, body: limits.body };
        let connections = Arc::new(Connections::default());
        let draining = watch::Sender::new(false);
        let watched = Arc::clone(&connections);
        let threads = Arc::new(Threads::start(self.settings().threads, self.broker())?);
        let accepting =
            accept(self.clone(), listener, Arc::clone(&threads), Arc::clone(&connections), draining.subscribe());
        Ok(Listening {
            address,
            accepting: tokio::spawn(accepting),
            watching: tokio::spawn(async move { watched.cut_overdue(patience).await }),
            connections,
            draining,
            threads: Some(threads),
        })
    }
}

/// Has the system keep little that the client has not made room for, on each connection that is accepted: of its own, it
/// would take some mebibytes of a reply that nobody reads, and ask for more of one that somebody does in lumps as large.
/// What is on its way is not limited by this, so a fast client far away loses nothing.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn keep_little_unsent(listener: &TcpListener) -> io::Result<()> {
    // The connections have it from the socket that listens.
    socket2::SockRef::from(listener).set_tcp_notsent_lowat(UNSENT_BYTES)
}

/// Elsewhere, the system decides.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn keep_little_unsent(_: &TcpListener) -> io::Result<()> {
    Ok(())
}

async fn accept(
    gateway: Gateway,
    listener: TcpListener,
    threads: Arc<Threads>,
    connections: Arc<Connections>,
    draining: watch::Receiver<bool>,
) {
    let limits = &gateway.settings().limits;
    let places = Arc::new(Semaphore::new(limits.connections));
    // Before their senders give up, whose patience is often that for a body.
    let room = Room::new(limits.bodies_bytes, limits.body / 2);
    loop {
        // Over the limit, the next ones wait in the system's queue until somebody leaves.
        let Ok(permit) = Arc::clone(&places).acquire_owned().await else { return };
        // Off this runtime, on to that of its thread.
        let accepted = listener.accept().await.and_then(|(stream, _)| stream.into_std());
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                // A client that has gone already, or too many open files: neither is cured by hurry.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let pulse = Arc::new(Pulse::new());
        let (gateway, room, draining) = (gateway.clone(), Arc::clone(&room), draining.clone());
        connections.add(Arc::clone(&pulse), |entry| {
            threads.spawn(|place| async move {
                match TcpStream::from_std(stream) {
                    Ok(stream) => {
                        let stream = Arc::new(stream);
                        let line = Line { gateway, room, pulse, peer: Peer::new(Arc::clone(&stream)) };
                        serve(line, stream, draining).await;
                    }
                    Err(error) => tracing::warn!(%error, "a connection could not be served"),
                }
                // Now that nothing of the connection holds the gateway any more.
                drop((place, permit, entry));
            })
        });
    }
}

/// Serves one connection until it closes. One that says nothing costs next to nothing: what it takes to understand it
/// is there from its first byte on.
async fn serve(line: Line, stream: Arc<TcpStream>, mut draining: watch::Receiver<bool>) {
    tokio::select! {
        biased;
        readable = stream.readable() => if readable.is_err() { return },
        () = told(&mut draining) => return,
    }
    Box::pin(speak(line, stream, draining)).await;
}

/// Speaks HTTP on a connection until it closes.
async fn speak(line: Line, stream: Arc<TcpStream>, mut draining: watch::Receiver<bool>) {
    // Replies are written whole; waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let patience = line.gateway.settings().limits.body;
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&line.pulse), patience));
    let service = service_fn(|request| line.exchange(request));
    let mut http = http1::Builder::new();
    // Who has sent a whole request and says no more is answered like others.
    http.max_header_size(HEAD_BYTES).max_buf_size(BUFFER_BYTES).half_close(true);
    let mut connection = std::pin::pin!(http.serve_connection(io, service));
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = told(&mut draining) => {
            connection.as_mut().graceful_shutdown();
            finished(connection, &line.pulse).await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Returns when a drain begins, or the gateway is gone.
async fn told(draining: &mut watch::Receiver<bool>) {
    let _ = draining.wait_for(|draining| *draining).await;
}

/// Lets a connection that has been told to shut down finish its request. One that has none yet waits for its first as
/// hyper has it; here, it ends. That is looked at between two turns of the connection, so no request that was read is
/// lost.
async fn finished<E>(mut connection: Pin<&mut impl Future<Output = Result<(), E>>>, pulse: &Pulse) -> Result<(), E> {
    loop {
        tokio::select! {
            biased;
            outcome = connection.as_mut() => return outcome,
            () = tokio::time::sleep(TURN) => {
                if pulse.is_between_requests() {
                    return Ok(());
                }
            }
        }
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_have_from_their_listener_how_much_is_kept_unsent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        keep_little_unsent(&listener).unwrap();
        let (_client, accepted) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (stream, _) = accepted.unwrap();
        assert_eq!(socket2::SockRef::from(&stream).tcp_notsent_lowat().unwrap(), UNSENT_BYTES);
    }
}
