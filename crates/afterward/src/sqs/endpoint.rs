//! Where the service is.

use super::SettingsError;
use http::Uri;
use std::{fmt, str::FromStr, sync::Arc};

/// Where a service listens: `http` or `https`, host, port, and perhaps a path before which everything stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// As shown, without a slash at the end.
    text: Arc<str>,
    host: Arc<str>,
    tls: bool,
}

impl Endpoint {
    /// The local server's address unless set otherwise.
    pub const DEFAULT: &'static str = "http://127.0.0.1:4566";

    /// Amazon SQS itself in a region.
    pub fn amazon(region: &str) -> Result<Endpoint, SettingsError> {
        Endpoint::amazon_service("sqs", region)
    }

    /// Another of Amazon's services in a region.
    pub(crate) fn amazon_service(service: &str, region: &str) -> Result<Endpoint, SettingsError> {
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://{service}.{region}.{domain}").parse()
    }

    /// Whether this is Amazon itself.
    pub(crate) fn is_amazon(&self) -> bool {
        self.amazon_region().is_some()
    }

    /// The endpoint of a queue's URL, and the URL's path: `http://127.0.0.1:4566` and `/000000000000/jobs`.
    pub(crate) fn of_queue_url(url: &str) -> Result<(Endpoint, String), SettingsError> {
        let not_a_queue_url = || {
            let like = "http://127.0.0.1:4566/000000000000/jobs";
            SettingsError(format!(
                "`{url}` is not a queue's URL, such as {like}; Queue::named finds a queue by its name, and a server's address \
                 goes into AFTERWARD_URL"
            ))
        };
        let uri: Uri = url.parse().map_err(|_| not_a_queue_url())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(not_a_queue_url());
        };
        // How a path names a queue is its server's business, but without one there is none.
        if uri.path().split('/').all(str::is_empty) {
            return Err(not_a_queue_url());
        }
        Ok((format!("{scheme}://{authority}").parse()?, uri.path().to_owned()))
    }

    /// Where a setting has the URL of a queue in place of its server's address: that address. By the shape that Amazon's
    /// queue URLs have, an account's twelve digits and a name, and only where nobody can have meant that as a path: at
    /// Amazon, and with the account that local servers have.
    pub(super) fn of_mistaken_queue_url(&self) -> Option<String> {
        let (rest, name) = self.text.rsplit_once('/')?;
        let (address, account) = rest.rsplit_once('/')?;
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let is_meant = account.bytes().all(|b| b == b'0') || self.is_amazon();
        let is_whole = address.split_once("://").is_some_and(|(_, host)| !host.contains('/'));
        (is_account && is_meant && is_whole && !name.is_empty()).then(|| address.to_owned())
    }

    /// The address as text, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is this very machine, by its loopback addresses or as `localhost`.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    }

    /// Whether connections are encrypted.
    pub(super) fn is_tls(&self) -> bool {
        self.tls
    }

    /// The region that an Amazon host name spells, in any of SQS's shapes of it: `sqs.eu-west-1.amazonaws.com`,
    /// `eu-west-1.queue.amazonaws.com`, `queue.amazonaws.com` (which is us-east-1), VPC endpoints.
    pub(super) fn amazon_region(&self) -> Option<&str> {
        if !self.host.ends_with(".amazonaws.com") && !self.host.ends_with(".amazonaws.com.cn") {
            return None;
        }
        let looks_like_a_region = |label: &&str| {
            label.matches('-').count() >= 2
                && label.ends_with(|c: char| c.is_ascii_digit())
                && label.len() <= 20
                && !label.starts_with("vpce-")
        };
        self.host.split('.').find(looks_like_a_region).or(Some("us-east-1"))
    }

    /// The URI of a path (with its query) at this endpoint. `path_and_query` starts with `/`.
    pub(super) fn uri(&self, path_and_query: &str) -> Result<Uri, http::uri::InvalidUri> {
        format!("{}{path_and_query}", self.text).parse()
    }
}

impl FromStr for Endpoint {
    type Err = SettingsError;

