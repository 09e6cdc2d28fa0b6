use super::*;
use crate::{
    jose::encoded,
    sqs::tests::server::{Answer, Server, ok},
    token::{Issuer, Token},
};
use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use std::sync::Mutex;
use tower::ServiceExt;

const AUDIENCE: &str = "https://api.example.com";
const NOW: Duration = Duration::from_secs(1_000_000);

fn first() -> Issuer {
    Issuer::from_pem(include_str!("../../tests/keys/first.pem")).unwrap()
}

fn second() -> Issuer {
    Issuer::from_pem(include_str!("../../tests/keys/second.pem")).unwrap()
}

fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": first().name(), "aud": AUDIENCE, "sub": "afterward:worker", "exp": NOW.as_secs() + 60, "scope": "read write"
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn parts(header: Value, claims: &Value) -> String {
    format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()))
}

async fn verdict(access: &Access, token: &str) -> Result<Claims, Denied> {
    access.claims_at(token, NOW).await
}

#[tokio::test]
async fn a_token_is_good_for_its_audience_in_its_time() {
    let access = Access::to(AUDIENCE).trust(first().jwks());
    let now = NOW.as_secs();
    for (changes, reason) in [
        (json!({}), None),
        (json!({"aud": ["other", AUDIENCE]}), None),
        (json!({"nbf": now + 29, "exp": now - 29}), None),
        (json!({"exp": now as f64 + 0.5}), None),
        (json!({"sub": null}), None),
        (json!({"exp": now - 30}), Some("it has expired")),
        (json!({"exp": null}), Some("its claims can't be read")),
        (json!({"exp": "soon"}), Some("its claims can't be read")),
        (json!({"nbf": now + 31}), Some("it is not good yet")),
        (json!({"aud": "other"}), Some("it is for another audience")),
        (json!({"aud": []}), Some("it is for another audience")),
        (json!({"aud": null}), Some("its claims can't be read")),
        (json!({"iss": "afterward:other"}), Some("its issuer is not trusted")),
        (json!({"iss": second().name()}), Some("its issuer is not trusted")),
    ] {
        let verdict = verdict(&access, &first().sign(&claims(changes.clone())).unwrap()).await;
        match reason {
            None => assert!(verdict.is_ok(), "{changes}: {verdict:?}"),
            Some(reason) => assert_eq!(verdict, Err(Denied::Invalid(reason)), "{changes}"),
        }
    }
    let claims = verdict(&access, &first().sign(&claims(json!({"tenant": 7}))).unwrap()).await.unwrap();
    assert_eq!((claims.sub.as_deref(), claims.get("tenant")), (Some("afterward:worker"), Some(&json!(7))));
    assert_eq!(claims.scopes(), ["read", "write"]);
}

#[tokio::test]
async fn a_token_cannot_be_forged() {
    let access = Access::to(AUDIENCE).trust(first().jwks().and(second().jwks()));
    let kid = first().kid().to_owned();
    let good = first().sign(&claims(json!({}))).unwrap();
    assert!(verdict(&access, &good).await.is_ok());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = message.split_once('.').unwrap();
    let other_claims = encoded(claims(json!({"sub": "root"})).to_string().as_bytes());
    // The other issuer's key, under the first one's name and id.
    let stolen = format!("{}.", parts(json!({"alg": "RS256", "kid": kid}), &claims(json!({}))));
    let foreign = second().sign(&claims(json!({}))).unwrap();
    let foreign_signature = foreign.rsplit_once('.').unwrap().1;
    let none = parts(json!({"alg": "none", "kid": kid}), &claims(json!({})));
    // The public key as an HMAC's secret, which is no secret.
    let hmac = format!("{}.{}", parts(json!({"alg": "HS256", "kid": kid}), &claims(json!({}))), encoded(&[7; 32]));
    let short = encoded(&[7; 20]);
    for (token, reason) in [
        (format!("{header}.{other_claims}.{signature}"), "its signature is wrong"),
        (format!("{stolen}{foreign_signature}"), "its signature is wrong"),
        (format!("{message}.{short}"), "its signature is wrong"),
        (format!("{message}."), "its signature is wrong"),
        (format!("{none}."), "its algorithm is not the key's"),
        (hmac, "its algorithm is not the key's"),
        (foreign.clone(), "its issuer is not trusted"),
        (format!("{}.AA", parts(json!({"alg": "RS256"}), &claims(json!({})))), "it names no key"),
        (
            format!("{}.AA", parts(json!({"alg": "RS256", "kid": kid, "crit": ["b64"]}), &claims(json!({})))),
            "it has critical headers",
        ),
        (message.to_owned(), "it is no token of three parts"),
        (format!("{good}.{short}"), "it is no token of three parts"),
        (format!("{good}="), "it is no token of three parts"),
        ("hello".to_owned(), "it is no token of three parts"),
        (String::new(), "it is no token of three parts"),
    ] {
        assert_eq!(verdict(&access, &token).await, Err(Denied::Invalid(reason)), "{token}");
    }
}

