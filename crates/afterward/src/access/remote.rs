//! An issuer's published keys, fetched and kept.
//!
//! Invariants: at most one fetch at a time, and one in [`GAP`] however many tokens name keys that aren't there; nobody who
//! has a usable key waits for a fetch that somebody else has begun; one that is begun is finished, for whoever asks next, though
//! the client for whose request it was has gone.

use crate::{
    jose::{Jwks, JwksError, PublicKey},
    sqs::SettingsError,
    web::{Web, WebError},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use thiserror::Error;
use tokio::time::Instant;

/// Keys that were withdrawn are good for no longer than this.
const FRESH: Duration = Duration::from_secs(300);
/// But for when the issuer is away.
const USABLE: Duration = Duration::from_secs(3_600);
/// Between two fetches, whatever tokens name.
const GAP: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Remote {
    web: Web,
    kept: Mutex<Kept>,
    fetching: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct Kept {
    keys: Jwks,
    fetched: Option<Instant>,
    tried: Option<Instant>,
}

/// The keys can't be had.
#[derive(Debug, Error)]
pub(super) enum Unavailable {
    #[error(transparent)]
    Web(#[from] WebError),
    #[error(transparent)]
    Keys(#[from] JwksError),
    #[error("that failed a moment ago")]
    Lately,
}

impl Remote {
    pub(super) fn at(url: &str) -> Result<Remote, SettingsError> {
        let web = Web::at(url)?;
        if !web.origin().as_str().starts_with("https:") && !web.origin().is_loopback() {
            return Err(SettingsError(format!("{}: an issuer's keys have to come by https", web.origin())));
        }
        Ok(Remote { web, kept: Mutex::default(), fetching: Arc::default() })
    }

    /// The key of this id, if the issuer has one.
    pub(super) async fn key(self: &Arc<Self>, kid: &str) -> Result<Option<PublicKey>, Unavailable> {
        let (key, age) = self.kept(kid);
        if key.is_some() && age.is_some_and(|age| age < FRESH) {
            return Ok(key);
        }
        let turn = match (key, self.fetching.clone().try_lock_owned()) {
            (_, Ok(turn)) => turn,
            (Some(key), Err(_)) => return Ok(Some(key)),
            (None, Err(_)) => self.fetching.clone().lock_owned().await,
        };
        let failure = if self.may_fetch(kid) {
            let remote = self.clone();
            let fetching = tokio::spawn(async move {
                let _turn = turn;
                remote.fetch().await
            });
            fetching.await.unwrap_or(Err(Unavailable::Lately)).err()
        } else {
            None
        };
        match (self.kept(kid), failure) {
            ((Some(key), _), _) => Ok(Some(key)),
            (_, Some(failure)) => Err(failure),
            ((None, Some(_)), None) => Ok(None),
            ((None, None), None) => Err(Unavailable::Lately),
        }
    }

    /// The key, if it is kept and usable, and how old the keys are, if they are usable.
    fn kept(&self, kid: &str) -> (Option<PublicKey>, Option<Duration>) {
        let kept = self.lock();
        let age = kept.fetched.map(|at| at.elapsed()).filter(|age| *age < USABLE);
        (age.and_then(|_| kept.keys.key(kid).cloned()), age)
    }

    /// Whether a fetch is due. Who waited for another's fetch may find that it is no more.
    fn may_fetch(&self, kid: &str) -> bool {
        let mut kept = self.lock();
        let is_fresh = kept.fetched.is_some_and(|at| at.elapsed() < FRESH);
        let due = !(is_fresh && kept.keys.key(kid).is_some()) && kept.tried.is_none_or(|at| at.elapsed() >= GAP);
        if due {
            kept.tried = Some(Instant::now());
        }
        due
    }

    async fn fetch(&self) -> Result<(), Unavailable> {
        let body = self.web.get().await?;
        let keys = Jwks::parse(&String::from_utf8_lossy(&body))?;
        let mut kept = self.lock();
        (kept.keys, kept.fetched) = (keys, Some(Instant::now()));
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
