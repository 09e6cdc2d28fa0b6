//! An HTTP server that answers by script and remembers what it was asked.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with one request.
#[derive(Clone)]
pub(crate) enum Answer {
    Reply(u16, String),
    /// As `Reply`, with this as the header `Date`.
    Dated(&'static str, u16, String),
    /// As `Reply`, after a while.
    Late(Duration, u16, String),
    /// Closes the connection instead.
    HangUp,
}

pub(crate) fn ok(body: &str) -> Answer {
    Answer::Reply(200, body.to_owned())
}

pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::Reply(status, format!(r#"{{"__type":"com.amazonaws.sqs#{code}","message":"{message}"}}"#))
}

type Asked = http::Request<Bytes>;
type Rule = dyn Fn(&Asked) -> Answer + Send + Sync;

#[derive(Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// A server that gives these answers, one after another, and hangs up on all further requests.
    pub(crate) async fn scripted(answers: impl IntoIterator<Item = Answer>) -> Server {
        let script: Mutex<VecDeque<Answer>> = Mutex::new(answers.into_iter().collect());
        Server::ruled(move |_| script.lock().unwrap().pop_front().unwrap_or(Answer::HangUp)).await
    }

    /// A server that answers by rule.
    pub(crate) async fn ruled(rule: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Server {
        Server::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), rule)
    }

    /// The same on this socket.
    pub(crate) fn on(listener: TcpListener, rule: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Server {
        let server = Server { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let (rule, serving): (Arc<Rule>, _) = (Arc::new(rule), server.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream, rule.clone()));
            }
        });
        server
    }

    async fn serve(self, stream: TcpStream, rule: Arc<Rule>) {
        let service = service_fn(|request: http::Request<Incoming>| async {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let request = http::Request::from_parts(head, body);
            let answer = rule(&request);
            self.asked.lock().unwrap().push(request);
            let mut date = None;
            let (status, body) = match answer {
                Answer::Reply(status, body) => (status, body),
                Answer::Dated(text, status, body) => {
                    date = Some(http::HeaderValue::from_static(text));
                    (status, body)
                }
                Answer::Late(wait, status, body) => {
                    tokio::time::sleep(wait).await;
                    (status, body)
                }
                Answer::HangUp => return Err(io::Error::other("hanging up")),
            };
            let mut reply = http::Response::new(Full::new(Bytes::from(body)));
            *reply.status_mut() = http::StatusCode::from_u16(status).unwrap();
            reply.headers_mut().extend(date.map(|date| (http::header::DATE, date)));
            Ok(reply)
        });
        // A connection that breaks is part of the script.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The body of each POST so far whose path starts so.
    pub(crate) fn bodies_of(&self, path: &str) -> Vec<serde_json::Value> {
        let asked = self.asked().into_iter().filter(|asked| asked.uri().path().starts_with(path));
        asked.filter_map(|asked| serde_json::from_slice(asked.body()).ok()).collect()
    }

    /// The body of each request so far.
    pub(crate) fn bodies(&self) -> Vec<serde_json::Value> {
        self.asked().iter().map(|request| serde_json::from_slice(request.body()).unwrap()).collect()
    }
}
