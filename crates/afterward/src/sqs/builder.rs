//! Settings of a client, and how they are found.

use super::credentials::Environment;
use super::keys::Keys;
use super::service::{Patience, Service};
use super::{Client, Credential, Endpoint, SettingsError};
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
    #[cfg(feature = "aws-config")]
    provider: Option<aws_credential_types::provider::SharedCredentialsProvider>,
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

    /// Keys and region from what the program has loaded with `aws-config`; they go before what is found elsewhere. What the
    /// configuration leaves out is found as ever. Needs the feature `aws-config`, which also makes Amazon's standard chain
    /// the last place to look for keys, without this call.
    #[cfg(feature = "aws-config")]
    pub fn aws_config(mut self, config: &aws_config::SdkConfig) -> Builder {
        self.provider = config.credentials_provider().or(self.provider);
        self.region = config.region().map(|region| region.as_ref().to_owned()).or(self.region);
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
        let given = self.given_keys();
        let profile = self.profile.as_deref();
        let region = self.region.or_else(|| environment.region(profile));
        let endpoint: Endpoint = match &self.target {
            Some(Target::Address(address)) => address_in("the endpoint", address)?,
            Some(Target::Amazon) => Endpoint::amazon(region.as_deref().unwrap_or("us-east-1"))?,
            None => endpoint_of(environment)?,
        };
        // What Amazon's host name says goes first: a signature for another region is refused there.
        let region = endpoint.amazon_region().map(str::to_owned).or(region);
        let region: Region = match region {
            Some(text) => text.parse().map_err(|error| SettingsError(format!("the region `{text}`: {error}")))?,
            None => Region::default(),
        };
        let keys = match given {
            Some(keys) => keys,
            None => environment.keys(profile, &endpoint)?,
        };
        let patience =
            Patience { timeout: self.timeout.unwrap_or(TIMEOUT), attempts: self.attempts.unwrap_or(ATTEMPTS) };
        Ok(Client(Arc::new(Service::new("sqs", endpoint, region.as_str().to_owned(), keys, patience)?)))
    }

    /// The keys that the program gave.
    fn given_keys(&self) -> Option<Keys> {
        let fixed = self.credentials.clone().map(Keys::Fixed);
        #[cfg(feature = "aws-config")]
        let fixed = fixed.or_else(|| Some(Keys::Chain(super::chain::Chain::of_provider(self.provider.clone()?))));
        fixed
    }
}

/// The endpoint that the environment names, else the local server's.
fn endpoint_of(environment: &Environment<'_>) -> Result<Endpoint, SettingsError> {
    for variable in ["AFTERWARD_URL", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"] {
        if let Some(address) = environment.first(&[variable]) {
            return address_in(variable, &address);
        }
    }
    Endpoint::DEFAULT.parse()
}

/// Reads an address that stands in this setting.
fn address_in(setting: &str, address: &str) -> Result<Endpoint, SettingsError> {
    let endpoint: Endpoint =
        address.parse().map_err(|SettingsError(why)| SettingsError(format!("{setting}: {why}")))?;
    match endpoint.of_mistaken_queue_url() {
        None => Ok(endpoint),
        Some(server) => Err(SettingsError(format!(
            "{setting} is `{address}`, the URL of a queue, and has to be the address of its server, `{server}`; the queue's URL \
             goes into AFTERWARD_QUEUE_URL or Queue::from_url"
        ))),
    }
}
