//! Settings of a client, and how they are found.

use super::credentials::Environment;
use super::{Client, Credential, Endpoint, Inner, SettingsError, transport::Transport};
use afterward_aws::sigv4::Signer;
use afterward_names::Region;
use std::{sync::Arc, time::Duration};

/// How long a reply may take beyond the wait of a long poll.
const TIMEOUT: Duration = Duration::from_secs(30);
const ATTEMPTS: u32 = 3;

/// Settings for a [`Client`]. What is not set is found as the [module](crate::sqs) tells.
#[derive(Clone, Default)]
#[must_use]
pub struct Builder {
    target: Option<Target>,
    region: Option<String>,
    profile: Option<String>,
    credentials: Option<Credential>,
    timeout: Option<Duration>,
    attempts: Option<u32>,
}

#[derive(Clone)]
enum Target {
    Address(String),
    Amazon,
}

impl Builder {
    /// The service's address, such as `http://127.0.0.1:4566`.
    pub fn endpoint(mut self, address: impl Into<String>) -> Builder {
        self.target = Some(Target::Address(address.into()));
        self
    }

    /// Amazon SQS itself, in the region that is set or found.
    pub fn amazon(mut self) -> Builder {
        self.target = Some(Target::Amazon);
        self
    }

    /// The region, such as `eu-central-1`.
    pub fn region(mut self, region: impl Into<String>) -> Builder {
        self.region = Some(region.into());
        self
    }

    /// The profile in AWS's shared files to take keys and region from. Goes before keys in environment variables.
    pub fn profile(mut self, profile: impl Into<String>) -> Builder {
        self.profile = Some(profile.into());
        self
    }

    /// The keys to sign with.
    pub fn credentials(mut self, credential: Credential) -> Builder {
        self.credentials = Some(credential);
        self
    }

    /// How long one attempt of a call may take until its reply is complete, beyond a long poll's wait. 30 s unless set.
    pub fn timeout(mut self, timeout: Duration) -> Builder {
        self.timeout = Some(timeout);
        self
    }

    /// How often a call is tried in all: 3 unless set, at least 1.
    pub fn attempts(mut self, attempts: u32) -> Builder {
        self.attempts = Some(attempts.max(1));
        self
    }

    /// The client. It connects when it is first used.
    ///
    /// # Errors
    /// A setting is missing or makes no sense.
    pub fn build(self) -> Result<Client, SettingsError> {
        self.build_in(&Environment { variable: &|name| std::env::var(name).ok() })
    }

    pub(super) fn build_in(self, environment: &Environment<'_>) -> Result<Client, SettingsError> {
        let profile = self.profile.as_deref();
        let region = self.region.or_else(|| environment.region(profile));
        let endpoint: Endpoint = match &self.target {
            Some(Target::Address(address)) => address.parse()?,
            Some(Target::Amazon) => Endpoint::amazon(region.as_deref().unwrap_or("us-east-1"))?,
            None => environment
                .first(&["AFTERWARD_URL", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"])
                .unwrap_or_else(|| Endpoint::DEFAULT.to_owned())
                .parse()?,
        };
        // What Amazon's host name says goes first: a signature for another region is refused there.
        let region = endpoint.amazon_region().map(str::to_owned).or(region);
        let region: Region = match region {
            Some(text) => text.parse().map_err(|error| SettingsError(format!("the region `{text}`: {error}")))?,
            None => Region::default(),
        };
        let credential = match self.credentials {
            Some(credential) => credential,
            None => environment.credential(profile, &endpoint)?,
        };
        Ok(Client(Arc::new(Inner {
            signer: Signer::new(credential, region.as_str(), "sqs"),
            transport: Transport::new(&endpoint)?,
            region: region.as_str().to_owned(),
            endpoint,
            timeout: self.timeout.unwrap_or(TIMEOUT),
            attempts: self.attempts.unwrap_or(ATTEMPTS),
        })))
    }
}
