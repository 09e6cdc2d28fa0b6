//! From texts to settings.

use super::{Clock, Config, ConfigError, Credential, Durability, HttpTargets, Key, Kind, Source};
use afterward_gateway::parse_rfc3339;
use afterward_names::{AccountId, NotAQueueName, NotARegion, QueueName, limits};
use afterward_scheduler::is_queue_of_calls;
use std::{collections::BTreeMap, path::PathBuf, str::FromStr, time::Duration};

/// A value as it was written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) key: &'static str,
    /// One text, or those of a list.
    pub(super) texts: Vec<String>,
    pub(super) source: Source,
}

impl Given {
    /// A value from the environment or a flag, where lists are separated by commas.
    pub(super) fn text(key: &Key, text: String, source: Source) -> Given {
        let texts = match key.kind {
            Kind::List => text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(String::from).collect(),
            Kind::Text | Kind::Switch | Kind::Number => vec![text],
        };
        Given { key: key.name, texts, source }
    }

    fn one(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }

    fn bad(&self, reason: impl Into<String>) -> ConfigError {
        ConfigError::BadValue {
            source_: self.source.clone(),
            name: self.key.into(),
            value: self.texts.join(","),
            reason: reason.into(),
        }
    }

    fn parsed<T: FromStr>(&self, reason: &str) -> Result<T, ConfigError> {
        self.one().parse().map_err(|_| self.bad(reason))
    }

    pub(super) fn switch(&self) -> Result<bool, ConfigError> {
        match self.one() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(self.bad("it is true or false")),
        }
    }

    pub(super) fn path(&self) -> Result<PathBuf, ConfigError> {
        if self.one().is_empty() { Err(self.bad("it is a directory")) } else { Ok(self.one().into()) }
    }

    fn within(&self, range: std::ops::RangeInclusive<u64>) -> Result<u64, ConfigError> {
        let reason = || format!("it is a whole number from {} to {}", range.start(), range.end());
        let number: u64 = self.one().parse().map_err(|_| self.bad(reason()))?;
        if range.contains(&number) { Ok(number) } else { Err(self.bad(reason())) }
    }

    fn seconds(&self) -> Result<Duration, ConfigError> {
        self.within(1..=86_400).map(Duration::from_secs)
    }

    /// The front door names no message groups, which a FIFO queue would need.
    fn standard_queue(&self) -> Result<QueueName, ConfigError> {
        let name: QueueName = self.one().parse().map_err(|error: NotAQueueName| self.bad(error.to_string()))?;
        match &name {
            name if name.is_fifo() => Err(self.bad("jobs go to a standard queue")),
            name if is_queue_of_calls(name) => {
                Err(self.bad("in that queue calls of schedules wait; it is the server's own"))
            }
            _ => Ok(name),
        }
    }

    fn durability(&self) -> Result<Durability, ConfigError> {
        match self.one() {
            "flush" => Ok(Durability::Flush),
            "os" => Ok(Durability::Os),
            _ => {
                Err(self
                    .bad("it is `flush` (on disk before it is acknowledged) or `os` (left to the operating system)"))
            }
        }
    }

    fn http_targets(&self) -> Result<HttpTargets, ConfigError> {
        match self.one() {
            "any" => Ok(HttpTargets::Any),
            "public" => Ok(HttpTargets::Public),
            "off" => Ok(HttpTargets::Off),
            _ => Err(self.bad("it is `any`, `public` (no internal address) or `off`")),
        }
    }

    fn clock(&self) -> Result<Clock, ConfigError> {
        match self.one() {
            "system" => Ok(Clock::System),
            "manual" => Ok(Clock::Manual { from_ms: None }),
            time => {
                let from_ms = parse_rfc3339(time);
                let reason = "it is `system`, `manual` (time stands still until it is moved), or a time such as \
                              2026-01-01T00:00:00Z that a manual clock begins at";
                from_ms.map(|from_ms| Clock::Manual { from_ms: Some(from_ms) }).ok_or_else(|| self.bad(reason))
            }
        }
    }

    fn origins(&self) -> Result<Vec<String>, ConfigError> {
        for origin in &self.texts {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            let is_origin = host.is_some_and(|host| {
                !host.is_empty()
                    && host.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'/' | b'?' | b'#' | b','))
            });
            if origin != "*" && !is_origin {
                return Err(self.bad(format!("{origin:?} is no origin: it is * or reads https://app.example.com")));
            }
        }
        Ok(self.texts.clone())
    }
}

pub(super) fn set_all(config: &mut Config, values: BTreeMap<&'static str, Given>) -> Result<(), ConfigError> {
    values.values().try_for_each(|given| set(config, given))
}

fn set(config: &mut Config, given: &Given) -> Result<(), ConfigError> {
    match given.key {
        "listen" => config.listen = given.parsed("it is an address and a port, such as 127.0.0.1:4566")?,
        // Both are decided together, before: see `layers::data`.
        "data" | "ephemeral" => {}
        "durability" => config.durability = given.durability()?,
        "clock" => config.clock = given.clock()?,
        "log_level" => config.log_level = given.one().into(),
        "sqs.cooldowns" => config.sqs.cooldowns = given.switch()?,
        "jobs.queue" => config.jobs.queue = given.standard_queue()?,
        "jobs.account" => config.jobs.account = given.parsed("it is 12 digits, in quotation marks")?,
        "jobs.region" => {
            config.jobs.region = given.one().parse().map_err(|error: NotARegion| given.bad(error.to_string()))?;
        }
        "jobs.create" => config.jobs.create = given.switch()?,
        "jobs.delay_seconds" => config.jobs.delay_s = Some(given.within(limits::LONG_DELAY_S)?),
        "jobs.cors_origins" => config.jobs.cors_origins = given.origins()?,
        "jobs.public" => config.jobs.public = given.switch()?,
        "scheduler.http_targets" => config.http_targets = Some(given.http_targets()?),
        "limits.body_bytes" => config.limits.body_bytes = given.within(1 << 20..=1 << 30)? as usize,
        "limits.bodies_bytes" => config.limits.bodies_bytes = given.within(1 << 20..=1 << 40)? as usize,
        "limits.replies_bytes" => config.limits.replies_bytes = given.within(1 << 20..=1 << 40)? as usize,
        "limits.header_seconds" => config.limits.header = given.seconds()?,
        "limits.body_seconds" => config.limits.body = given.seconds()?,
        "limits.idle_seconds" => config.limits.idle = given.seconds()?,
        "limits.connections" => config.limits.connections = given.within(1..=1_000_000)? as usize,
        other => unreachable!("the table of keys has `{other}`, which nothing reads"),
    }
    Ok(())
}

/// A credential whose id could stand in a signature, with a secret that is not empty.
pub(super) fn credential(
    id: &str,
    secret: &str,
    account: Option<AccountId>,
    source: &Source,
) -> Result<Credential, ConfigError> {
    let bad = |reason: &str| ConfigError::BadCredential { source_: source.clone(), reason: reason.into() };
    let fits = (1..=128).contains(&id.len());
    if !fits || !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) {
        return Err(bad("an access key id is 1 to 128 letters, digits and _ - ."));
    }
    if secret.is_empty() {
        return Err(bad("the secret access key is empty"));
    }
    Ok(Credential { access_key_id: id.into(), secret_access_key: secret.into(), account })
}
