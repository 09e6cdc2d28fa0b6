//! Queue URLs: building ours, reading everybody's.

use crate::caller::Caller;
use afterward_aws::{
    Code, Error,
    split::{cut, split},
};
use afterward_names::{AccountId, QueueAddress, QueueName, Region};
use http::{HeaderMap, header::HOST};

/// The address that the client knows this server by: the beginning of every queue URL in its replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin(String);

impl Origin {
    /// From the `Host` header, and `x-forwarded-proto` where a proxy in front speaks TLS. Both are the client's to
    /// choose: what comes of them goes back to that client alone, and is kept nowhere.
    pub(crate) fn of(headers: &HeaderMap) -> Origin {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let https = text("x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
        let host = text(HOST.as_str()).filter(|host| is_host(host)).unwrap_or("127.0.0.1:4566");
        Origin(format!("{}://{host}", if https { "https" } else { "http" }))
    }

    /// The URL of a path here, which starts with a slash.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// A queue's URL: `http://HOST/ACCOUNT/NAME`.
    pub(crate) fn queue_url(&self, account: AccountId, name: &QueueName) -> String {
        format!("{}/{account}/{name}", self.0)
    }
}

/// Whether the text can stand as host and port of a URL.
fn is_host(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    !text.is_empty() && text.len() <= 300 && text.bytes().all(fits)
}

/// What a queue URL says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said<'a> {
    region: Option<&'a str>,
    account: Option<&'a str>,
    name: &'a str,
}

/// Reads a queue URL of any shape that SQS has had, a path, or a bare name:
///
/// - `http://HOST/ACCOUNT/NAME`, as ours are, and `/ACCOUNT/NAME`, the path of a Query call;
/// - `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`, `https://REGION.queue.amazonaws.com/ACCOUNT/NAME` and
///   `https://queue.amazonaws.com/ACCOUNT/NAME` (us-east-1);
/// - `…/queue/NAME` and `…/queue/REGION/ACCOUNT/NAME`, as other local servers write them;
/// - `NAME`.
fn read(url: &str) -> Option<Said<'_>> {
    let (host, path) = match url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) {
        Some(rest) => cut(rest, b'/')?,
        None if url.contains("://") => return None,
        None => ("", url),
    };
    let mut path = path;
    while let Some(rest) = path.strip_prefix('/').or_else(|| path.strip_suffix('/')) {
        path = rest;
    }
    let mut parts = split(path, b'/');
    let said = match (parts.next()?, parts.next(), parts.next(), parts.next()) {
        ("queue", Some(region), Some(account), Some(name)) => {
            Said { region: Some(region), account: Some(account), name }
        }
        ("queue", Some(name), None, None) => Said { region: None, account: None, name },
        (account, Some(name), None, None) => Said { region: None, account: Some(account), name },
        (name, None, None, None) => Said { region: None, account: None, name },
        _ => return None,
    };
    let ended = parts.next().is_none() && !said.name.is_empty();
    ended.then(|| Said { region: said.region.or_else(|| region_of_host(host)), ..said })
}

/// The region that an Amazon host name, or one made after it, names.
fn region_of_host(host: &str) -> Option<&str> {
    let mut labels = split(host, b'.');
    match (labels.next()?, labels.next()?, labels.next()?) {
        ("queue", "amazonaws", _) => Some("us-east-1"),
        ("sqs", "amazonaws", _) => Some("us-east-1"),
        ("sqs", region, _) | (region, "queue", "amazonaws") if is_region(region) => Some(region),
        _ => None,
    }
}

/// Whether the label reads as a region does: `eu-central-1`.
fn is_region(label: &str) -> bool {
    let mut words = label.split('-');
    let first = words.next().unwrap_or_default();
    let last = words.next_back().unwrap_or_default();
    first.len() >= 2 && !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit())
}

