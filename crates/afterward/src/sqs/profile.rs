//! The files that AWS's tools share: `~/.aws/credentials` and `~/.aws/config`.

use super::Credential;
use std::{collections::BTreeMap, path::PathBuf};

/// The settings of one profile, from one file.
pub(super) type Section = BTreeMap<String, String>;

/// The section of `profile` in the text of a credentials file (`[name]`) or of a config file (`[profile name]`, but
/// `[default]`). Sections that appear twice are one; settings nested below a setting (indented) are none of ours.
pub(super) fn section(text: &str, profile: &str, file: File) -> Option<Section> {
    let mut found: Option<Section> = None;
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with([' ', '\t']) || line.trim().is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = line.trim().strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            inside = names(header.trim(), profile, file);
            if inside {
                found.get_or_insert_default();
            }
        } else if let (true, Some((key, value))) = (inside, line.split_once('=')) {
            found.get_or_insert_default().insert(key.trim().to_ascii_lowercase(), without_comment(value).to_owned());
        }
    }
    found
}

/// A profile that keys were found in. Who renews them (a login, a role's session) writes them there again.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(super) name: String,
    /// The two files, of which the first that has keys gives them.
    pub(super) files: [(File, PathBuf); 2],
}

impl Profile {
    /// The keys that it has now.
    pub(super) fn keys(&self) -> Option<Credential> {
        self.files.iter().find_map(|(file, path)| {
            let text = std::fs::read_to_string(path).ok()?;
            keys_of(&mut section(&text, &self.name, *file)?)
        })
    }
}

/// The keys that a section has, with its session's token.
pub(super) fn keys_of(section: &mut Section) -> Option<Credential> {
    let (access_key_id, secret_access_key) =
        section.remove("aws_access_key_id").zip(section.remove("aws_secret_access_key"))?;
    Some(Credential { access_key_id, secret_access_key, session_token: section.remove("aws_session_token") })
}

/// Which of the two files, for they write their headers differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum File {
    Credentials,
    Config,
}

fn names(header: &str, profile: &str, file: File) -> bool {
    match (file, header.split_once(char::is_whitespace)) {
        (File::Credentials, _) => header == profile,
        (File::Config, Some(("profile", name))) => name.trim().trim_matches('"') == profile,
        (File::Config, _) => header == "default" && profile == "default",
    }
}

/// A comment after a value starts with ` #` or ` ;`; a bare `#` may be part of a secret.
fn without_comment(value: &str) -> &str {
    let end = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark)).min().unwrap_or(value.len());
    value[..end].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIALS: &str = "
[default]
aws_access_key_id = AKDEFAULT
aws_secret_access_key=s#cret=with/signs # but not this
; a comment
[work]
AWS_ACCESS_KEY_ID = AKWORK
";
    const CONFIG: &str = "
[default]
region = eu-west-1
s3 =
  region = nested-and-not-ours
[profile work]
region=ap-south-1
[sso-session work]
region = elsewhere
";

    #[test]
    fn each_file_names_its_profiles_its_own_way() {
        let get = |text, profile, file, key: &str| section(text, profile, file).and_then(|s| s.get(key).cloned());
        for (text, profile, file, key, value) in [
            (CREDENTIALS, "default", File::Credentials, "aws_access_key_id", Some("AKDEFAULT")),
            (CREDENTIALS, "default", File::Credentials, "aws_secret_access_key", Some("s#cret=with/signs")),
            (CREDENTIALS, "work", File::Credentials, "aws_access_key_id", Some("AKWORK")),
            (CREDENTIALS, "work", File::Credentials, "aws_secret_access_key", None),
            (CREDENTIALS, "other", File::Credentials, "aws_access_key_id", None),
            (CONFIG, "default", File::Config, "region", Some("eu-west-1")),
            (CONFIG, "work", File::Config, "region", Some("ap-south-1")),
            (CONFIG, "other", File::Config, "region", None),
        ] {
            assert_eq!(get(text, profile, file, key).as_deref(), value, "{profile} {file:?} {key}");
        }
    }
}
