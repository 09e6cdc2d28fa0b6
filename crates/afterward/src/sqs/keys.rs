//! What signs a client's requests: keys that stay as they are, keys of a file that somebody renews, or keys that a chain of
//! providers renews.

use super::{Client, Credential, ErrorKind, bare_code, error::Failure, profile::Profile};
use afterward_aws::sigv4::Signer;
use http::{HeaderMap, Method, Uri};
use std::sync::{Arc, PoisonError, RwLock};

#[cfg(feature = "aws-config")]
use super::chain::{Chain, ChainSigner};

/// The codes by which services say that they don't know keys, or not any more.
const UNKNOWN_KEYS: [&str; 7] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];

/// Where a client's keys come from.
#[derive(Clone)]
pub(crate) enum Keys {
    /// Nowhere: requests go out unsigned.
    None,
    /// They stay as they are.
    Fixed(Credential),
    /// They are a profile's, where there may be others by and by.
    Shared(Credential, Profile),
    /// Amazon's standard chain, which renews them.
    #[cfg(feature = "aws-config")]
    Chain(Chain),
}

impl Client {
    /// The id, which is no secret, of the keys that requests are signed with, as far as that is known beforehand.
    pub(crate) fn access_key_id(&self) -> Option<&str> {
        match self.0.keys() {
            Keys::Fixed(credential) | Keys::Shared(credential, _) => Some(&credential.access_key_id),
            Keys::None => None,
            #[cfg(feature = "aws-config")]
            Keys::Chain(_) => None,
        }
    }
}

/// Signs for one service in one region.
pub(crate) enum Signing {
    Unsigned,
    Fixed(Box<Signer>),
    Shared(SharedSigner),
    #[cfg(feature = "aws-config")]
    Chain(ChainSigner),
}

impl Signing {
    pub(super) fn new(keys: &Keys, region: &str, service: &'static str) -> Signing {
        match keys {
            Keys::None => Signing::Unsigned,
            Keys::Fixed(credential) => Signing::Fixed(Box::new(Signer::new(credential.clone(), region, service))),
            Keys::Shared(credential, profile) => {
                let current = RwLock::new(Arc::new(Signer::new(credential.clone(), region, service)));
                Signing::Shared(SharedSigner { profile: profile.clone(), region: region.to_owned(), service, current })
            }
            #[cfg(feature = "aws-config")]
            Keys::Chain(chain) => Signing::Chain(ChainSigner::new(chain.clone(), region, service)),
        }
    }

    /// Adds the signature to the headers of a request.
    pub(super) async fn sign(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &mut HeaderMap,
        body: &[u8],
        now_ms: u64,
    ) -> Result<(), Failure> {
        match self {
            Signing::Unsigned => {}
            Signing::Fixed(signer) => signer.sign(method, uri, headers, body, now_ms),
            Signing::Shared(shared) => shared.signer().sign(method, uri, headers, body, now_ms),
            #[cfg(feature = "aws-config")]
            Signing::Chain(chain) => chain.signer().await?.sign(method, uri, headers, body, now_ms),
        }
        Ok(())
    }

    /// Looks for other keys, where a request was refused for those that it was signed with. Whether it is worth another try.
    pub(super) async fn renew(&self, why: &ErrorKind) -> bool {
        let is_about_keys = matches!(why, ErrorKind::Service { code, .. } if UNKNOWN_KEYS.contains(&bare_code(code)));
        match self {
            Signing::Shared(shared) if is_about_keys => shared.renew(),
            #[cfg(feature = "aws-config")]
            Signing::Chain(chain) if is_about_keys => {
                chain.forget().await;
                true
            }
            _ => false,
        }
    }
}

/// Signs with the keys that a profile had when it was last looked at.
pub(crate) struct SharedSigner {
    profile: Profile,
    region: String,
    service: &'static str,
    current: RwLock<Arc<Signer>>,
}

impl SharedSigner {
    fn signer(&self) -> Arc<Signer> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the keys that the profile has now: even where they are the same, for another call may have taken them meanwhile.
    fn renew(&self) -> bool {
        let Some(credential) = self.profile.keys() else { return false };
        let signer = Arc::new(Signer::new(credential, &self.region, self.service));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = signer;
        true
    }
}
