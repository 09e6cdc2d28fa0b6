//! What a program chooses about a queue: where large payloads go, where long delays wait, and where batches are kept.

use super::{Queue, Scheduler};
use crate::{
    ClaimCheck, Error,
    claim::{self, Claims},
    sqs::SettingsError,
};
use std::sync::OnceLock;

#[derive(Clone, Default)]
pub(super) struct Settings {
    pub(super) scheduler: Scheduler,
    /// The tally queue's URL or name, where it was set.
    tally: Option<String>,
    /// What was set, else what the environment was found to name.
    claims: OnceLock<Result<Option<Claims>, SettingsError>>,
}

impl Queue {
    /// Puts payloads over the queue's limit into the store at this URL, and reads them back in a worker of this queue:
    ///
    /// | | |
    /// | --- | --- |
    /// | `s3://bucket/prefix` | objects in S3, or in what `AWS_ENDPOINT_URL_S3` names; messages have the form of Amazon's extended client libraries |
    /// | `https://host/base` | objects by PUT, GET and DELETE, signed as S3's where there are keys |
    /// | `file:///directory` | files, for one machine or a shared file system |
    ///
    /// Producers and workers need the same URL. Unless set, it is `AFTERWARD_CLAIM_CHECK_URL`; without one, messages over
    /// the limit are refused.
    ///
    /// # Errors
    /// The URL names no store, or there are no credentials for it.
    pub fn claim_check_at(self, url: &str) -> Result<Queue, Error> {
        let claims = claim::open(url, self.client())?;
        Ok(self.with_claims(claims))
    }

    /// Puts payloads over the queue's limit into a store of your own, as
    /// [`claim_check_at`](Queue::claim_check_at) does into one of its.
    pub fn claim_check(self, store: impl ClaimCheck) -> Queue {
        self.with_claims(Claims::new(store))
    }

    /// Where delays wait that the queue itself can't keep.
    pub fn scheduler(self, scheduler: Scheduler) -> Queue {
        let settings = Settings { scheduler, ..self.0.settings.clone() };
        Queue::with_settings(self.client().clone(), self.url().to_owned(), settings)
    }

    fn with_claims(self, claims: Claims) -> Queue {
        let settings = Settings { claims: OnceLock::from(Ok(Some(claims))), ..self.0.settings.clone() };
        Queue::with_settings(self.client().clone(), self.url().to_owned(), settings)
    }

    pub(super) fn with_tally(self, named: String) -> Queue {
        let settings = Settings { tally: Some(named), ..self.0.settings.clone() };
        Queue::with_settings(self.client().clone(), self.url().to_owned(), settings)
    }

    /// The tally queue, by its URL or name, if there is to be one.
    pub(super) fn tally_setting(&self) -> Option<String> {
        let from_env = || std::env::var("AFTERWARD_TALLY_QUEUE_URL").ok().filter(|url| !url.is_empty());
        self.0.settings.tally.clone().or_else(from_env)
    }

    /// Where large payloads go, if anywhere.
    pub(super) fn claims(&self) -> Result<Option<&Claims>, Error> {
        let found = self.0.settings.claims.get_or_init(|| {
            let url = std::env::var("AFTERWARD_CLAIM_CHECK_URL").ok().filter(|url| !url.is_empty());
            url.map(|url| claim::open(&url, self.client())).transpose()
        });
        match found {
            Ok(claims) => Ok(claims.as_ref()),
            Err(error) => Err(SettingsError(format!("AFTERWARD_CLAIM_CHECK_URL: {error}")).into()),
        }
    }
}
