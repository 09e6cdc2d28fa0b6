//! Public keys, each with the one algorithm that it is for.

use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};

/// What checks signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    /// RS256: modulus and exponent, big-endian, without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// ES256: the uncompressed point.
    P256(Vec<u8>),
}

impl PublicKey {
    pub(crate) fn rsa(n: &[u8], e: &[u8]) -> PublicKey {
        let bare = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect();
        PublicKey::Rsa { n: bare(n), e: bare(e) }
    }

    /// `None` where the coordinates have another length than P-256's.
    pub(crate) fn p256(x: &[u8], y: &[u8]) -> Option<PublicKey> {
        (x.len() == 32 && y.len() == 32).then(|| PublicKey::P256([&[4], x, y].concat()))
    }

    /// The name of its algorithm in headers.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            PublicKey::Rsa { .. } => "RS256",
            PublicKey::P256(_) => "ES256",
        }
    }

    /// Whether the holder of the private key signed this. RSA keys of less than 2,048 bits never did.
    #[cfg_attr(not(feature = "axum"), allow(dead_code))] // tokens are checked where they are taken
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            PublicKey::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            PublicKey::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
        }
    }
}
