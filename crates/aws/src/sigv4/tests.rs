use super::*;
use crate::{Code, Error};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// 2015-08-30T12:36:00Z
const NOW_MS: u64 = 1_440_938_160_000;

fn credential(session_token: Option<&str>) -> Credential {
    Credential {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: SECRET.into(),
        session_token: session_token.map(str::to_owned),
    }
}

struct Owned {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Owned {
    fn new(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Owned {
        let headers = headers.iter().map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        });
        Owned {
            method: method.parse().unwrap(),
            uri: target.parse().unwrap(),
            headers: headers.collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn signed(method: &str, target: &str, body: &str) -> Owned {
        let mut request = Owned::new(method, target, &[("host", "localhost:4566")], body);
        let signer = Signer::new(credential(None), "us-east-1", "sqs");
        signer.sign(&request.method, &request.uri, &mut request.headers, &request.body, NOW_MS);
        request
    }

    fn set(mut self, name: &'static str, value: &str) -> Owned {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    fn without(mut self, name: &str) -> Owned {
        self.headers.remove(name);
        self
    }

    /// With a part of the authorization replaced.
    fn change(mut self, from: &str, to: &str) -> Owned {
        let value = self.headers["authorization"].to_str().unwrap();
        assert!(value.contains(from), "{from} is in {value}");
        let changed = value.replace(from, to);
        self.headers.insert("authorization", changed.parse().unwrap());
        self
    }

    fn incoming(&self) -> Incoming<'_> {
        Incoming { method: &self.method, uri: &self.uri, headers: &self.headers, body: &self.body }
    }

    fn verify(&self, verifier: &Verifier, now_ms: u64) -> Result<Caller, Error> {
        verifier.verify(&self.incoming(), Some("sqs"), now_ms)
    }
}

/// Method, target, host, one more header, body, session token, then what botocore's signer makes of them for `sqs` in
/// `us-east-1`: the signed headers and the signature.
type Vector = (
    &'static str,
    &'static str,
    &'static str,
    (&'static str, &'static str),
    &'static str,
    Option<&'static str>,
    &'static str,
    &'static str,
);

const NONE: (&str, &str) = ("user-agent", "any");
const HOST: &str = "example.amazonaws.com";
const DATE: &str = "host;x-amz-date";
const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLE==";

#[rustfmt::skip]
const VECTORS: &[Vector] = &[
    ("GET", "/", HOST, NONE, "", None, DATE, "f16e146564dc40259ba28da018cc9817eaab385660561fa19df707852a00ae28"),
    ("POST", "/", HOST, NONE, "", None, DATE, "da00ce70e3c136ce1fafd65b15405b01716c482ff8d2cacd0874c624bc33b817"),
    ("GET", "/?Param2=value2&Param1=value1", HOST, NONE, "", None, DATE, "155abdbc0b06752740a06fc715081a35217e2de9fe00fed0235cbc72693754df"),
    ("GET", "/?Param1=value2&Param1=Value1&Param=", HOST, NONE, "", None, DATE, "33b94734e12176fc276346cc49b65453a5f2d9a6daa514849fba46c73cd06de5"),
    ("GET", "/?flag", HOST, NONE, "", None, DATE, "6ca30633bc7cbc7d08d00438e4ceedf14d5f36f7598b67a8a64ed6378fe14032"),
    ("GET", "/?-._~0123456789ABCxyz=%C3%A9%20%2B%2F%3D", HOST, NONE, "", None, DATE, "4588c332e8a1a8da0a3342323e5c7de60bf0c97f1b1dd5b72494a7e336b387c1"),
    ("GET", "/a/b/c", HOST, NONE, "", None, DATE, "7123bb131458d25c9268c6a3c344550715d1d21be0bdfa905c56819fb2ea233f"),
    ("GET", "/a/", HOST, NONE, "", None, DATE, "8a87faf21dc75c544adc2a9760c24df721f9a5f445170f9b676c9e4827cd8f02"),
    ("GET", "//a//b/./c/../d", HOST, NONE, "", None, DATE, "0acc398f8c36455a7d68f779a7015e63f717365228e424d80df6b473b6215908"),
    ("GET", "/a%20b/%E1%88%B4", HOST, NONE, "", None, DATE, "0f51656e7dd2b35456be3ef157dee8dcda1e56a5f92db8cbb9800f4bbc8babdd"),
    ("GET", "/-._~0123456789ABCxyz", HOST, NONE, "", None, DATE, "2e4ae2f8f3a8d6abf93dfe8b1ceec22bbc838fd3ecb49d8491168fb223047699"),
    ("POST", "/", HOST, ("content-type", "application/x-www-form-urlencoded"), "Param1=value1", None, "content-type;host;x-amz-date", "54c2f120d3edbabb48378dc68da1328aa77e8e3b4378d006ec5eb6f2b3ee4272"),
    ("POST", "/", HOST, ("x-amz-meta", "  a   b  c  "), "", None, "host;x-amz-date;x-amz-meta", "a7111f4aa4dbb31c66ddc75a9c445952183c0f4e615e9b3f26cec1e5012566bd"),
    ("POST", "/", HOST, NONE, "x", Some(TOKEN), "host;x-amz-date;x-amz-security-token", "0a525d6490e7a96364565bfe0055a88f9f5b5117857500bddb679a2e068e9047"),
];

#[test]
fn the_signer_and_the_verifier_agree_with_another_signer() {
    for (method, target, host, (name, value), body, token, signed_headers, signature) in VECTORS {
        let mut request = Owned::new(method, target, &[("host", host), (name, value)], body);
        let signer = Signer::new(credential(*token), "us-east-1", "sqs");
        // The second time the key comes from the cache.
        for _ in 0..2 {
            signer.sign(&request.method, &request.uri, &mut request.headers, &request.body, NOW_MS);
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/sqs/aws4_request, \
                 SignedHeaders={signed_headers}, Signature={signature}"
            );
            assert_eq!(request.headers["authorization"], expected, "{method} {target} {name}: {value}");
            request.verify(&Verifier::new([credential(*token)]), NOW_MS).unwrap();
        }
    }
}