#[tokio::test]
async fn p256_keys_are_for_es256() {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let (x, y) = (encoded(&point[1..33]), encoded(&point[33..]));
    let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": x, "y": y}]});
    let access = Access::to(AUDIENCE).trust_as("them", Jwks::parse(&keys.to_string()).unwrap());
    for (alg, reason) in [("ES256", None), ("RS256", Some("its algorithm is not the key's"))] {
        let message = parts(json!({"alg": alg, "kid": "k"}), &claims(json!({"iss": "them"})));
        let signature = pair.sign(&random, message.as_bytes()).unwrap();
        let verdict = verdict(&access, &format!("{message}.{}", encoded(signature.as_ref()))).await;
        assert_eq!(verdict.err(), reason.map(Denied::Invalid), "{alg}");
    }
}

#[tokio::test]
async fn subjects_and_scopes_are_asked_for() {
    let access = Access::to(AUDIENCE).trust(first().jwks());
    let scope = |scope: &str| Err(Denied::Scope(scope.to_owned()));
    for (access, changes, expected) in [
        (access.clone().subject("root").subject("afterward:worker"), json!({}), Ok(())),
        (access.clone().subject("root"), json!({}), Err(Denied::Subject)),
        (access.clone().subject("root"), json!({"sub": null}), Err(Denied::Subject)),
        (access.clone().scope("read").scope("write"), json!({}), Ok(())),
        (access.clone().scope("rea"), json!({}), scope("rea")),
        (access.clone().scope("read").scope("admin"), json!({}), scope("read admin")),
        (access.clone().scope("x:y"), json!({"scope": null, "scp": ["x:y"]}), Ok(())),
        (access.clone().scope("x:y"), json!({"permissions": ["x:y"]}), Ok(())),
    ] {
        let verdict = verdict(&access, &first().sign(&claims(changes.clone())).unwrap()).await;
        assert_eq!(verdict.map(|_| ()), expected, "{changes}");
    }
}

/// An issuer who publishes these keys, as long as there are some.
async fn publisher(keys: &Arc<Mutex<Option<Jwks>>>) -> Server {
    let keys = keys.clone();
    Server::ruled(move |_| match &*keys.lock().unwrap() {
        Some(keys) => ok(&keys.to_json().to_string()),
        None => Answer::Reply(500, "away".to_owned()),
    })
    .await
}

async fn later(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn published_keys_are_fetched_once_and_again_when_one_is_unknown() {
    let keys = Arc::new(Mutex::new(Some(first().jwks())));
    let server = publisher(&keys).await;
    let access = Access::to(AUDIENCE).trust_url("them", &format!("{}/keys", server.url())).unwrap();
    let of = |issuer: Issuer| issuer.sign(&claims(json!({"iss": "them"}))).unwrap();
    let (old, new) = (of(first()), of(second()));
    let unknown = Err(Denied::Invalid("its key is not among its issuer's"));
    let asked = || server.asked().len();

    let (a, b, c) = tokio::join!(verdict(&access, &old), verdict(&access, &old), verdict(&access, &old));
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(asked(), 1, "they waited for one fetch");
    for _ in 0..5 {
        assert_eq!(verdict(&access, &new).await, unknown);
    }
    assert_eq!(asked(), 1, "a flood of unknown keys fetches nothing so soon");

    *keys.lock().unwrap() = Some(second().jwks());
    later(30).await;
    assert!(verdict(&access, &new).await.is_ok());
    assert_eq!(verdict(&access, &old).await, unknown, "its key was withdrawn");
    assert_eq!((asked(), server.asked()[0].uri().path()), (2, "/keys"));

    // They are fetched again in time, and where that fails, the old ones serve for an hour.
    *keys.lock().unwrap() = None;
    later(299).await;
    assert!(verdict(&access, &new).await.is_ok());
    assert_eq!(asked(), 2);
    later(1).await;
    assert!(verdict(&access, &new).await.is_ok());
    assert_eq!(asked(), 3);
    assert_eq!(verdict(&access, &of(first())).await, unknown, "not asked again so soon");
    later(3_600).await;
    assert_eq!(verdict(&access, &new).await, Err(Denied::Unavailable));
    assert_eq!(verdict(&access, &new).await, Err(Denied::Unavailable));
    assert_eq!(asked(), 4);
    *keys.lock().unwrap() = Some(second().jwks());
    later(30).await;
    assert!(verdict(&access, &new).await.is_ok());
}

#[tokio::test]
async fn a_client_that_goes_leaves_the_keys_that_were_fetched_for_it() {
    let keys = Arc::new(Mutex::new(Some(first().jwks())));
    let server = publisher(&keys).await;
    let access = Access::to(AUDIENCE).trust_url("them", &format!("{}/keys", server.url())).unwrap();
    let token = first().sign(&claims(json!({"iss": "them"}))).unwrap();
    {
        let mut gone = std::pin::pin!(verdict(&access, &token));
        assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(gone.as_mut().poll(cx).is_pending())).await);
    }
    assert!(verdict(&access, &token).await.is_ok());
    assert_eq!(server.asked().len(), 1, "the one that was begun is enough");
}

