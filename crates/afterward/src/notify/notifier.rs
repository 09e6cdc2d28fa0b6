//! Where notices go: Slack's incoming webhooks, or any address that takes JSON.

use crate::{
    sqs::SettingsError,
    web::{Web, WebError},
};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use thiserror::Error;

/// Slack cuts texts at 40,000 characters; nobody reads a tenth of that.
const LONGEST_TEXT_CHARS: usize = 3_000;

/// Sends notices to one place, or nowhere where none is configured. Cheap to clone; good as a worker's
/// [`State`](crate::State).
#[derive(Debug, Clone)]
#[must_use]
pub struct Notifier {
    place: Option<Arc<Web>>,
    pub(super) speaks: Speaks,
    on_failure: OnFailure,
}

/// What a place understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaks {
    Slack,
    Json,
}

/// What becomes of a notice that could not be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnFailure {
    /// It is logged, and the caller goes on: a job isn't done again because a chat was away.
    #[default]
    Log,
    /// The caller gets the error.
    Fail,
}

/// A notice could not be delivered.
#[derive(Debug, Error)]
#[error("a notice could not be delivered: {0}")]
pub struct NotifyError(#[from] WebError);

/// A notifier to the incoming webhook of Slack whose URL is in the environment variable `SLACK_URL`. Where that is unset or
/// empty, its notices go nowhere.
///
/// # Errors
/// It is no `https` URL, nor an `http` one of this machine: whoever knows the address can write there.
pub fn slack() -> Result<Notifier, SettingsError> {
    slack_by(std::env::var("SLACK_URL").ok().as_deref())
}

/// By what `SLACK_URL` is set to.
pub(super) fn slack_by(setting: Option<&str>) -> Result<Notifier, SettingsError> {
    match setting.map(str::trim) {
        None | Some("") => Ok(Notifier::nowhere()),
        Some(url) => slack_at(url).map_err(|error| SettingsError(format!("SLACK_URL: {error}"))),
    }
}

/// A notifier to this incoming webhook of Slack.
///
/// # Errors
/// It is no `https` URL, nor an `http` one of this machine: whoever knows the address can write there.
pub fn slack_at(url: &str) -> Result<Notifier, SettingsError> {
    Ok(Notifier { place: Some(place_at(url)?), speaks: Speaks::Slack, on_failure: OnFailure::default() })
}

/// A notifier to an address that takes JSON by POST: `{"text":"…"}`, of a [`Digest`](super::Digest) also
/// `"counts":[{"event","name","count","last_error"}]`.
///
/// # Errors
/// It is no `https` URL, nor an `http` one of this machine: whoever knows the address can write there.
pub fn webhook(url: &str) -> Result<Notifier, SettingsError> {
    Ok(Notifier { place: Some(place_at(url)?), speaks: Speaks::Json, on_failure: OnFailure::default() })
}

/// The place with this address, which is a secret that is sent with each notice.
fn place_at(url: &str) -> Result<Arc<Web>, SettingsError> {
    let place = Web::at(url)?;
    let origin = place.origin();
    if !origin.as_str().starts_with("https:") && !origin.is_loopback() {
        return Err(SettingsError(format!("{origin}: notices have to go by https, for their address is a secret")));
    }
    Ok(Arc::new(place))
}

impl Notifier {
    /// Sends nothing: for tests, and where nobody wants to know.
    pub fn nowhere() -> Notifier {
        Notifier { place: None, speaks: Speaks::Slack, on_failure: OnFailure::default() }
    }

    #[cfg(test)]
    pub(super) fn refused(&self) -> NotifyError {
        let Some(place) = &self.place else { unreachable!("it has a place") };
        place.unwritable(&serde::ser::Error::custom("by script")).into()
    }

    /// What becomes of notices that can't be delivered: they are logged unless set otherwise.
    pub fn on_failure(mut self, then: OnFailure) -> Notifier {
        self.on_failure = then;
        self
    }

    /// Whether notices go anywhere.
    pub fn is_configured(&self) -> bool {
        self.place.is_some()
    }

    /// Sends a text, cut at 3,000 characters. In Slack it is formatted (`*bold*`, `<https://…|link>`); what comes from
    /// elsewhere has to be [escaped] there.
    ///
    /// # Errors
    /// It could not be delivered within ten seconds, and [`OnFailure::Fail`] is set.
    pub async fn send(&self, text: &str) -> Result<(), NotifyError> {
        self.post(&json!({ "text": cut(text) })).await
    }

    /// Sends any JSON: Slack's blocks, or whatever a webhook takes.
    ///
    /// # Errors
    /// It could not be delivered within ten seconds, and [`OnFailure::Fail`] is set.
    pub async fn post(&self, body: &impl Serialize) -> Result<(), NotifyError> {
        match (self.deliver(body).await, self.on_failure) {
            (Err(error), OnFailure::Fail) => Err(error),
            (Err(error), OnFailure::Log) => {
                tracing::warn!("{error}");
                Ok(())
            }
            (Ok(()), _) => Ok(()),
        }
    }

    /// [`post`](Notifier::post), whatever the policy.
    pub(super) async fn deliver(&self, body: &impl Serialize) -> Result<(), NotifyError> {
        let Some(place) = &self.place else { return Ok(()) };
        let bytes = serde_json::to_vec(body).map_err(|error| place.unwritable(&error))?;
        place.post_json(bytes).await?;
        Ok(())
    }
}

/// Text without meaning to Slack: `&`, `<` and `>` as entities.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// At most as much as is sent.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
