//! What takes Slack's place on a developer's machine and in tests: an incoming webhook that keeps what it is told.

use axum::{Json, Router, extract::State, routing::post};
use serde::Deserialize;
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::TcpListener;

/// A stand-in for Slack. It listens for as long as the process lives.
#[derive(Clone)]
pub struct SlackStandIn {
    url: String,
    channel: Channel,
}

#[derive(Clone)]
struct Channel {
    texts: Arc<Mutex<Vec<String>>>,
    show: fn(&str),
}

#[derive(Deserialize)]
struct Notice {
    text: String,
}

impl SlackStandIn {
    /// Starts one on a free port; `show` is called with each text.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(show: fn(&str)) -> io::Result<SlackStandIn> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/services/T000/B000/stand-in", listener.local_addr()?);
        let channel = Channel { texts: Arc::default(), show };
        let router = Router::new().route("/services/{*secret}", post(take)).with_state(channel.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(SlackStandIn { url, channel })
    }

    /// Its incoming webhook.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it was told so far.
    pub fn texts(&self) -> Vec<String> {
        self.channel.texts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn take(State(channel): State<Channel>, Json(notice): Json<Notice>) -> &'static str {
    (channel.show)(&notice.text);
    channel.texts.lock().unwrap_or_else(PoisonError::into_inner).push(notice.text);
    "ok"
}
