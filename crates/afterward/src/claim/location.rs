//! Where a store is, as its URL says.

use crate::sqs::SettingsError;
use http::Uri;
use percent_encoding::percent_decode_str;
use std::{path::PathBuf, str::FromStr};

/// A store's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Location {
    Directory(PathBuf),
    Object(ObjectLocation),
}

/// Where objects are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ObjectLocation {
    /// `prefix` is empty or starts with a slash.
    Bucket { bucket: String, prefix: String },
    /// Scheme, host and port; the path is empty or starts with a slash.
    Base { origin: String, path: String },
}

impl FromStr for Location {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Location, SettingsError> {
        let url = text.trim_end_matches('/');
        if let Some(path) = url.strip_prefix("file://") {
            return directory(text, path);
        }
        if let Some(rest) = text.strip_prefix("s3://") {
            let rest = rest.trim_end_matches('/');
            let (bucket, prefix) = rest.split_once('/').map_or((rest, String::new()), |(b, p)| (b, format!("/{p}")));
            if bucket.is_empty() {
                return Err(refused(text, "it names no bucket"));
            }
            if !is_bucket(bucket) {
                return Err(refused(text, "a bucket has 3 to 63 lower-case letters, digits, dots and hyphens"));
            }
            checked_path(text, &prefix)?;
            return Ok(Location::Object(ObjectLocation::Bucket { bucket: bucket.to_owned(), prefix }));
        }
        if url.starts_with("http://") || url.starts_with("https://") {
            let uri: Uri = url.parse().map_err(|_| refused(text, "it is not a URL"))?;
            let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
                return Err(refused(text, "it names no host"));
            };
            if uri.query().is_some() || authority.as_str().contains('@') {
                return Err(refused(text, "it can have no query and no user"));
            }
            let path = uri.path().trim_end_matches('/').to_owned();
            checked_path(text, &path)?;
            return Ok(Location::Object(ObjectLocation::Base { origin: format!("{scheme}://{authority}"), path }));
        }
        Err(refused(text, "it starts with none of file://, s3://, http:// and https://"))
    }
}

fn directory(text: &str, path: &str) -> Result<Location, SettingsError> {
    let path = path.strip_prefix("localhost").unwrap_or(path);
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return Err(refused(text, "a directory's URL is file:// and an absolute path"));
    }
    let decoded = percent_decode_str(path).decode_utf8().map_err(|_| refused(text, "the path is not text"))?;
    Ok(Location::Directory(PathBuf::from(decoded.into_owned())))
}

fn is_bucket(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    (3..=63).contains(&name.len()) && name.bytes().all(fits)
}

/// Signatures are made of paths in which nothing needs encoding.
fn checked_path(text: &str, path: &str) -> Result<(), SettingsError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let is_plain = |part: &str| !part.is_empty() && !matches!(part, "." | "..") && part.bytes().all(plain);
    if path.split('/').skip(1).all(is_plain) {
        return Ok(());
    }
    Err(refused(text, "its path can have letters, digits, `-`, `_` and `.` between the slashes"))
}

fn refused(text: &str, why: &str) -> SettingsError {
    SettingsError(format!(
        "`{text}` is not the URL of a claim-check store, such as file:///var/claims or s3://bucket/claims: {why}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_directory_a_bucket_or_a_base() {
        let bucket = |bucket: &str, prefix: &str| {
            Location::Object(ObjectLocation::Bucket { bucket: bucket.into(), prefix: prefix.into() })
        };
        let base = |origin: &str, path: &str| {
            Location::Object(ObjectLocation::Base { origin: origin.into(), path: path.into() })
        };
        for (url, location) in [
            ("file:///var/claims", Location::Directory("/var/claims".into())),
            ("file:///var/my%20claims/", Location::Directory("/var/my claims".into())),
            ("file://localhost/c", Location::Directory("/c".into())),
            ("s3://claims", bucket("claims", "")),
            ("s3://my.claims/a/b/", bucket("my.claims", "/a/b")),
            ("http://127.0.0.1:9000/bucket", base("http://127.0.0.1:9000", "/bucket")),
            ("https://host", base("https://host", "")),
        ] {
            assert_eq!(url.parse::<Location>().unwrap(), location, "{url}");
        }
        for (url, why) in
            [("s3://", "it names no bucket"), ("s3:///a", "it names no bucket"), ("s3://UP", "lower-case")]
        {
            let error = url.parse::<Location>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        for url in [
            "",
            "/var",
            "file://host/x",
            "file://x",
            "s3://",
            "s3://UP",
            "s3://abc/a b",
            "s3://abc/../x",
            "s3://abc//x",
            "ftp://x",
            "http://u:p@h/x",
            "http://h/x?y",
        ] {
            let error = url.parse::<Location>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{url}` is not the URL of a claim-check store")), "{error}");
        }
    }
}
