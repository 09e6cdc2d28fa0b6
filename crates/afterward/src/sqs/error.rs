//! What can go wrong between a client and a service, said for the person who has to mend it.

use super::{Endpoint, hint::hint_for};
use std::{error::Error as StdError, fmt, time::Duration};

type Cause = Box<dyn StdError + Send + Sync>;

/// A call that did not work: it names the endpoint, the action, the queue where there is one, and the reason.
pub struct Error(Box<Inner>);

struct Inner {
    endpoint: Endpoint,
    action: String,
    queue: Option<String>,
    attempts: u32,
    is_of_entry: bool,
    /// Whether one of the attempts, not only the last, may have done what was asked.
    is_perhaps_done: bool,
    kind: ErrorKind,
    cause: Option<Cause>,
    /// What to do, where the service's words leave a person alone.
    hint: Option<String>,
}

/// Why a call did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The service answered with an error.
    #[non_exhaustive]
    Service {
        /// The HTTP status.
        status: u16,
        /// The service's code, such as `QueueDoesNotExist`.
        code: String,
        /// The service's words.
        message: String,
    },
    /// No connection was made: the service has not seen the request.
    Unreachable(String),
    /// No secure connection can be made: the service's certificate can't be trusted, or no TLS is spoken there. The service has
    /// not seen the request, and the same call won't work until somebody changes something.
    Insecure(String),
    /// The connection broke before the reply was complete: the service may have done what was asked.
    Broken(String),
    /// No complete reply in this time.
    TimedOut(Duration),
    /// The reply makes no sense: perhaps something other than SQS listens there.
    BadReply(String),
    /// The request could not be written: the reason is in the request, and nothing was sent.
    BadRequest(String),
    /// There are no keys to sign the request with; nothing was sent.
    NoCredentials(String),
}

/// The codes by which services say "slow down": the SDKs' lists, as far as SQS and what stands before it use them.
const THROTTLES: [&str; 8] = [
    "KmsThrottled",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

impl ErrorKind {
    /// Whether the same call may well work a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            ErrorKind::Service { status, code, .. } => *status >= 500 || is_throttle(*status, code),
            ErrorKind::Unreachable(_) | ErrorKind::Broken(_) | ErrorKind::TimedOut(_) => true,
            ErrorKind::Insecure(_)
            | ErrorKind::BadReply(_)
            | ErrorKind::BadRequest(_)
            | ErrorKind::NoCredentials(_) => false,
        }
    }

    /// Whether the service may have done what was asked, for all that is known. A throttle is not believed: what stands
    /// before a service gives up waiting by the same answers.
    pub(super) fn is_perhaps_done(&self) -> bool {
        match self {
            ErrorKind::Service { status, code, .. } => {
                !(400..500).contains(status) || *status == 408 || is_throttle(*status, code)
            }
            ErrorKind::Broken(_) | ErrorKind::TimedOut(_) | ErrorKind::BadReply(_) => true,
            ErrorKind::Unreachable(_)
            | ErrorKind::Insecure(_)
            | ErrorKind::BadRequest(_)
            | ErrorKind::NoCredentials(_) => false,
        }
    }
}

/// What `afterward-aws` gives as the code of a reply that is not in SQS's words.
const UNREADABLE: &str = "UnreadableReply";

