//! The client against a scripted server.

mod actions;
mod failures;
mod plain;
mod runtimes;
#[cfg(feature = "tls")]
mod secure;
pub(crate) mod server;
mod settings;

use super::*;
use server::{Answer, Server, error, ok};

/// A builder that asks nothing of the machine's own settings.
fn builder(url: &str) -> Builder {
    let credential =
        Credential { access_key_id: "AKTEST".into(), secret_access_key: "secret".into(), session_token: None };
    Client::builder().endpoint(url).region("eu-central-1").credentials(credential)
}

pub(crate) fn client(url: &str) -> Client {
    builder(url).build().unwrap()
}

fn send(body: &str) -> SendMessageRequest {
    SendMessageRequest { queue_url: "http://h/000000000000/q".into(), message_body: body.into(), ..Default::default() }
}
