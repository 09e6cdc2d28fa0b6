//! Whether the endpoint is there. As long as it is not, nothing is received: each receive would count against the
//! message, and a worker that is restarted would find its work in the dead-letter queue.

use crate::output;
use http::Uri;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::net::TcpStream;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A host that says nothing at all is away.
const PATIENCE: Duration = Duration::from_secs(5);

/// An endpoint's address, and whether its absence has been told.
pub(super) struct Reach {
    address: (String, u16),
    uri: String,
    told: AtomicBool,
}

impl Reach {
    pub(super) fn new(uri: &Uri) -> Reach {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        Reach { address: (host, port), uri: uri.to_string(), told: AtomicBool::new(false) }
    }

    /// Waits until somebody takes connections there.
    pub(super) async fn wait(&self) {
        let mut pause = FIRST_PAUSE;
        while let Err(why) = self.knock().await {
            if !self.told.swap(true, Ordering::Relaxed) {
                output::complain(&format!("{} can't be reached ({why}); messages wait until it can.", self.uri));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        if self.told.swap(false, Ordering::Relaxed) {
            output::complain(&format!("{} is there.", self.uri));
        }
    }

    async fn knock(&self) -> Result<(), String> {
        let (host, port) = &self.address;
        match tokio::time::timeout(PATIENCE, TcpStream::connect((host.as_str(), *port))).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no connection within {}", crate::units::took(PATIENCE))),
        }
    }
}
