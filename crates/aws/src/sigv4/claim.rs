//! What a request claims: the parts of a signature, before anything of it is believed.

use super::{ALGORITHM, TERMINATOR, canonical::decode, hex};
use crate::{
    Code, Error, Incoming,
    split::{cut, split},
};
use http::header::AUTHORIZATION;
use std::borrow::Cow;

/// A signature as the request has it.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    pub(super) form: Form,
    algorithm: Cow<'a, str>,
    credential: Option<Cow<'a, str>>,
    signed_headers: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    /// Presigned form: `X-Amz-Date`, `X-Amz-Expires` and `X-Amz-Security-Token`, as they stand there.
    pub(super) date: Option<Cow<'a, str>>,
    pub(super) expires: Option<Cow<'a, str>>,
    pub(super) token: Option<Cow<'a, str>>,
}

/// Where a signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query string.
    Presigned,
}

/// A credential taken apart: `AKID/20150830/us-east-1/sqs/aws4_request`.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) access_key_id: &'a str,
    /// `YYYYMMDD`
    pub(super) date: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    /// All of it but the access key id.
    pub(super) text: &'a str,
}

impl<'a> Claim<'a> {
    /// The request's claim; `None` where nothing looks like one.
    pub(super) fn of(incoming: &Incoming<'a>) -> Option<Claim<'a>> {
        if let Some(value) = incoming.headers.get(AUTHORIZATION) {
            return Some(Claim::of_header(std::str::from_utf8(value.as_bytes()).unwrap_or_default()));
        }
        let query = incoming.uri.query()?;
        query.contains("X-Amz-").then(|| Claim::of_query(query)).filter(|claim| !claim.algorithm.is_empty())
    }

    fn of_header(value: &'a str) -> Claim<'a> {
        let (algorithm, parameters) = cut(value.trim(), b' ').unwrap_or((value.trim(), ""));
        let mut claim = Claim::empty(Form::Header, Cow::Borrowed(algorithm));
        for parameter in split(parameters, b',') {
            let Some((name, value)) = cut(parameter.trim(), b'=') else { continue };
            let value = Some(Cow::Borrowed(value));
            match name {
                "Credential" => claim.credential = value,
                "SignedHeaders" => claim.signed_headers = value,
                "Signature" => claim.signature = value,
                _ => {}
            }
        }
        claim
    }

    fn of_query(query: &'a str) -> Claim<'a> {
        let mut claim = Claim::empty(Form::Presigned, Cow::Borrowed(""));
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !name.starts_with("X-Amz-") {
                continue;
            }
            let Ok(value) = decode_text(value) else { continue };
            match name {
                "X-Amz-Algorithm" => claim.algorithm = value,
                "X-Amz-Credential" => claim.credential = Some(value),
                "X-Amz-SignedHeaders" => claim.signed_headers = Some(value),
                "X-Amz-Signature" => claim.signature = Some(value),
                "X-Amz-Date" => claim.date = Some(value),
                "X-Amz-Expires" => claim.expires = Some(value),
                "X-Amz-Security-Token" => claim.token = Some(value),
                _ => {}
            }
        }
        claim
    }

    fn empty(form: Form, algorithm: Cow<'a, str>) -> Claim<'a> {
        Claim {
            form,
            algorithm,
            credential: None,
            signed_headers: None,
            signature: None,
            date: None,
            expires: None,
            token: None,
        }
    }

    /// The credential's parts. An access key id may have slashes in it, the rest not.
    pub(super) fn scope(&self) -> Result<Scope<'_>, Error> {
        let credential = self.part(self.credential.as_deref(), "Credential")?;
        let malformed = || {
            let message = format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
            );
            Error::new(Code::IncompleteSignature, message)
        };
        let mut access_key_id = credential;
        let mut next = || {
            let at = memchr::memrchr(b'/', access_key_id.as_bytes()).ok_or_else(malformed)?;
            let part = &access_key_id[at + 1..];
            access_key_id = &access_key_id[..at];
            Ok(part)
        };
        let (terminator, service, region, date) = (next()?, next()?, next()?, next()?);
        if terminator != TERMINATOR {
            let message =
                format!("Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'.");
            return Err(Error::new(Code::SignatureDoesNotMatch, message));
        }
        if access_key_id.is_empty() || date.is_empty() || region.is_empty() || service.is_empty() {
            return Err(malformed());
        }
        Ok(Scope { access_key_id, date, region, service, text: &credential[access_key_id.len() + 1..] })
    }

    /// The names of the headers that are signed.
    pub(super) fn signed_headers(&self) -> Result<&str, Error> {
        self.part(self.signed_headers.as_deref(), "SignedHeaders")
    }

    /// The signature's 32 bytes.
    pub(super) fn signature(&self) -> Result<[u8; 32], Error> {
        let text = self.part(self.signature.as_deref(), "Signature")?;
        text.as_bytes().try_into().ok().and_then(hex::decode).ok_or_else(super::verify::does_not_match)
    }

    /// That the algorithm is the one there is.
    pub(super) fn check_algorithm(&self) -> Result<(), Error> {
        if self.algorithm == ALGORITHM {
            return Ok(());
        }
        let message = format!("Unsupported AWS 'algorithm': '{}'.", self.algorithm);
        Err(Error::new(Code::IncompleteSignature, message))
    }

    fn part<'p>(&self, part: Option<&'p str>, name: &str) -> Result<&'p str, Error> {
        part.ok_or_else(|| {
            let message = match self.form {
                Form::Header => format!("Authorization header requires '{name}' parameter."),
                Form::Presigned => format!("AWS query-string parameters must include 'X-Amz-{name}'."),
            };
            Error::new(Code::IncompleteSignature, message)
        })
    }
}

fn decode_text(raw: &str) -> Result<Cow<'_, str>, std::string::FromUtf8Error> {
    match decode(raw.as_bytes()) {
        Cow::Borrowed(_) => Ok(Cow::Borrowed(raw)),
        Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned),
    }
}
