//! Merging file, environment and flags.

use super::{
    Config, ConfigError, Credential, Data, KEYS, Key, Source, file, place,
    values::{Given, credential},
};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

/// Where settings are taken from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// The environment.
    pub variables: HashMap<String, String>,
    /// Flags: a [`Key::name`] and its value; that of a switch which stands alone is `true`.
    pub flags: Vec<(&'static str, String)>,
}

impl Sources {
    /// The process's environment (what of it is UTF-8), `AFTERWARD_CONFIG` included, and these flags.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(&'static str, String)>) -> Sources {
        let variables: HashMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let file = file.or_else(|| variables.get("AFTERWARD_CONFIG").map(PathBuf::from));
        Sources { file, variables, flags }
    }

    /// Environment variables that look like misspelt settings, as texts for a warning. They are no errors: schedulers
    /// put variables of their own (`AFTERWARD_PORT`, `AFTERWARD_SERVICE_HOST`) beside ours.
    pub fn doubts(&self) -> Vec<String> {
        let known: Vec<String> = KEYS.iter().map(Key::variable).collect();
        let mut doubts: Vec<String> = self
            .variables
            .keys()
            .filter(|name| name.starts_with("AFTERWARD_") && !known.contains(name))
            .filter_map(|name| {
                let near = known.iter().find(|known| is_slip(name, known))?;
                Some(format!("environment variable {name} is not a setting; did you mean {near}?"))
            })
            .collect();
        doubts.sort();
        doubts
    }
}

fn is_slip(name: &str, known: &str) -> bool {
    name.len().abs_diff(known.len()) <= 1 && super::keys::distance(name, known) <= 2
}

pub(super) fn merge(sources: &Sources) -> Result<Config, ConfigError> {
    let mut given: BTreeMap<&'static str, Given> = BTreeMap::new();
    let mut credentials = Vec::new();
    if let Some(path) = &sources.file {
        let read = file::read(path)?;
        given.extend(read.values);
        credentials.extend(read.credentials);
    }
    let mut layers = vec![std::mem::take(&mut given)];
    layers.push(variables(sources));
    layers.push(flags(sources)?);
    credentials.extend(credential_of_environment(sources)?);
    let data = data(&layers, sources)?;
    let values = layers.into_iter().flatten().collect();
    let mut config = Config::new(data);
    config.credentials = credentials;
    super::values::set_all(&mut config, values)?;
    Ok(config)
}

fn variables(sources: &Sources) -> BTreeMap<&'static str, Given> {
    KEYS.iter()
        .filter_map(|key| {
            let name = key.variable();
            let value = sources.variables.get(&name)?;
            Some((key.name, Given::text(key, value.clone(), Source::Variable(name))))
        })
        .collect()
}

fn flags(sources: &Sources) -> Result<BTreeMap<&'static str, Given>, ConfigError> {
    let mut given = BTreeMap::new();
    for (name, value) in &sources.flags {
        let key = Key::named(name).ok_or_else(|| ConfigError::UnknownKey {
            source_: Source::Flag((*name).into()),
            name: (*name).into(),
            nearest: super::keys::nearest(name, KEYS.iter().map(|key| key.name)).map(String::from),
        })?;
        given.insert(key.name, Given::text(key, value.clone(), Source::Flag(key.flag())));
    }
    Ok(given)
}

/// `data` and `ephemeral` answer the same question: the later source wins, and one source may give only one of them.
fn data(layers: &[BTreeMap<&'static str, Given>], sources: &Sources) -> Result<Data, ConfigError> {
    for layer in layers.iter().rev() {
        let ephemeral = layer.get("ephemeral").map(|given| given.switch()).transpose()?;
        match (layer.get("data"), ephemeral) {
            (Some(data), Some(true)) => {
                return Err(ConfigError::Contradiction(data.source.clone(), layer["ephemeral"].source.clone()));
            }
            (Some(data), _) => return data.path().map(Data::Directory),
            (None, Some(true)) => return Ok(Data::Ephemeral),
            (None, Some(false) | None) => {}
        }
    }
    place::default_data_directory(|name| sources.variables.get(name).cloned())
        .map(Data::Directory)
        .ok_or(ConfigError::NoDataDirectory)
}

fn credential_of_environment(sources: &Sources) -> Result<Option<Credential>, ConfigError> {
    const ID: &str = "AFTERWARD_ACCESS_KEY_ID";
    const SECRET: &str = "AFTERWARD_SECRET_ACCESS_KEY";
    let incomplete = |given: &str, missing: &str| ConfigError::BadCredential {
        source_: Source::Variable(given.into()),
        reason: format!("{missing} has to be set with it"),
    };
    match (sources.variables.get(ID), sources.variables.get(SECRET)) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(incomplete(ID, SECRET)),
        (None, Some(_)) => Err(incomplete(SECRET, ID)),
        (Some(id), Some(secret)) => credential(id, secret, None, &Source::Variable(ID.into())).map(Some),
    }
}
