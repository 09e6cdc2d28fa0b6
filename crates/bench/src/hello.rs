//! The yardstick R: an HTTP server that is nothing but hyper. It reads each request whole and gives the same answer, of
//! the size of SendMessage's, every time; or, for the pipeline's ceiling, that of its action (`canned.rs`).

use crate::canned::{Answers, Canned};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, io, path::Path, sync::Arc};
use tokio::net::{TcpListener, TcpStream};

/// Serves every connection of `listener` on the runtime that it is called on, until that ends.
///
/// # Errors
/// When no connection can be accepted any more.
pub async fn serve(listener: TcpListener, canned: Canned) -> io::Result<Infallible> {
    let canned = Arc::new(canned);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(connection(stream, canned.clone()));
    }
}

async fn connection(stream: TcpStream, canned: Arc<Canned>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let canned = canned.clone();
        async move {
            let (head, body) = request.into_parts();
            body.collect().await?;
            let mut response = Response::new(Full::new(canned.answer(&head.headers).await));
            let headers = response.headers_mut();
            headers.insert("content-type", const { http::HeaderValue::from_static("application/x-amz-json-1.0") });
            headers.insert("x-amzn-requestid", const { http::HeaderValue::from_static(REQUEST_ID) });
            Ok::<_, hyper::Error>(response)
        }
    });
    // A client that goes away in the middle is no concern of a yardstick.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

const REQUEST_ID: &str = "5fea7756-0ea4-451a-a703-a558b933e274";

/// How the bare server uses its cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Runtime {
    /// A pool of as many threads as there are cores, which share the work.
    Shared,
    /// A pool of one thread.
    One,
    /// No pool: one thread that does everything.
    Single,
}

impl Runtime {
    /// All of them.
    pub const ALL: [Runtime; 3] = [Runtime::Shared, Runtime::One, Runtime::Single];

    /// As the command line calls it.
    pub fn name(self) -> &'static str {
        match self {
            Runtime::Shared => "shared",
            Runtime::One => "one",
            Runtime::Single => "single",
        }
    }

    /// What it is in tokio's words, for a table.
    pub fn description(self) -> &'static str {
        match self {
            Runtime::Shared => "`multi_thread`, a worker for each core",
            Runtime::One => "`multi_thread`, one worker",
            Runtime::Single => "`current_thread`",
        }
    }

    fn builder(self) -> tokio::runtime::Builder {
        match self {
            Runtime::Shared => tokio::runtime::Builder::new_multi_thread(),
            Runtime::One => {
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                builder.worker_threads(1);
                builder
            }
            Runtime::Single => tokio::runtime::Builder::new_current_thread(),
        }
    }
}

/// Serves on a free port of this machine, which it prints as a line `listening on http://ADDRESS`, until it is killed.
///
/// # Errors
/// When there is no runtime or no port, or pages can't be flushed in `work`.
pub fn run(runtime: Runtime, answers: Answers, work: &Path) -> io::Result<Infallible> {
    let mut builder = runtime.builder();
    builder.enable_all().build()?.block_on(async {
        let canned = Canned::new(answers, work).map_err(io::Error::other)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        announce(&format!("listening on http://{}", listener.local_addr()?));
        tokio::spawn(serve(listener, canned)).await?
    })
}

#[allow(clippy::print_stdout)] // what the parent process reads
fn announce(line: &str) {
    println!("{line}");
}
