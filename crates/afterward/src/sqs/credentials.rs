//! Where keys and regions come from when the program does not say: environment variables, then the files that AWS's tools
//! share.

use super::profile::{File, Profile, Section, keys_of, section};
use super::{Credential, Endpoint, SettingsError, keys::Keys};
use std::path::{Path, PathBuf};

/// What the process was given. A value, so that tests need not change their own process.
pub(crate) struct Environment<'a> {
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
}

/// Settings of a profile that mean: its keys come from somewhere else.
const KEYS_FROM_ELSEWHERE: [&str; 6] =
    ["sso_session", "sso_start_url", "role_arn", "credential_process", "web_identity_token_file", "login_session"];

impl Environment<'_> {
    /// A variable's value; an empty one counts as not set.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// The first of these variables that is set.
    pub(crate) fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The keys to sign with at `endpoint`, as far as they are to be found here. `profile`: one that the program asked for by
    /// name, which goes before the environment's keys.
    pub(crate) fn own_keys(&self, profile: Option<&str>, endpoint: &Endpoint) -> Result<Keys, SettingsError> {
        if let Some(profile) = profile {
            return self.keys_in_files(profile);
        }
        if let Some(credential) = self.keys_in_variables()? {
            return Ok(Keys::Fixed(credential));
        }
        let named = self.get("AWS_PROFILE");
        match self.keys_in_files(named.as_deref().unwrap_or("default")) {
            Ok(keys) => Ok(keys),
            // A local server without credentials takes any, but a request must be shaped like a signed one to have a region.
            // A profile that is meant for Amazon should not keep anybody from using it.
            Err(_) if endpoint.is_loopback() => Ok(Keys::Fixed(key("afterward", "afterward", None))),
            Err(SettingsError(why)) => Err(SettingsError(format!(
                "no credentials for {endpoint}: {why}; or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            ))),
        }
    }

    /// The region by variables, else by the profile.
    pub(super) fn region(&self, profile: Option<&str>) -> Option<String> {
        let named = profile.map(str::to_owned).or_else(|| self.get("AWS_PROFILE"));
        let profile = named.as_deref().unwrap_or("default");
        let of_profile = || self.section(File::Config, profile)?.remove("region").filter(|region| !region.is_empty());
        self.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]).or_else(of_profile)
    }

    /// The keys of a client. With the feature `aws-config`, what is not found here is Amazon's standard chain's to
    /// find, when the first request is signed.
    pub(crate) fn keys(&self, profile: Option<&str>, endpoint: &Endpoint) -> Result<Keys, SettingsError> {
        let found = self.own_keys(profile, endpoint);
        #[cfg(feature = "aws-config")]
        if found.is_err() {
            // Half a key in the variables is a mistake, and not for another provider to make up for.
            self.keys_in_variables()?;
            return Ok(Keys::Chain(super::chain::Chain::new(profile.map(str::to_owned))));
        }
        found
    }

    fn keys_in_variables(&self) -> Result<Option<Credential>, SettingsError> {
        match (self.get("AWS_ACCESS_KEY_ID"), self.get("AWS_SECRET_ACCESS_KEY")) {
            (Some(id), Some(secret)) => Ok(Some(key(&id, &secret, self.get("AWS_SESSION_TOKEN")))),
            (Some(_), None) => {
                Err(SettingsError("AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not".to_owned()))
            }
            (None, Some(_)) => {
                Err(SettingsError("AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not".to_owned()))
            }
            (None, None) => Ok(None),
        }
    }

    fn keys_in_files(&self, profile: &str) -> Result<Keys, SettingsError> {
        let mut elsewhere = None;
        for file in [File::Credentials, File::Config] {
            let Some(mut section) = self.section(file, profile) else { continue };
            if let Some(credential) = keys_of(&mut section) {
                let files = [File::Credentials, File::Config].map(|file| (file, self.path(file)));
                return Ok(Keys::Shared(credential, Profile { name: profile.to_owned(), files }));
            }
            elsewhere = elsewhere.or_else(|| KEYS_FROM_ELSEWHERE.into_iter().find(|name| section.contains_key(*name)));
        }
        Err(SettingsError(match elsewhere {
            Some(how) => format!(
                "the profile `{profile}` gets its keys by `{how}`, which needs the feature `aws-config` of the crate \
                 `afterward`; or export them with `aws configure export-credentials --profile {profile} --format env`"
            ),
            None => format!(
                "the profile `{profile}` has no aws_access_key_id and aws_secret_access_key in {} or {}",
                self.path(File::Credentials).display(),
                self.path(File::Config).display()
            ),
        }))
    }

    fn section(&self, file: File, profile: &str) -> Option<Section> {
        let text = std::fs::read_to_string(self.path(file)).ok()?;
        section(&text, profile, file)
    }

    fn path(&self, file: File) -> PathBuf {
        let (variable, name) = match file {
            File::Credentials => ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            File::Config => ("AWS_CONFIG_FILE", "config"),
        };
        let home = || self.first(&["HOME", "USERPROFILE"]).unwrap_or_default();
        self.get(variable).map_or_else(|| Path::new(&home()).join(".aws").join(name), PathBuf::from)
    }
}