#[test]
fn keys_come_over_lines_that_prove_something() {
    for (url, taken) in [
        ("https://issuer.example.com/keys", true),
        ("http://127.0.0.1:1/keys", true),
        ("http://issuer.example.com/keys", false),
        ("issuer.example.com", false),
    ] {
        assert_eq!(Access::to("a").trust_url("them", url).is_ok(), taken, "{url}");
    }
}

async fn answer(router: &Router, authorization: Option<&str>) -> (StatusCode, String, String) {
    let mut request = Request::new(Body::empty());
    if let Some(authorization) = authorization {
        request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
    }
    let response = router.clone().oneshot(request).await.unwrap();
    let challenge = response.headers().get(header::WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned());
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, challenge.unwrap_or_default(), String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_layer_admits_who_shows_a_good_token_and_tells_the_others_why() {
    let hello = |claims: Claims| async move { format!("hello {}", claims.sub.unwrap_or_default()) };
    let guarded = |access: Access| Router::new().route("/", get(hello)).layer(access);
    let access = Access::to(AUDIENCE).trust(first().jwks());
    let router = guarded(access.clone());
    let token = Token::new(first(), AUDIENCE);
    let bearer = token.bearer().unwrap().to_str().unwrap().to_owned();

    assert_eq!(answer(&router, Some(&bearer)).await, (StatusCode::OK, String::new(), "hello afterward:worker".into()));
    assert_eq!(answer(&router, Some(&bearer.replace("Bearer", "bearer"))).await.0, StatusCode::OK);
    let (status, challenge, body) = answer(&router, None).await;
    assert_eq!((status, challenge.as_str()), (StatusCode::UNAUTHORIZED, "Bearer"));
    assert!(body.contains(r#""code":"no_token""#), "{body}");
    assert_eq!(answer(&router, Some("Basic YTpi")).await.1, "Bearer");
    let (status, challenge, _) = answer(&router, Some("Bearer x.y.z")).await;
    let words = r#"Bearer error="invalid_token", error_description="the access token is not good: it is no token of three parts""#;
    assert_eq!((status, challenge.as_str()), (StatusCode::UNAUTHORIZED, words));

    let (status, challenge, _) = answer(&guarded(access.clone().scope("admin")), Some(&bearer)).await;
    assert_eq!(
        (status, challenge.as_str()),
        (StatusCode::FORBIDDEN, r#"Bearer error="insufficient_scope", scope="admin""#)
    );
    let (status, challenge, _) = answer(&guarded(access.subject("root")), Some(&bearer)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(challenge.starts_with(r#"Bearer error="insufficient_scope", error_description=""#), "{challenge}");

    let away = Access::to(AUDIENCE).trust_url(first().name(), "http://127.0.0.1:1/keys").unwrap();
    let (status, challenge, body) = answer(&guarded(away), Some(&bearer)).await;
    assert_eq!((status, challenge.as_str()), (StatusCode::SERVICE_UNAVAILABLE, ""));
    assert!(body.contains("temporarily_unavailable"), "{body}");

    let open = Router::new().route("/", get(hello));
    assert_eq!(answer(&open, Some(&bearer)).await.0, StatusCode::INTERNAL_SERVER_ERROR);
}