/// The address of the queue that a caller means by a URL. Who signs sees their own account and region only; who does
/// not sign is taken at the URL's word.
///
/// # Errors
/// `InvalidAddress` for what is no queue URL, `QueueDoesNotExist` for other people's queues and impossible names.
pub(crate) fn resolve(url: &str, caller: &Caller) -> Result<QueueAddress, Error> {
    let said = read(url).ok_or_else(|| {
        Error::new(Code::InvalidAddress, format!("The address {url} is not valid for this endpoint."))
    })?;
    let no_queue = |_| Error::queue_does_not_exist();
    let name: QueueName = said.name.parse().map_err(|_| Error::queue_does_not_exist())?;
    let account: Option<AccountId> =
        said.account.map(str::parse).transpose().map_err(|_| Error::queue_does_not_exist())?;
    let region: Option<Region> = said.region.map(str::parse).transpose().map_err(|_| Error::queue_does_not_exist())?;
    let account = agreed(account, caller.signed_account()).map_err(no_queue)?;
    let region = agreed(region, caller.signed_region().cloned()).map_err(no_queue)?;
    Ok(QueueAddress { account: account.unwrap_or(AccountId::DEFAULT), region: region.unwrap_or_default(), name })
}

/// What the URL and the signature say, if they don't contradict each other.
fn agreed<T: PartialEq>(by_url: Option<T>, by_signature: Option<T>) -> Result<Option<T>, ()> {
    match (by_url, by_signature) {
        (Some(url), Some(signature)) if url != signature => Err(()),
        (url, signature) => Ok(signature.or(url)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_queue_url_is_read() {
        for (url, region, account, name) in [
            ("http://127.0.0.1:4566/000000000000/jobs", None, Some("000000000000"), "jobs"),
            ("http://localhost/123456789012/jobs.fifo", None, Some("123456789012"), "jobs.fifo"),
            ("https://sqs.eu-west-1.amazonaws.com/123456789012/jobs", Some("eu-west-1"), Some("123456789012"), "jobs"),
            ("https://sqs.cn-north-1.amazonaws.com.cn/1/jobs", Some("cn-north-1"), Some("1"), "jobs"),
            ("https://eu-west-1.queue.amazonaws.com/1/jobs", Some("eu-west-1"), Some("1"), "jobs"),
            ("https://queue.amazonaws.com/1/jobs", Some("us-east-1"), Some("1"), "jobs"),
            ("http://sqs.us-west-2.local.test:4566/1/jobs", Some("us-west-2"), Some("1"), "jobs"),
            ("http://localhost:4566/queue/jobs", None, None, "jobs"),
            ("http://localhost:4566/queue/eu-west-1/1/jobs", Some("eu-west-1"), Some("1"), "jobs"),
            ("/123456789012/jobs", None, Some("123456789012"), "jobs"),
            ("123456789012/jobs", None, Some("123456789012"), "jobs"),
            ("/queue/jobs/", None, None, "jobs"),
            ("jobs", None, None, "jobs"),
            ("http://localhost:4566/jobs", None, None, "jobs"),
        ] {
            assert_eq!(read(url), Some(Said { region, account, name }), "{url}");
        }
        for bad in
            ["", "/", "http://localhost", "http://localhost/", "ftp://h/1/jobs", "a/b/c", "queue/a/b", "a/b/c/d/e"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn hosts_that_could_not_stand_in_a_url_are_not_repeated() {
        for (host, forwarded, origin) in [
            ("localhost:4566", "", "http://localhost:4566"),
            ("[::1]:4566", "", "http://[::1]:4566"),
            ("queues.example", "https", "https://queues.example"),
            ("queues.example", "javascript", "http://queues.example"),
            ("evil/\"<script>", "", "http://127.0.0.1:4566"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().unwrap());
            headers.insert("x-forwarded-proto", forwarded.parse().unwrap());
            assert_eq!(Origin::of(&headers).join(""), origin, "{host}");
        }
    }
}
