//! Objects by PUT, GET and DELETE: S3, what speaks as it does, and any plain HTTP server that keeps what it is given.
//!
//! Requests are signed for the service `s3` where there are keys; a plain server ignores that, and one on this machine needs
//! none. Of S3 nothing else is needed, so there is no client of it here.

use super::{ClaimCheck, Storing, key::sha256, location::ObjectLocation};
use crate::{
    Cause,
    sqs::{self, Endpoint, Environment, ErrorKind, Keys, SettingsError, service::Call, service::Service},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::time::Duration;

const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// A large payload takes longer than a message.
const BODY_PATIENCE: Duration = Duration::from_secs(90);

pub(super) struct ObjectStore {
    service: Service,
    /// What stands before a key in a request's path; empty, or starts with a slash.
    base: String,
    url: String,
}

impl ObjectStore {
    /// The store at this place. Amazon's S3 is reached with the keys of a client of Amazon's; otherwise keys are found as a
    /// client's are, and a plain server for which there are none is sent unsigned requests.
    pub(super) fn open(at: ObjectLocation, client: &sqs::Client) -> Result<ObjectStore, SettingsError> {
        let variable = |name: &str| std::env::var(name).ok();
        let environment = Environment { variable: &variable };
        match at {
            ObjectLocation::Bucket { bucket, prefix } => {
                let url = format!("s3://{bucket}{prefix}");
                let (endpoint, base) = bucket_at(&bucket, &prefix, client.region(), &environment)?;
                let service = if endpoint.is_amazon() && client.endpoint().is_amazon() {
                    client.beside("s3", endpoint)?
                } else {
                    let keys = environment.keys(None, &endpoint)?;
                    client.beside_with("s3", endpoint, keys)?
                };
                Ok(ObjectStore { service, base, url })
            }
            ObjectLocation::Base { origin, path } => {
                let url = format!("{origin}{path}");
                let endpoint: Endpoint = origin.parse()?;
                let keys = environment.own_keys(None, &endpoint).unwrap_or(Keys::None);
                Ok(ObjectStore { service: client.beside_with("s3", endpoint, keys)?, base: path, url })
            }
        }
    }

    #[cfg(test)]
    pub(super) fn at(service: Service, base: String, url: String) -> ObjectStore {
        ObjectStore { service, base, url }
    }

    async fn call(&self, method: Method, key: &str, body: Bytes) -> Result<http::Response<Bytes>, sqs::Error> {
        let mut headers = HeaderMap::new();
        if method == Method::PUT {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Ok(digest) = HeaderValue::try_from(sha256(&body)) {
            headers.insert(CONTENT_SHA256, digest);
        }
        let (path, name) = (format!("{}/{key}", self.base), format!("{method} {}/{key}", self.base));
        let call = Call { name: &name, method, path_and_query: &path, headers, body, poll: BODY_PATIENCE };
        self.service
            .retried(&call, ErrorKind::is_transient, |reply| {
                if reply.status().is_success() { Ok(reply) } else { Err(refusal_of(&reply)) }
            })
            .await
    }
}

/// Where a bucket is: below the endpoint that the environment names, else at Amazon under a host name of its own.
fn bucket_at(
    bucket: &str,
    prefix: &str,
    region: &str,
    environment: &Environment<'_>,
) -> Result<(Endpoint, String), SettingsError> {
    if let Some(address) = environment.first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]) {
        return Ok((address.parse()?, format!("/{bucket}{prefix}")));
    }
    if bucket.contains('.') {
        // A certificate for `*.s3…` does not cover a name with another dot.
        return Ok((Endpoint::amazon_service("s3", region)?, format!("/{bucket}{prefix}")));
    }
    Ok((Endpoint::amazon_service(&format!("{bucket}.s3"), region)?, prefix.to_owned()))
}

impl ClaimCheck for ObjectStore {
    fn url(&self) -> &str {
        &self.url
    }

    fn put<'a>(&'a self, key: &'a str, payload: Bytes) -> Storing<'a, ()> {
        Box::pin(async move {
            self.call(Method::PUT, key, payload).await?;
            Ok(())
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> Storing<'a, Option<Bytes>> {
        Box::pin(async move {
            match self.call(Method::GET, key, Bytes::new()).await {
                Ok(reply) => Ok(Some(reply.into_body())),
                Err(error) if is_missing(&error) => Ok(None),
                Err(error) => Err(Cause::from(error)),
            }
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> Storing<'a, ()> {
        Box::pin(async move {
            match self.call(Method::DELETE, key, Bytes::new()).await {
                Err(error) if !is_missing(&error) => Err(Cause::from(error)),
                _ => Ok(()),
            }
        })
    }
}

/// Whether there is no such object. That there is no such bucket is another matter.
fn is_missing(error: &sqs::Error) -> bool {
    matches!(error.status(), Some(404 | 410)) && !error.has_code(&["NoSuchBucket"])
}

/// An error as S3 writes it, in XML; of what answers otherwise, its first words.
fn refusal_of(reply: &http::Response<Bytes>) -> ErrorKind {
    let text = String::from_utf8_lossy(reply.body());
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(inside, _)| inside.to_owned())
    };
    let status = reply.status();
    let code = element("Code").unwrap_or_else(|| status.canonical_reason().unwrap_or("unknown status").to_owned());
    let message = element("Message").unwrap_or_else(|| text.chars().take(200).collect());
    ErrorKind::Service { status: status.as_u16(), code, message }
}
