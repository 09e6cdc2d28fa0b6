use super::*;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

const FIRST: &str = include_str!("../../tests/keys/first.pem");
const FIRST_PKCS1: &str = include_str!("../../tests/keys/first-pkcs1.pem");
const SECOND: &str = include_str!("../../tests/keys/second.pem");

fn claims_of(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

fn at(now_s: u64) -> Duration {
    Duration::from_secs(now_s)
}

#[test]
fn an_issuer_is_known_by_its_key() {
    // As `openssl rsa -pubout | sha256sum` begins.
    for (pem, kid) in [(FIRST, "66c002b597d34aed"), (FIRST_PKCS1, "66c002b597d34aed"), (SECOND, "fc1d6e11c3703778")] {
        let issuer = Issuer::from_pem(pem).unwrap();
        assert_eq!((issuer.kid(), issuer.name()), (kid, format!("afterward:{kid}").as_str()));
        assert!(issuer.jwks().kids().eq([kid]));
        assert!(!format!("{issuer:?}").contains("PRIVATE"));
    }
}

#[test]
fn a_token_is_what_openssl_signs() {
    let issuer = Issuer::from_pem(FIRST).unwrap();
    let token = issuer.sign(&json!({"sub": "x"})).unwrap();
    let expected = concat!(
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjY2YzAwMmI1OTdkMzRhZWQifQ.eyJzdWIiOiJ4In0.VtK3tLy0Y5KUV",
        "nEdDoQLcCktomQTGaFGPTzzA0umKD4B_z3kkcPRyF2M0673RcEaHQiC258UWUuLR4k7mTtLpHrxwJTfH4UABb-60QAMVlNoCpZZ3",
        "mYJ5t_9lQvdmNLa_7gJLatLWDItfK4NGzFuNIwMrn9UitNUMOncAcvGwffCsYDyksG5LsNR4y1LKjiwlYOGm7v9JhQWqcdypCHRb",
        "WfU54MtCMZ2ciE__Skd93Y9HQ2IPlBx9epRrxBn26x-3TCjoD3aGIt_lKuBaP-FM1AfmgGggBoiL0NBEZEcmVXrByL4Q9zjEM_V5",
        "PhItcUHPtmpe0e2bq9zj5Lmqnog2A",
    );
    let header = |token: &str| -> Value {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
    };
    assert_eq!(header(&token), header(expected));
    assert_eq!(token, expected);
}

#[test]
fn a_key_is_set_in_pem_or_as_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key.pem");
    std::fs::write(&file, FIRST).unwrap();
    let one_line = FIRST.replace('\n', "\\n");
    for setting in [FIRST, &one_line, file.to_str().unwrap()] {
        assert_eq!(Issuer::from_setting(Some(setting)).unwrap().kid(), "66c002b597d34aed");
    }
    let public = "-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----\n";
    for (setting, words) in [
        (None, "set AFTERWARD_ISSUER_KEY to the file"),
        (Some(" "), "set AFTERWARD_ISSUER_KEY to the file"),
        (Some("no/such/file"), "the issuer's key in no/such/file can't be read"),
        (Some(public), "no private key in PEM"),
        (Some("-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n"), "not an issuer's key"),
    ] {
        let error = Issuer::from_setting(setting).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_token_is_kept_and_renewed_early() {
    let token = Token::new(Issuer::from_pem(FIRST).unwrap(), "https://api.example.com");
    let first = token.at(at(1_000)).unwrap();
    let claims = json!({
        "aud": "https://api.example.com", "sub": "afterward:worker", "iss": "afterward:66c002b597d34aed",
        "iat": 1_000, "exp": 4_600
    });
    assert_eq!(claims_of(&first), claims);
    assert_eq!(token.clone().at(at(4_539)).unwrap(), first);
    let second = token.at(at(4_540)).unwrap();
    assert_eq!(claims_of(&second)["exp"], 8_140);

    let brief = token.clone().lifetime(Duration::from_secs(10));
    assert_eq!(claims_of(&brief.at(at(0)).unwrap())["exp"], 10);
    assert_eq!(claims_of(&brief.at(at(4)).unwrap())["exp"], 10);
    assert_eq!(claims_of(&brief.at(at(5)).unwrap())["exp"], 15);
    assert_eq!(token.at(at(4_541)).unwrap(), second, "what was changed was another token");
}

#[test]
fn claims_are_as_they_are_set() {
    let issuer = Issuer::from_pem(FIRST).unwrap().named("https://issuer.example.com");
    let token = Token::new(issuer, "api").subject("billing").scope("a b").claim("tenant", 7);
    let claims = claims_of(&token.at(at(0)).unwrap());
    let expected = json!({
        "aud": "api", "sub": "billing", "iss": "https://issuer.example.com", "scope": "a b", "tenant": 7, "iat": 0, "exp": 3_600
    });
    assert_eq!(claims, expected);
    let bearer = token.bearer().unwrap();
    assert!(bearer.is_sensitive() && bearer.to_str().unwrap().starts_with("Bearer eyJ"));
}

#[test]
fn claims_that_are_set_in_other_ways_are_refused() {
    let token = Token::new(Issuer::from_pem(FIRST).unwrap(), "api");
    for (name, words) in [
        ("iss", "Issuer::named"),
        ("sub", ".subject(…)"),
        ("aud", "Token::new"),
        ("exp", ".lifetime(…)"),
        ("nbf", "Issuer::sign"),
        ("iat", "when a token is made"),
        ("jti", "Issuer::sign"),
    ] {
        let refused = std::panic::catch_unwind(|| token.clone().claim(name, 5)).unwrap_err();
        let told = refused.downcast_ref::<String>().unwrap();
        assert!(told.starts_with(&format!("the claim `{name}`")) && told.contains(words), "{told}");
    }
}
