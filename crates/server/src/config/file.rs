//! The configuration file.

use super::{
    ConfigError, Credential, KEYS, Key, Kind, Source,
    keys::{CREDENTIAL_KEYS, nearest},
    values::{Given, credential},
};
use std::{borrow::Cow, collections::BTreeMap, path::Path};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The tables that settings stand in.
const SECTIONS: &[&str] = &["sqs", "jobs", "scheduler", "limits"];

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) values: BTreeMap<&'static str, Given>,
    pub(super) credentials: Vec<Credential>,
}

pub(super) fn read(path: &Path) -> Result<Read, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable { path: path.into(), error })?;
    Reader { path, text: &text }.read()
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn read(&self) -> Result<Read, ConfigError> {
        let table = DeTable::parse(self.text)
            .map_err(|error| ConfigError::NotToml { path: self.path.into(), reason: error.to_string() })?;
        let mut read = Read::default();
        for (name, value) in table.get_ref() {
            match (name.get_ref().as_ref(), value.get_ref()) {
                ("credentials", value) => read.credentials = self.credentials(value, name.span().start)?,
                (section, DeValue::Table(table)) if SECTIONS.contains(&section) => {
                    for (name, value) in table {
                        let full = format!("{section}.{}", name.get_ref());
                        self.value(&mut read, &full, name, value)?;
                    }
                }
                (section, _) if SECTIONS.contains(&section) => return Err(self.not_a_section(section, name, value)),
                (full, _) => self.value(&mut read, full, name, value)?,
            }
        }
        Ok(read)
    }

    fn value(
        &self,
        read: &mut Read,
        full: &str,
        name: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), ConfigError> {
        let source = self.source(name.span().start);
        let Some(key) = Key::named(full) else {
            let candidates = KEYS.iter().map(|key| key.name).chain(SECTIONS.iter().copied()).chain(["credentials"]);
            let nearest = nearest(full, candidates).map(String::from);
            return Err(ConfigError::UnknownKey { source_: source, name: full.into(), nearest });
        };
        let texts = texts(key, value.get_ref()).map_err(|reason| ConfigError::BadValue {
            source_: source.clone(),
            name: key.name.into(),
            value: self.text.get(value.span()).unwrap_or_default().into(),
            reason: reason.into(),
        })?;
        read.values.insert(key.name, Given { key: key.name, texts, source });
        Ok(())
    }

    fn not_a_section(&self, section: &str, name: &Spanned<Cow<'_, str>>, value: &Spanned<DeValue<'_>>) -> ConfigError {
        ConfigError::BadValue {
            source_: self.source(name.span().start),
            name: section.into(),
            value: self.text.get(value.span()).unwrap_or_default().into(),
            reason: format!("it is a table: [{section}]"),
        }
    }

    fn credentials(&self, value: &DeValue<'_>, at: usize) -> Result<Vec<Credential>, ConfigError> {
        let bad =
            |at: usize, reason: &str| ConfigError::BadCredential { source_: self.source(at), reason: reason.into() };
        let DeValue::Array(entries) = value else {
            return Err(bad(at, "credentials are tables: [[credentials]]"));
        };
        let entries = entries.iter().map(|entry| match entry.get_ref() {
            DeValue::Table(table) => self.credential(table, entry.span().start),
            _ => Err(bad(entry.span().start, "credentials are tables: [[credentials]]")),
        });
        entries.collect()
    }

    fn credential(&self, table: &DeTable<'_>, at: usize) -> Result<Credential, ConfigError> {
        let mut fields: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, value) in table {
            let source_ = self.source(name.span().start);
            let name = name.get_ref().as_ref();
            let Some(known) = CREDENTIAL_KEYS.iter().find(|known| **known == name) else {
                let nearest = nearest(name, CREDENTIAL_KEYS.iter().copied()).map(String::from);
                return Err(ConfigError::UnknownKey { source_, name: format!("credentials.{name}"), nearest });
            };
            let DeValue::String(text) = value.get_ref() else {
                return Err(ConfigError::BadCredential {
                    source_,
                    reason: format!("{known} is a text: put it in \"…\""),
                });
            };
            fields.insert(known, text);
        }
        let source_ = self.source(at);
        let missing =
            |name: &str| ConfigError::BadCredential { source_: source_.clone(), reason: format!("{name} is missing") };
        let account = fields.get("account").map(|account| account.parse()).transpose();
        let account = account.map_err(|error: afterward_names::NotAnAccountId| ConfigError::BadCredential {
            source_: source_.clone(),
            reason: error.to_string(),
        })?;
        let id = fields.get("access_key_id").ok_or_else(|| missing("access_key_id"))?;
        let secret = fields.get("secret_access_key").ok_or_else(|| missing("secret_access_key"))?;
        credential(id, secret, account, &source_)
    }

    fn source(&self, at: usize) -> Source {
        let before = self.text.get(..at).unwrap_or(self.text);
        Source::File { path: self.path.into(), line: before.matches('\n').count() + 1 }
    }
}

/// The value's texts, if it is of the key's kind.
fn texts(key: &Key, value: &DeValue<'_>) -> Result<Vec<String>, &'static str> {
    match (key.kind, value) {
        (Kind::Text, DeValue::String(text)) => Ok(vec![text.to_string()]),
        (Kind::Text, _) => Err("it is a text: put it in \"…\""),
        (Kind::Switch, DeValue::Boolean(on)) => Ok(vec![on.to_string()]),
        (Kind::Switch, _) => Err("it is true or false"),
        (Kind::Number, DeValue::Integer(number)) => i128::from_str_radix(number.as_str(), number.radix())
            .map(|number| vec![number.to_string()])
            .map_err(|_| "it is a whole number"),
        (Kind::Number, _) => Err("it is a whole number"),
        (Kind::List, DeValue::Array(items)) => items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                _ => Err("it is a list of texts"),
            })
            .collect(),
        (Kind::List, _) => Err("it is a list: [\"…\"]"),
    }
}