fn key(id: &str, secret: &str, session_token: Option<String>) -> Credential {
    Credential { access_key_id: id.to_owned(), secret_access_key: secret.to_owned(), session_token }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// What the chain finds at an endpoint, given these variables: the access key id, or the error's text.
    fn found(variables: &[(&str, &str)], profile: Option<&str>, endpoint: &str) -> Result<String, String> {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let environment = Environment { variable: &|name| variables.get(name).cloned() };
        match environment.own_keys(profile, &endpoint.parse().unwrap()) {
            Ok(Keys::Fixed(credential) | Keys::Shared(credential, _)) => Ok(credential.access_key_id),
            Ok(_) => panic!("no keys"),
            Err(error) => Err(error.0),
        }
    }

    const LOCAL: &str = "http://127.0.0.1:4566";
    const AWAY: &str = "https://sqs.eu-west-1.amazonaws.com";

    #[test]
    fn keys_come_from_variables_then_files_then_for_loopback_from_nowhere() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join(".aws");
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(
            directory.join("credentials"),
            "[default]\naws_access_key_id=FILE\naws_secret_access_key=s\n[work]\naws_access_key_id=WORK\naws_secret_access_key=s\n",
        )
        .unwrap();
        std::fs::write(directory.join("config"), "[profile sso]\nsso_session = x\n[profile bare]\nregion = x\n")
            .unwrap();
        let home = home.path().to_str().unwrap();
        let keys = [("AWS_ACCESS_KEY_ID", "ENV"), ("AWS_SECRET_ACCESS_KEY", "s"), ("HOME", home)];

        assert_eq!(found(&keys, None, AWAY).unwrap(), "ENV");
        assert_eq!(found(&keys, Some("work"), AWAY).unwrap(), "WORK", "a profile asked for by name goes first");
        assert_eq!(found(&[("HOME", home)], None, AWAY).unwrap(), "FILE");
        assert_eq!(found(&[("HOME", home), ("AWS_PROFILE", "work")], None, AWAY).unwrap(), "WORK");
        assert_eq!(found(&[("HOME", "/nowhere")], None, LOCAL).unwrap(), "afterward");
        assert_eq!(found(&[("HOME", home), ("AWS_PROFILE", "sso")], None, LOCAL).unwrap(), "afterward");
        assert_eq!(found(&[("AWS_ACCESS_KEY_ID", ""), ("HOME", "/nowhere")], None, LOCAL).unwrap(), "afterward");

        for (variables, profile, endpoint, words) in [
            (&[("HOME", "/nowhere")][..], None, AWAY, "or set AWS_ACCESS_KEY_ID"),
            (&[("AWS_ACCESS_KEY_ID", "ENV")][..], None, LOCAL, "AWS_SECRET_ACCESS_KEY is not"),
            (&[("HOME", home)][..], Some("sso"), LOCAL, "sso_session"),
            (&[("HOME", home), ("AWS_PROFILE", "sso")][..], None, AWAY, "export-credentials --profile sso"),
            (&[("HOME", home)][..], Some("bare"), LOCAL, "the profile `bare` has no"),
        ] {
            let error = found(variables, profile, endpoint).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
