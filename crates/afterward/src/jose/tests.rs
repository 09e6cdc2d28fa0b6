use super::{Jwks, JwksError, key::PublicKey};
use serde_json::json;

#[test]
fn of_a_published_set_the_keys_for_signatures_are_taken() {
    let (n, x) = ("zA".repeat(171), "A".repeat(43));
    let rsa = |more: serde_json::Value| {
        let mut key = json!({"kty": "RSA", "kid": "k", "n": n, "e": "AQAB"});
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key
    };
    let p256 = json!({"kty": "EC", "kid": "k", "crv": "P-256", "x": x, "y": x});
    for (key, taken) in [
        (rsa(json!({})), true),
        (rsa(json!({"use": "sig", "alg": "RS256", "x5c": ["…"], "key_ops": ["verify"]})), true),
        (rsa(json!({"use": "enc"})), false),
        (rsa(json!({"alg": "RS512"})), false),
        (rsa(json!({"alg": "HS256"})), false),
        (rsa(json!({"kid": null})), false),
        (rsa(json!({"n": "not base64!"})), false),
        (p256, true),
        (json!({"kty": "EC", "kid": "k", "crv": "P-384", "x": x, "y": x}), false),
        (json!({"kty": "EC", "kid": "k", "crv": "P-256", "x": "AAAA", "y": x}), false),
        (json!({"kty": "oct", "kid": "k", "k": "c2VjcmV0"}), false),
        (json!({"kty": "OKP", "kid": "k", "crv": "Ed25519", "x": x}), false),
        (json!("key"), false),
    ] {
        let set = json!({"keys": ["nonsense", key]}).to_string();
        match Jwks::parse(&set) {
            Ok(keys) => assert!(taken && keys.kids().eq(["k"]), "{set}"),
            Err(JwksError::Empty) => assert!(!taken, "{set}"),
            Err(error) => panic!("{set}: {error}"),
        }
    }
    assert!(matches!(Jwks::parse("{}"), Err(JwksError::Json(_))));
}

#[test]
fn a_set_written_is_the_set_read() {
    let keys = Jwks::of("a".into(), PublicKey::rsa(&[0, 9, 8, 7], &[1, 0, 1]))
        .and(Jwks::of("b".into(), PublicKey::p256(&[3; 32], &[4; 32]).unwrap()));
    let json = keys.to_json();
    assert_eq!(
        json["keys"][0],
        json!({"kty": "RSA", "kid": "a", "use": "sig", "alg": "RS256", "n": "CQgH", "e": "AQAB"})
    );
    assert_eq!(Jwks::parse(&json.to_string()).unwrap(), keys);
}
