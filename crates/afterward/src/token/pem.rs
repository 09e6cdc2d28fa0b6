//! Keys in and out of PEM.

use crate::jose::PublicKey;
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::rsa;
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};

/// `SEQUENCE { OBJECT IDENTIFIER rsaEncryption, NULL }`
const RSA_ENCRYPTION: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const LINE_CHARS: usize = 64;

/// The first private key in a PEM text; otherwise, why there is none.
pub(super) fn private_key(text: &str) -> Result<rsa::KeyPair, String> {
    let der = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| "no private key in PEM".to_owned())?;
    let refused = |why: ring::error::KeyRejected| format!("{why} (an RSA key of 2,048 bits or more is needed)");
    match &der {
        PrivateKeyDer::Pkcs8(der) => rsa::KeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(refused),
        PrivateKeyDer::Pkcs1(der) => rsa::KeyPair::from_der(der.secret_pkcs1_der()).map_err(refused),
        _ => Err("a key of another kind than RSA".to_owned()),
    }
}

pub(super) fn public_key(key: &rsa::KeyPair) -> PublicKey {
    let rsa::PublicKeyComponents::<Vec<u8>> { n, e } = key.public().into();
    PublicKey::rsa(&n, &e)
}

/// The public key as others export it: SubjectPublicKeyInfo in PEM, with a line break at its end.
pub(super) fn public_pem(key: &rsa::KeyPair) -> String {
    let bits = element(BIT_STRING, &[&[0], key.public().as_ref()].concat());
    let der = element(SEQUENCE, &[&RSA_ENCRYPTION[..], &bits].concat());
    let text = BASE64_STANDARD.encode(der);
    let lines = text.as_bytes().chunks(LINE_CHARS).map(|line| String::from_utf8_lossy(line) + "\n");
    format!("-----BEGIN PUBLIC KEY-----\n{}-----END PUBLIC KEY-----\n", lines.collect::<String>())
}

/// A DER element: tag, length, content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => {
            let length: Vec<u8> = content.len().to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            // A length has at most eight bytes.
            bytes.push(0x80 | length.len() as u8);
            bytes.extend(length);
        }
    }
    bytes.extend(content);
    bytes
}