    /// Reads an address; one without a scheme is `http`.
    fn from_str(text: &str) -> Result<Endpoint, SettingsError> {
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = full.parse().map_err(|_| not_a_url(text))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(not_a_url(text)),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| not_a_url(text))?;
        if uri.query().is_some() {
            return Err(not_a_url(text));
        }
        Ok(Endpoint { host: Arc::from(host), tls, text: Arc::from(full.trim_end_matches('/')) })
    }
}

fn not_a_url(text: &str) -> SettingsError {
    SettingsError(format!("`{text}` is not an address of a service, such as {}", Endpoint::DEFAULT))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_or_without_its_scheme_and_slash() {
        for (text, shown, tls) in [
            ("http://127.0.0.1:4566", "http://127.0.0.1:4566", false),
            ("http://127.0.0.1:4566/", "http://127.0.0.1:4566", false),
            ("localhost:9324", "http://localhost:9324", false),
            ("https://sqs.eu-west-1.amazonaws.com", "https://sqs.eu-west-1.amazonaws.com", true),
            ("http://proxy/sqs/", "http://proxy/sqs", false),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.as_str(), endpoint.is_tls()), (shown, tls), "{text}");
        }
        for bad in ["", "ftp://host", "http://", "http://a b", "http://host/?x=1"] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for (text, loopback) in [
            ("http://127.0.0.1:1", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:4566", true),
            ("http://localhost:4566", true),
            ("http://sqs.localhost", true),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().is_loopback(), loopback, "{text}");
        }
    }

    #[test]
    fn amazon_hosts_spell_their_region() {
        for (text, region) in [
            ("https://sqs.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("https://eu-west-1.queue.amazonaws.com", Some("eu-west-1")),
            ("https://queue.amazonaws.com", Some("us-east-1")),
            ("https://sqs.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("https://vpce-0a1b2c-3d4e5f6.sqs.ap-southeast-2.vpce.amazonaws.com", Some("ap-southeast-2")),
            ("https://sqs.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("http://127.0.0.1:4566", None),
            ("https://sqs.eu-west-1.example.com", None),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().amazon_region(), region, "{text}");
        }
    }

    #[test]
    fn a_queue_url_holds_its_endpoint() {
        let (endpoint, path) = Endpoint::of_queue_url("http://127.0.0.1:4566/000000000000/jobs").unwrap();
        assert_eq!((endpoint.as_str(), path.as_str()), ("http://127.0.0.1:4566", "/000000000000/jobs"));
        let error = Endpoint::of_queue_url("jobs").unwrap_err().to_string();
        assert!(error.contains("Queue::named"), "{error}");
        for without_a_queue in
            ["http://127.0.0.1:4777", "http://h:1/", "http://h//", "http://h/?x=1", "/000000000000/jobs"]
        {
            let error = Endpoint::of_queue_url(without_a_queue).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{without_a_queue}` is not a queue's URL")), "{error}");
            assert!(error.contains("AFTERWARD_URL"), "{error}");
        }
        for of_others in
            ["http://h/jobs", "http://h/queue/jobs", "https://h/v1/1/2/jobs", "http://h/000000000000/jobs/"]
        {
            assert!(Endpoint::of_queue_url(of_others).is_ok(), "{of_others}");
        }
    }

    #[test]
    fn a_queue_url_in_place_of_an_address_is_known() {
        for (text, address) in [
            ("http://h:1/000000000000/mine", Some("http://h:1")),
            ("http://h:1/000000000000/mine/", Some("http://h:1")),
            ("https://sqs.eu-west-1.amazonaws.com/123456789012/mine", Some("https://sqs.eu-west-1.amazonaws.com")),
            ("https://proxy/123456789012/sqs", None),
            ("https://proxy/sqs/000000000000/mine.fifo", None),
            ("http://h:1", None),
            ("http://proxy/sqs", None),
            ("http://proxy/sqs/v1", None),
            ("http://proxy/123456789012", None),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.of_mistaken_queue_url().as_deref(), address, "{text}");
        }
    }
}