/// A time as people say it.
fn to_ms(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn is_throttle(status: u16, code: &str) -> bool {
    status == 429 || THROTTLES.contains(&bare_code(code))
}

impl Error {
    pub(super) fn new(endpoint: &Endpoint, action: &str, attempts: u32, failure: Failure) -> Error {
        let Failure { kind, cause } = failure;
        Error(Box::new(Inner {
            endpoint: endpoint.clone(),
            action: action.to_owned(),
            queue: None,
            attempts,
            is_of_entry: false,
            is_perhaps_done: kind.is_perhaps_done(),
            kind,
            cause,
            hint: None,
        }))
    }

    /// The same error, which says this beside the service's words.
    pub(crate) fn with_hint(mut self, hint: String) -> Error {
        self.0.hint = Some(hint);
        self
    }

    /// A reply of this queue's service that lacks what it has to say.
    pub(crate) fn of_reply(endpoint: &Endpoint, action: &str, queue: &str, why: &str) -> Error {
        let kind = ErrorKind::BadReply(why.to_owned());
        Error::new(endpoint, action, 1, Failure::from(kind)).of_queue(Some(queue.to_owned()))
    }

    /// The same error, of a call that was tried before; `is_perhaps_done`: whether that may have done what was asked.
    pub(crate) fn after(mut self, is_perhaps_done: bool) -> Error {
        self.0.is_perhaps_done |= is_perhaps_done;
        self
    }

    /// Whether what was asked was certainly not done, by this attempt or one before it.
    pub(crate) fn is_certainly_undone(&self) -> bool {
        !self.0.is_perhaps_done
    }

    /// The same error, which names the queue that the call was about.
    pub(super) fn of_queue(mut self, name: Option<String>) -> Error {
        self.0.queue = name;
        self
    }

    /// One message's part in the failure of a batch.
    pub(crate) fn of_entry(
        endpoint: &Endpoint,
        action: &str,
        queue: &str,
        entry: super::BatchResultErrorEntry,
    ) -> Error {
        let status = if entry.sender_fault { 400 } else { 500 };
        let kind = ErrorKind::Service { status, code: entry.code, message: entry.message.unwrap_or_default() };
        let mut error = Error::new(endpoint, action, 1, Failure::from(kind)).of_queue(Some(queue.to_owned()));
        error.0.is_of_entry = true;
        error
    }

    /// The same for another message of the same call.
    pub(crate) fn for_another(&self) -> Error {
        let Inner { endpoint, action, queue, attempts, is_of_entry, is_perhaps_done, kind, hint, .. } = &*self.0;
        Error(Box::new(Inner {
            endpoint: endpoint.clone(),
            action: action.clone(),
            queue: queue.clone(),
            attempts: *attempts,
            is_of_entry: *is_of_entry,
            is_perhaps_done: *is_perhaps_done,
            kind: kind.clone(),
            cause: None,
            hint: hint.clone(),
        }))
    }

    /// Whether it is about one message of a batch rather than about the call.
    pub(crate) fn is_of_entry(&self) -> bool {
        self.0.is_of_entry
    }

    /// Where the call went.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// The action, such as `SendMessage`, or the method and path of a plain HTTP call.
    pub fn action(&self) -> &str {
        &self.0.action
    }

    /// Why it did not work.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// How often it was tried.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The service's error code, where the service answered.
    pub fn code(&self) -> Option<&str> {
        match &self.0.kind {
            ErrorKind::Service { code, .. } => Some(code),
            _ => None,
        }
    }

    /// The HTTP status, where the service answered.
    pub fn status(&self) -> Option<u16> {
        match &self.0.kind {
            ErrorKind::Service { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The service's own words, where the service answered.
    pub fn message(&self) -> Option<&str> {
        match &self.0.kind {
            ErrorKind::Service { message, .. } => Some(message),
            _ => None,
        }
    }

    /// Whether the same call may well work a moment later: no connection, no reply, a throttle, a fault of the service.
    pub fn is_transient(&self) -> bool {
        self.0.kind.is_transient()
    }

    /// Whether it was not the service that answered, but what stands before it or in its place: an answer that is not in its
    /// words, a certificate that is not to be trusted. Who looks for a service is told at once, for somebody has to mend an
    /// address or a certificate. Who has worked with it knows better, and takes it for a moment that passes.
    pub(crate) fn is_of_another(&self) -> bool {
        self.has_code(&[UNREADABLE]) || matches!(self.kind(), ErrorKind::BadReply(_)) || self.is_insecure()
    }

    /// Whether no connection was made because none would have been secure.
    pub(crate) fn is_insecure(&self) -> bool {
        matches!(self.kind(), ErrorKind::Insecure(_))
    }

    /// Whether the queue does not exist, by JSON's code or by Query's.
    pub fn is_queue_missing(&self) -> bool {
        self.has_code(&["QueueDoesNotExist", "NonExistentQueue"])
    }

    /// Whether nobody listens there.
    pub(super) fn is_refused_connection(&self) -> bool {
        let root = self.0.cause.as_deref().map(|cause| root_of(cause));
        let refused = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused;
        root.and_then(|root| root.downcast_ref()).is_some_and(refused)
    }

    /// Whether the service took offence at a value, by Amazon's code in Query or in JSON. It stands for much.
    pub(crate) fn is_invalid_value(&self) -> bool {
        self.has_code(&["InvalidParameterValue", "InvalidParameterValueException"])
    }

    /// Whether the service named one of `codes`.
    pub(crate) fn has_code(&self, codes: &[&str]) -> bool {
        self.code().is_some_and(|code| codes.contains(&bare_code(code)))
    }
}

/// A code without the prefix that Query's codes have (`AWS.SimpleQueueService.`) and some servers keep in JSON.
pub(crate) fn bare_code(code: &str) -> &str {
    code.rsplit('.').next().unwrap_or(code)
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // It has no code, and the words begin with the status.
            ErrorKind::Service { code, message, .. } if code == UNREADABLE && !message.is_empty() => {
                f.write_str(message)
            }
            ErrorKind::Service { status, code, message } if message.is_empty() => write!(f, "{code} (HTTP {status})"),
            ErrorKind::Service { status, code, message } => write!(f, "{code} (HTTP {status}): {message}"),
            ErrorKind::Unreachable(why) => write!(f, "no connection: {why}"),
            ErrorKind::Insecure(why) => write!(f, "no secure connection: {why}"),
            ErrorKind::Broken(why) => write!(f, "the connection broke: {why}"),
            ErrorKind::TimedOut(after) => write!(f, "no reply within {:?}", to_ms(*after)),
            ErrorKind::BadReply(why) => write!(f, "the reply can't be read as one of this service: {why}"),
            ErrorKind::BadRequest(why) => write!(f, "the request can't be written: {why}"),
            ErrorKind::NoCredentials(why) => write!(f, "no credentials to sign with: {why}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { endpoint, action, queue, attempts, kind, hint, .. } = &*self.0;
        match queue {
            Some(queue) => write!(f, "{action} of `{queue}` at {endpoint}: ")?,
            None => write!(f, "{action} at {endpoint}: ")?,
        }
        write!(f, "{kind}")?;
        if *attempts > 1 {
            write!(f, " (tried {attempts} times)")?;
        }
        hint_for(self).map_or(Ok(()), |hint| f.write_str(hint))?;
        hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { endpoint, action, attempts, kind, .. } = &*self.0;
        f.debug_struct("Error")
            .field("endpoint", &endpoint.as_str())
            .field("action", action)
            .field("attempts", attempts)
            .field("kind", kind)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // The display tells the whole chain already, so the cause's own cause comes next.
        self.0.cause.as_deref().and_then(|cause| cause.source())
    }
}

/// One attempt's failure, before it is known which call it belongs to.
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(super) cause: Option<Cause>,
}

impl From<ErrorKind> for Failure {
    fn from(kind: ErrorKind) -> Failure {
        Failure { kind, cause: None }
    }
}

impl Failure {
    pub(super) fn unreachable(cause: impl Into<Cause>) -> Failure {
        Failure::caused(ErrorKind::Unreachable, cause.into())
    }

    pub(super) fn broken(cause: impl Into<Cause>) -> Failure {
        Failure::caused(ErrorKind::Broken, cause.into())
    }

    /// [`broken`](Failure::broken), in these words.
    pub(super) fn broken_by(why: &str, cause: impl Into<Cause>) -> Failure {
        Failure { kind: ErrorKind::Broken(why.to_owned()), cause: Some(cause.into()) }
    }

    #[cfg(feature = "tls")]
    pub(super) fn insecure(why: String, cause: impl Into<Cause>) -> Failure {
        Failure { kind: ErrorKind::Insecure(why), cause: Some(cause.into()) }
    }

    fn caused(kind: impl FnOnce(String) -> ErrorKind, cause: Cause) -> Failure {
        Failure { kind: kind(root_of(&*cause).to_string()), cause: Some(cause) }
    }
}

/// The innermost cause: "Connection refused" rather than "client error (Connect)".
fn root_of<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root
}

/// The client can't be made: a setting is missing or makes no sense. The message names the setting and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub(crate) String);
