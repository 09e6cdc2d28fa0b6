//! An HTTP request.

use super::{invalid_input, url};
use crate::{InvalidDefinition, TargetDefinition, placeholders::Placeholders};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is requested. Keywords may still stand in address, header values and body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HttpTarget {
    method: Method,
    url: String,
    headers: Vec<(HeaderName, String)>,
    /// `None`: the default notification.
    body: Option<String>,
}

/// A request that can be made.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Request {
    /// Where it goes: scheme, host and port, written alike however the URL does.
    pub(crate) fn host(&self) -> String {
        let scheme = self.url.scheme_str().unwrap_or_default();
        let port = self.url.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        let host = self.url.host().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        format!("{scheme}://{host}:{port}")
    }
}

/// The input of `afterward:http`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Described {
    url: String,
    method: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<serde_json::Value>,
}

/// What the connection sets, and a schedule can't.
const OURS: [HeaderName; 6] =
    [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::UPGRADE, header::TE];

impl HttpTarget {
    /// The target's ARN is the URL: a POST of the input.
    pub(super) fn at_url(definition: &TargetDefinition) -> Result<HttpTarget, InvalidDefinition> {
        let body = definition.input.clone();
        let target = HttpTarget { method: Method::POST, url: definition.arn.clone(), headers: Vec::new(), body };
        target.checked().map_err(|_| InvalidDefinition::Target(url::without_user(&definition.arn)))
    }

    /// The input describes the request: `{"Url": …, "Method": …, "Headers": {…}, "Body": …}`. A body that is a string is
    /// sent as it is, anything else as JSON.
    pub(super) fn described(definition: &TargetDefinition) -> Result<HttpTarget, InvalidDefinition> {
        let wrong = |why: String| invalid_input(definition, why);
        let input = definition.input.as_deref().unwrap_or_default();
        let Described { url, method, headers, body } = serde_json::from_str(input).map_err(|error| {
            wrong(format!("it is not JSON of the form {{\"Url\", \"Method\", \"Headers\", \"Body\"}}: {error}"))
        })?;
        let method = match method {
            Some(text) => text.parse().map_err(|_| wrong(format!("{text} is not an HTTP method")))?,
            None => Method::POST,
        };
        if method == Method::CONNECT {
            return Err(wrong("the method CONNECT makes no request".into()));
        }
        let headers = headers
            .into_iter()
            .map(|(name, value)| match name.parse() {
                Ok(name) if OURS.contains(&name) => Err(wrong(format!("the header {name} can't be set"))),
                Ok(name) => Ok((name, value)),
                Err(_) => Err(wrong(format!("{name} is not the name of a header"))),
            })
            .collect::<Result<_, _>>()?;
        let body = match body {
            None => Some(String::new()),
            Some(serde_json::Value::String(text)) => Some(text),
            Some(json) => Some(json.to_string()),
        };
        HttpTarget { method, url, headers, body }.checked().map_err(wrong)
    }

    /// The same, if it makes a request.
    fn checked(self) -> Result<HttpTarget, String> {
        self.request(&Placeholders::any(), "{}")?;
        Ok(self)
    }

    /// The host of its requests, where its keywords stand for something or other.
    pub(crate) fn any_host(&self) -> Option<String> {
        let request = self.request(&Placeholders::any(), "{}").ok()?;
        request.url.host().map(str::to_owned)
    }

    /// The request with what its keywords stand for; `notification` is its body where none was given.
    ///
    /// # Errors
    /// Address or header values are none; what is wrong.
    pub(crate) fn request(&self, placeholders: &Placeholders, notification: &str) -> Result<Request, String> {
        let text = placeholders.fill(&self.url);
        if url::holds_user(&text) {
            return Err("a URL may not hold a user or password; set the header Authorization".into());
        }
        let told = || url::without_user(&text);
        let url: Uri = text.parse().map_err(|error| format!("{} is not a URL: {error}", told()))?;
        let host = url.host().unwrap_or_default();
        if !matches!(url.scheme_str(), Some("http" | "https")) || host.is_empty() {
            return Err(format!("{} is not a URL that begins with http:// or https://", told()));
        }
        // Whoever parses it takes any text for a port, and calls the default one where it is no number.
        let port = url.authority().and_then(|authority| authority.as_str().strip_prefix(host)).unwrap_or_default();
        if !matches!(port, "" | ":") && url.port_u16().is_none() {
            return Err(format!("{} is not a URL: its port is not a number up to 65535", told()));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let value = HeaderValue::from_str(&placeholders.fill(value))
                .map_err(|_| format!("the value of the header {name} has a character that can't be sent"))?;
            headers.append(name, value);
        }
        let body = self.body.as_deref().map_or_else(|| notification.to_owned(), |body| placeholders.fill(body));
        if !body.is_empty() && !headers.contains_key(header::CONTENT_TYPE) {
            let json = serde_json::from_str::<serde::de::IgnoredAny>(&body).is_ok();
            let kind = if json { "application/json" } else { "text/plain; charset=utf-8" };
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        Ok(Request { method: self.method.clone(), url, headers, body })
    }
}
