//! What signs a client's requests: keys that stay as they are, or keys that a chain of providers renews.

use super::{Credential, error::Failure};
use afterward_aws::sigv4::Signer;
use http::{HeaderMap, Method, Uri};

#[cfg(feature = "aws-config")]
use super::chain::{Chain, ChainSigner};

/// Where a client's keys come from.
#[derive(Clone)]
pub(crate) enum Keys {
    /// Nowhere: requests go out unsigned.
    None,
    /// They stay as they are.
    Fixed(Credential),
    /// Amazon's standard chain, which renews them.
    #[cfg(feature = "aws-config")]
    Chain(Chain),
}

/// Signs for one service in one region.
pub(crate) enum Signing {
    Unsigned,
    Fixed(Box<Signer>),
    #[cfg(feature = "aws-config")]
    Chain(ChainSigner),
}

impl Signing {
    pub(super) fn new(keys: &Keys, region: &str, service: &'static str) -> Signing {
        match keys {
            Keys::None => Signing::Unsigned,
            Keys::Fixed(credential) => Signing::Fixed(Box::new(Signer::new(credential.clone(), region, service))),
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
            #[cfg(feature = "aws-config")]
            Signing::Chain(chain) => chain.signer().await?.sign(method, uri, headers, body, now_ms),
        }
        Ok(())
    }
}
