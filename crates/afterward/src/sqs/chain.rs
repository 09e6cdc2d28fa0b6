//! Keys by Amazon's standard chain (`aws-config`): web identity, single sign-on, assumed roles, credential processes, and
//! what containers and instances are given.
//!
//! Nothing is asked before the first request is signed. Keys are kept until they are about to expire; then one caller asks
//! for new ones while the others wait, for no request should be signed with keys that end on its way.

use super::{ErrorKind, error::Failure};
use afterward_aws::sigv4::{Credential, Signer};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError},
};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::sync::{Mutex, OnceCell};

/// How long before their end keys are renewed: what the SDKs leave, too.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// A chain of providers. Cheap to clone; clones share the providers.
#[derive(Clone)]
pub(crate) struct Chain(Arc<Inner>);

struct Inner {
    profile: Option<String>,
    provider: OnceCell<Option<SharedCredentialsProvider>>,
}

impl Chain {
    /// The standard chain, for a profile where the program named one.
    pub(super) fn new(profile: Option<String>) -> Chain {
        Chain(Arc::new(Inner { profile, provider: OnceCell::new() }))
    }

    /// What the program has configured by `aws-config` itself.
    pub(super) fn of_provider(provider: SharedCredentialsProvider) -> Chain {
        Chain(Arc::new(Inner { profile: None, provider: OnceCell::new_with(Some(Some(provider))) }))
    }

    async fn credentials(&self) -> Result<Credentials, Failure> {
        let provider = self.0.provider.get_or_init(|| load(self.0.profile.clone())).await;
        let Some(provider) = provider else {
            return Err(ErrorKind::NoCredentials("Amazon's standard chain is empty".to_owned()).into());
        };
        provider.provide_credentials().await.map_err(|error| of_chain(&error).into())
    }
}

async fn load(profile: Option<String>) -> Option<SharedCredentialsProvider> {
    // The provider of cryptography is named: it is the one that this crate's own connections use.
    let http =
        aws_smithy_http_client::Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut loader = aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http);
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await.credentials_provider()
}

fn of_chain(error: &CredentialsError) -> ErrorKind {
    let mut why = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        why = format!("{why}: {deeper}");
        cause = deeper.source();
    }
    match error {
        CredentialsError::ProviderTimedOut(_) => ErrorKind::Unreachable(why),
        _ => ErrorKind::NoCredentials(why),
    }
}

/// Signs with whatever keys the chain gives at the time.
pub(crate) struct ChainSigner {
    chain: Chain,
    region: String,
    service: &'static str,
    current: Mutex<Option<Current>>,
}

struct Current {
    signer: Arc<Signer>,
    expires: Option<SystemTime>,
}

impl Current {
    fn is_good_at(&self, now: SystemTime) -> bool {
        self.expires.is_none_or(|expires| now + RENEW_BEFORE < expires)
    }
}

impl ChainSigner {
    pub(super) fn new(chain: Chain, region: &str, service: &'static str) -> ChainSigner {
        ChainSigner { chain, region: region.to_owned(), service, current: Mutex::new(None) }
    }

    /// Forgets the keys in hand: a service does not know them any more.
    pub(super) async fn forget(&self) {
        *self.current.lock().await = None;
    }

    /// A signer with keys that last for a while.
    pub(super) async fn signer(&self) -> Result<Arc<Signer>, Failure> {
        let mut current = self.current.lock().await;
        let now = SystemTime::now();
        if let Some(current) = current.as_ref().filter(|current| current.is_good_at(now)) {
            return Ok(current.signer.clone());
        }
        let found = match (self.chain.credentials().await, &*current) {
            (Ok(found), _) => found,
            // Those in hand may still do for some minutes.
            (Err(_), Some(old)) if old.expires.is_some_and(|expires| now < expires) => return Ok(old.signer.clone()),
            (Err(failure), _) => return Err(failure),
        };
        let credential = Credential {
            access_key_id: found.access_key_id().to_owned(),
            secret_access_key: found.secret_access_key().to_owned(),
            session_token: found.session_token().map(str::to_owned),
        };
        let signer = Arc::new(Signer::new(credential, &self.region, self.service));
        *current = Some(Current { signer: signer.clone(), expires: found.expiry() });
        Ok(signer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::provider::future;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    /// Gives keys that last so long, and counts; none where it is told to fail.
    #[derive(Debug)]
    struct Giving {
        lasting: Option<Duration>,
        asked: Arc<AtomicU32>,
        fails_from: u32,
    }

    impl ProvideCredentials for Giving {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let number = self.asked.fetch_add(1, SeqCst);
            future::ProvideCredentials::ready(if number >= self.fails_from {
                Err(CredentialsError::not_loaded("the token has expired: log in again"))
            } else {
                let expires = self.lasting.map(|lasting| SystemTime::now() + lasting);
                Ok(Credentials::new(format!("AK{number}"), "secret", Some("token".to_owned()), expires, "a test"))
            })
        }
    }

    #[tokio::test]
    async fn keys_are_asked_for_once_and_renewed_before_they_end() {
        for (lasting, fails_from, signs, asked) in [
            (None, 9, 3, 1),
            (Some(3600), 9, 3, 1),
            // Too short to be kept: asked for each time.
            (Some(60), 9, 3, 3),
            // Can't be renewed, but last for another minute.
            (Some(60), 1, 3, 3),
            (Some(60), 0, 0, 3),
        ] {
            let count = Arc::new(AtomicU32::new(0));
            let giving = Giving { lasting: lasting.map(Duration::from_secs), asked: count.clone(), fails_from };
            let chain = Chain::of_provider(SharedCredentialsProvider::new(giving));
            let signer = ChainSigner::new(chain, "eu-west-1", "sqs");
            let mut signed = 0;
            for _ in 0..3 {
                match signer.signer().await {
                    Ok(_) => signed += 1,
                    Err(failure) => assert!(
                        matches!(&failure.kind, ErrorKind::NoCredentials(why) if why.contains("log in again")),
                        "{:?}",
                        failure.kind
                    ),
                }
            }
            assert_eq!((signed, count.load(SeqCst)), (signs, asked), "{lasting:?} {fails_from}");
        }
    }

    #[tokio::test]
    async fn keys_that_a_service_does_not_know_any_more_are_asked_for_anew() {
        let asked = Arc::new(AtomicU32::new(0));
        let giving = Giving { lasting: None, asked: asked.clone(), fails_from: 9 };
        let chain = Chain::of_provider(SharedCredentialsProvider::new(giving));
        let keys = super::super::keys::Signing::new(&super::super::Keys::Chain(chain), "eu-west-1", "sqs");
        let refusal = |code: &str| ErrorKind::Service { status: 403, code: code.into(), message: String::new() };
        let uri = http::Uri::from_static("http://localhost/");
        for (refused, renewed, asked_in_all) in [("AccessDenied", false, 1), ("ExpiredToken", true, 2)] {
            assert_eq!(keys.renew(&refusal(refused)).await, renewed, "{refused}");
            for _ in 0..2 {
                let mut headers = http::HeaderMap::new();
                keys.sign(&http::Method::POST, &uri, &mut headers, b"", 0).await.map_err(|why| why.kind).unwrap();
            }
            assert_eq!(asked.load(SeqCst), asked_in_all, "{refused}");
        }
    }
}