#[test]
fn the_host_is_the_uris_where_no_header_names_it() {
    for (uri, host) in [
        ("http://example.com:4566/a", "example.com:4566"),
        ("https://sqs.us-east-1.amazonaws.com/", "sqs.us-east-1.amazonaws.com"),
        ("https://example.com:443/", "example.com"),
        ("http://[::1]:80/", "[::1]"),
    ] {
        let (uri, mut headers): (Uri, _) = (uri.parse().unwrap(), HeaderMap::new());
        Signer::new(credential(None), "us-east-1", "sqs").sign(&Method::POST, &uri, &mut headers, b"", NOW_MS);
        assert_eq!(headers["host"], host);
    }
}

#[test]
fn what_is_wrong_with_a_signature_is_said_in_awss_words() {
    let verifier = Verifier::new([credential(None)]);
    let request = || Owned::signed("POST", "/", "body");
    request().verify(&verifier, NOW_MS).unwrap();
    let unlike = "The request signature we calculated does not match";
    for (request, code, words) in [
        (request().without("authorization"), Code::MissingAuthenticationToken, "missing Authentication Token"),
        (
            request().set("authorization", "Basic YTpi"),
            Code::IncompleteSignature,
            "Unsupported AWS 'algorithm': 'Basic'",
        ),
        (request().set("authorization", ""), Code::IncompleteSignature, "Unsupported"),
        (request().change("Credential=", "C="), Code::IncompleteSignature, "requires 'Credential' parameter"),
        (request().change("SignedHeaders=", "S="), Code::IncompleteSignature, "requires 'SignedHeaders' parameter"),
        (request().change("Signature=", "S="), Code::IncompleteSignature, "requires 'Signature' parameter"),
        (request().change("/us-east-1", ""), Code::IncompleteSignature, "exactly 5 slash-delimited elements"),
        (request().change("aws4_request", "aws4"), Code::SignatureDoesNotMatch, "valid terminator: 'aws4_request'"),
        (request().change("/sqs/", "/sns/"), Code::SignatureDoesNotMatch, "correct service: 'sqs'"),
        (request().change("/20150830/", "/20150831/"), Code::SignatureDoesNotMatch, "'20150831' != '20150830'"),
        (request().change("us-east-1", "eu-west-1"), Code::SignatureDoesNotMatch, unlike),
        (request().change("AKIDEXAMPLE", "AKIDOTHER"), Code::InvalidClientTokenId, "security token included"),
        (request().change("SignedHeaders=host;", "SignedHeaders="), Code::SignatureDoesNotMatch, "'Host'"),
        (request().change("SignedHeaders=host", "SignedHeaders=a-none;host"), Code::SignatureDoesNotMatch, unlike),
        (
            request().change("SignedHeaders=host", "SignedHeaders=host;host"),
            Code::SignatureDoesNotMatch,
            "each named once",
        ),
        (request().change("SignedHeaders=host", "SignedHeaders=x;host"), Code::SignatureDoesNotMatch, "must be sorted"),
        (request().change("Signature=", "Signature=0"), Code::SignatureDoesNotMatch, unlike),
        (request().without("x-amz-date"), Code::IncompleteSignature, "either a 'X-Amz-Date' or a 'Date' header"),
        (request().set("x-amz-date", "yesterday"), Code::IncompleteSignature, "Got 'yesterday'"),
        (request().set("x-amz-date", "20150830T123601Z"), Code::SignatureDoesNotMatch, unlike),
        (request().set("host", "elsewhere"), Code::SignatureDoesNotMatch, unlike),
        (request().set("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), Code::SignatureDoesNotMatch, unlike),
        // It names the action, so whoever holds a signed request of another action must not be able to add it.
        (request().set("x-amz-target", "AmazonSQS.ListQueues"), Code::SignatureDoesNotMatch, "'X-Amz-Target' must be"),
    ] {
        let error = request.verify(&verifier, NOW_MS).unwrap_err();
        assert_eq!(error.code, code, "{:?}: {error}", request.headers);
        assert!(error.message.contains(words), "{error}");
    }
}

#[test]
fn a_clock_may_be_off_by_fifteen_minutes() {
    let verifier = Verifier::new([credential(None)]);
    let request = Owned::signed("POST", "/", "body");
    for (now_ms, words) in [
        (NOW_MS + 900_000, None),
        (NOW_MS - 900_000, None),
        (
            NOW_MS + 901_000,
            Some(
                "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)",
            ),
        ),
        (
            NOW_MS - 901_000,
            Some(
                "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z \
                 (20150830T122059Z + 15 min.)",
            ),
        ),
        (
            0,
            Some(
                "Signature not yet current: 20150830T123600Z is still later than 19700101T001500Z (19700101T000000Z + 15 min.)",
            ),
        ),
    ] {
        let outcome = request.verify(&verifier, now_ms).map_err(|error| error.message);
        assert_eq!(outcome.err().as_deref(), words, "{now_ms}");
    }
}

#[test]
fn unsigned_payloads_and_http_dates_are_signers_choices() {
    // Signed here by hand, through the parts: the signer above makes neither.
    let verifier = Verifier::new([credential(None)]);
    let sign = |request: &mut Owned, signed_headers: &str, payload_hash: &[u8]| {
        let digest = canonical::Canonical {
            method: &request.method,
            uri: &request.uri,
            headers: &request.headers,
            signed_headers,
            payload_hash,
        }
        .digest();
        let scope = "20150830/us-east-1/sqs/aws4_request";
        let key = key::SigningKey::derive(SECRET, "20150830", "us-east-1", "sqs");
        let bytes: [u8; 32] = hmac::Mac::finalize(key.sign("20150830T123600Z", scope, &digest)).into_bytes().into();
        let signature = hex::encode(&bytes);
        let signature = std::str::from_utf8(&signature).unwrap();
        // Commas without spaces, as some clients have them.
        let value = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope},SignedHeaders={signed_headers},Signature={signature}"
        );
        request.headers.insert("authorization", value.parse().unwrap());
    };
    let unsigned = [("host", "h"), ("x-amz-date", "20150830T123600Z"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
    let mut request = Owned::new("POST", "/", &unsigned, "any body");
    sign(&mut request, "host;x-amz-content-sha256;x-amz-date", b"UNSIGNED-PAYLOAD");
    request.verify(&verifier, NOW_MS).unwrap();

    let dated = [("host", "h"), ("date", "Sun, 30 Aug 2015 12:36:00 GMT")];
    let mut request = Owned::new("POST", "/", &dated, "body");
    sign(&mut request, "date;host", &canonical::payload_digest(b"body"));
    request.verify(&verifier, NOW_MS).unwrap();
}

#[test]
fn a_session_token_is_asked_for_where_the_credential_has_one() {
    let signed_with = |token: Option<&str>| {
        let mut request = Owned::new("POST", "/", &[("host", "h")], "");
        let signer = Signer::new(credential(token), "us-east-1", "sqs");
        signer.sign(&request.method, &request.uri, &mut request.headers, b"", NOW_MS);
        request
    };
    for (sent, expected, code) in [
        (Some("token"), Some("token"), None),
        (Some("other"), Some("token"), Some(Code::InvalidClientTokenId)),
        (None, Some("token"), Some(Code::InvalidClientTokenId)),
        (Some("token"), None, None),
    ] {
        let outcome = signed_with(sent).verify(&Verifier::new([credential(expected)]), NOW_MS);
        assert_eq!(outcome.err().map(|error| error.code), code, "{sent:?} {expected:?}");
    }
}

#[test]
fn only_keys_that_proved_right_are_kept_and_not_many() {
    let verifier = Verifier::new([credential(None)]);
    Owned::signed("POST", "/", "").change("us-east-1", "eu-west-1").verify(&verifier, NOW_MS).unwrap_err();
    assert_eq!(verifier.cached_keys("AKIDEXAMPLE"), 0);
    for number in 0..40 {
        for _ in 0..2 {
            let mut request = Owned::new("POST", "/", &[("host", "h")], "");
            let signer = Signer::new(credential(None), &format!("region-{number}"), "sqs");
            signer.sign(&request.method, &request.uri, &mut request.headers, b"", NOW_MS);
            request.verify(&verifier, NOW_MS).unwrap();
        }
    }
    assert_eq!(verifier.cached_keys("AKIDEXAMPLE"), 16);
}

/// The second request of a client takes the short way: every fault has to be found there as on the long one.
#[test]
fn who_has_proved_right_before_is_believed_no_more_than_anybody() {
    let (fresh, known) = (|| Verifier::new([credential(None)]), Verifier::new([credential(None)]));
    let request = || Owned::signed("POST", "/", "body");
    request().verify(&known, NOW_MS).unwrap();
    assert_eq!(known.proven(), 1);
    let other_body = || Owned { body: b"another".to_vec(), ..request() };
    let other_path = || Owned { uri: "/other".parse().unwrap(), ..request() };
    let other_method = || Owned { method: Method::PUT, ..request() };
    for (request, now_ms) in [
        (request(), NOW_MS),
        (request(), NOW_MS + 900_000),
        (request(), NOW_MS - 900_000),
        (request(), NOW_MS + 901_000),
        (request(), NOW_MS - 901_000),
        (other_body(), NOW_MS),
        (other_path(), NOW_MS),
        (other_method(), NOW_MS),
        (request().set("host", "elsewhere"), NOW_MS),
        (request().set("x-amz-date", "20150830T123601Z"), NOW_MS),
        (request().set("x-amz-date", "20150831T123600Z"), NOW_MS + 86_400_000),
        (request().set("x-amz-date", "yesterday"), NOW_MS),
        (request().without("x-amz-date"), NOW_MS),
        (request().set("x-amz-target", "AmazonSQS.ListQueues"), NOW_MS),
        (request().set("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), NOW_MS),
        (request().change("Signature=", "Signature=0"), NOW_MS),
        (request().change("Signature=", "X="), NOW_MS),
        (request().change("Signature=", "Signature=0, Signature="), NOW_MS),
        (request().change("AKIDEXAMPLE", "AKIDOTHER"), NOW_MS),
    ] {
        for service in [None, Some("sqs"), Some("sts")] {
            let by = |verifier: &Verifier| verifier.verify(&request.incoming(), service, now_ms);
            assert_eq!(by(&known), by(&fresh()), "{:?} at {now_ms}", request.headers);
        }
    }
}

/// Where another parameter that looks like it stands last, the signature is the one before it, each time.
#[test]
fn a_signature_that_is_not_the_last_word_is_found_each_time() {
    let verifier = Verifier::new([credential(None)]);
    let mut request = Owned::signed("POST", "/", "body");
    let value = request.headers["authorization"].to_str().unwrap();
    let (_, digits) = value.rsplit_once('=').unwrap();
    for last in [format!("{value}, XSignature={digits}"), format!("{value},x Signature={digits}")] {
        request.headers.insert("authorization", last.parse().unwrap());
        for _ in 0..2 {
            request.verify(&verifier, NOW_MS).unwrap();
            assert_eq!(verifier.proven(), 0);
        }
    }
}

#[test]
fn only_authorizations_that_proved_right_are_kept_and_not_many() {
    let verifier = Verifier::new([credential(None)]);
    Owned::signed("POST", "/", "").change("us-east-1", "eu-west-1").verify(&verifier, NOW_MS).unwrap_err();
    assert_eq!(verifier.proven(), 0);
    let token = Verifier::new([credential(Some("token"))]);
    Owned::signed("POST", "/", "").set("x-amz-security-token", "token").verify(&token, NOW_MS).unwrap();
    assert_eq!(token.proven(), 0, "its token would not be looked at");
    let mut most = 0;
    for number in 0..2100 {
        let mut request = Owned::new("POST", "/", &[("host", "h")], "");
        let signer = Signer::new(credential(None), &format!("region-{number}"), "sqs");
        signer.sign(&request.method, &request.uri, &mut request.headers, b"", NOW_MS);
        request.verify(&verifier, NOW_MS).unwrap();
        most = most.max(verifier.proven());
    }
    assert_eq!(most, 1024);
}

#[test]
fn who_calls_can_be_seen_without_credentials() {
    let presigned =
        "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=123456789012%2F20150830%2Feu-west-1%2Fsqs%2Faws4_request";
    let shaped = "AWS4-HMAC-SHA256 Credential=a/b/20150830/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=x";
    for (target, authorization, caller) in [
        ("/", None, (None, None, false)),
        ("/?X-Amz-Date=1", None, (None, None, false)),
        ("/", Some("Bearer x"), (None, None, true)),
        ("/", Some(shaped), (Some("a/b"), Some("eu-west-1"), true)),
        (presigned, None, (Some("123456789012"), Some("eu-west-1"), true)),
    ] {
        let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
        let seen = peek(&Owned::new("GET", target, &headers, "").incoming());
        assert_eq!((seen.access_key_id.as_deref(), seen.region.as_deref(), seen.signed), caller, "{target}");
    }
}
