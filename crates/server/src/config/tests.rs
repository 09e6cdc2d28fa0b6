//! Settings, as tables: what is written where, and what comes of it.

use super::*;
use std::collections::HashMap;

/// Merges a file's text, variables and flags, with a home directory set.
fn load(file: &str, variables: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Result<Config, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("afterward.toml");
    std::fs::write(&path, file).unwrap();
    let mut environment: HashMap<String, String> =
        variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    environment.entry("XDG_DATA_HOME".into()).or_insert_with(|| "/var/data".into());
    let sources = Sources {
        file: Some(path.clone()),
        variables: environment,
        flags: flags.iter().map(|(name, value)| (*name, value.to_string())).collect(),
    };
    Config::load(&sources).map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
}

#[test]
fn nothing_said_gives_the_defaults() {
    let config = load("", &[], &[]).unwrap();
    assert_eq!(config, Config::at(default_data_directory(|_| Some("/var/data".into())).unwrap()));
    assert_eq!(config.listen.to_string(), "127.0.0.1:4566");
    assert_eq!(config.durability, Durability::Flush);
    assert!(config.jobs.create && !config.jobs.public && !config.sqs.cooldowns);
}

#[test]
fn every_key_can_be_set_in_the_file_by_variable_and_by_flag() {
    let examples = [
        ("listen", "\"127.0.0.1:1\"", "127.0.0.1:1"),
        ("data", "\"/d\"", "/d"),
        ("ephemeral", "true", "true"),
        ("durability", "\"os\"", "os"),
        ("clock", "\"manual\"", "manual"),
        ("log_level", "\"debug\"", "debug"),
        ("sqs.cooldowns", "true", "true"),
        ("jobs.queue", "\"work\"", "work"),
        ("jobs.account", "\"123456789012\"", "123456789012"),
        ("jobs.region", "\"eu-west-1\"", "eu-west-1"),
        ("jobs.create", "false", "false"),
        ("jobs.delay_seconds", "86_400", "86400"),
        ("jobs.cors_origins", "[\"https://a.example\", \"http://b:8080\"]", "https://a.example, http://b:8080"),
        ("jobs.public", "true", "true"),
        ("scheduler.http_targets", "\"off\"", "off"),
        ("limits.body_bytes", "2_000_000", "2000000"),
        ("limits.bodies_bytes", "3_000_000", "3000000"),
        ("limits.replies_bytes", "5_000_000", "5000000"),
        ("limits.header_seconds", "3", "3"),
        ("limits.body_seconds", "4", "4"),
        ("limits.idle_seconds", "6", "6"),
        ("limits.connections", "7", "7"),
    ];
    assert_eq!(examples.map(|(name, ..)| name).as_slice(), KEYS.iter().map(|key| key.name).collect::<Vec<_>>());
    let default = load("", &[], &[]).unwrap();
    for (name, toml, text) in examples {
        let key = Key::named(name).unwrap();
        let by_file = load(&format!("{name} = {toml}"), &[], &[]).unwrap();
        let by_variable = load("", &[(&key.variable(), text)], &[]).unwrap();
        let by_flag = load("", &[], &[(key.name, text)]).unwrap();
        assert_ne!(by_file, default, "{name} changes something");
        assert_eq!(by_file, by_variable, "{name}");
        assert_eq!(by_file, by_flag, "{name}");
    }
}

#[test]
fn http_targets_reach_everything_unless_there_are_credentials_or_it_is_said() {
    let credential = "[[credentials]]\naccess_key_id = \"a\"\nsecret_access_key = \"b\"";
    for (setting, file, expected) in [
        ("", "", HttpTargets::Any),
        ("", credential, HttpTargets::Public),
        ("scheduler.http_targets = \"any\"\n", credential, HttpTargets::Any),
        ("scheduler.http_targets = \"public\"\n", "", HttpTargets::Public),
    ] {
        let config = load(&format!("{setting}{file}"), &[], &[]).unwrap();
        assert_eq!(config.http_targets(), expected, "{setting}{file}");
    }
    let wrong = load("scheduler.http_targets = \"none\"", &[], &[]).unwrap_err();
    assert!(wrong.contains("`any`, `public`"), "{wrong}");
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let file = "[jobs]\nqueue = \"from-file\"";
    let queue = |variables: &[(&str, &str)], flags: &[(&'static str, &str)]| {
        load(file, variables, flags).unwrap().jobs.queue.to_string()
    };
    let variable = [("AFTERWARD_JOBS_QUEUE", "from-variable")];
    assert_eq!(queue(&[], &[]), "from-file");
    assert_eq!(queue(&variable, &[]), "from-variable");
    assert_eq!(queue(&variable, &[("jobs.queue", "from-flag")]), "from-flag");
}

#[test]
fn data_and_ephemeral_are_one_question_and_the_later_source_answers_it() {
    let ephemeral = |file: &str, variables: &[(&str, &str)], flags: &[(&'static str, &str)]| {
        load(file, variables, flags).unwrap().data == Data::Ephemeral
    };
    assert!(ephemeral("data = \"/d\"", &[], &[("ephemeral", "true")]));
    assert!(!ephemeral("ephemeral = true", &[], &[("data", "/d")]));
    assert!(!ephemeral("ephemeral = false", &[], &[]));
    let both = load("", &[], &[("ephemeral", "true"), ("data", "/d")]).unwrap_err();
    assert_eq!(both, "--data and --ephemeral contradict each other: give one of them");
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_what_to_do() {
    for (file, says) in [
        ("listne = \"x\"", "FILE, line 1: there is no setting `listne`; did you mean `listen`?"),
        ("\n[jobs]\nqeue = \"x\"", "FILE, line 3: there is no setting `jobs.qeue`; did you mean `jobs.queue`?"),
        ("[job]\nqueue = \"x\"", "FILE, line 1: there is no setting `job`; did you mean `jobs`?"),
        ("colour = 1", "FILE, line 1: there is no setting `colour`; did you mean `clock`?"),
        ("jobs = 3", "FILE, line 1: `jobs` can't be \"3\": it is a table: [jobs]"),
        (
            "durability = \"fsync\"",
            "FILE, line 1: `durability` can't be \"fsync\": it is `flush` (on disk before it is acknowledged) or `os` \
             (left to the operating system)",
        ),
        (
            "clock = \"2016-12-31T23:59:60Z\"",
            "FILE, line 1: `clock` can't be \"2016-12-31T23:59:60Z\": it is `system`, `manual` (time stands still until it is \
             moved), or a time such as 2026-01-01T00:00:00Z that a manual clock begins at",
        ),
        (
            "clock = \"2026-01-01\"",
            "FILE, line 1: `clock` can't be \"2026-01-01\": it is `system`, `manual` (time stands still until it is moved), or a \
             time such as 2026-01-01T00:00:00Z that a manual clock begins at",
        ),
        ("ephemeral = \"yes\"", "FILE, line 1: `ephemeral` can't be \"\\\"yes\\\"\": it is true or false"),
        (
            "[jobs]\ndelay_seconds = 1209600",
            "FILE, line 2: `jobs.delay_seconds` can't be \"1209600\": it is a whole number from 0 to 1209599",
        ),
        (
            "[jobs]\ncors_origins = [\"example.com\"]",
            "FILE, line 2: `jobs.cors_origins` can't be \"example.com\": \"example.com\" is no origin: it is * or reads \
             https://app.example.com",
        ),
        (
            "jobs.queue = \"jobs.fifo\"",
            "FILE, line 1: `jobs.queue` can't be \"jobs.fifo\": jobs go to a standard queue",
        ),
        (
            "jobs.queue = \"afterward-invocations\"",
            "FILE, line 1: `jobs.queue` can't be \"afterward-invocations\": in that queue calls of schedules wait; it is the \
             server's own",
        ),
        ("[[credentials]]\naccess_key_id = \"a\"", "FILE, line 1: secret_access_key is missing"),
        (
            "[[credentials]]\naccess_key = \"a\"",
            "FILE, line 2: there is no setting `credentials.access_key`; did you mean `access_key_id`?",
        ),
        (
            "[[credentials]]\naccess_key_id = \"a\"\nsecret_access_key = \"s\"\naccount = \"12\"",
            "FILE, line 1: an account id is 12 decimal digits",
        ),
    ] {
        assert_eq!(load(file, &[], &[]).unwrap_err(), says, "{file}");
    }
    let not_toml = load("listen = ", &[], &[]).unwrap_err();
    assert!(not_toml.starts_with("the configuration file FILE is not valid TOML: "), "{not_toml}");
}

#[test]
fn a_wrong_value_names_the_variable_or_the_flag_that_gave_it() {
    let variable = load("", &[("AFTERWARD_LISTEN", "4566")], &[]).unwrap_err();
    assert_eq!(
        variable,
        "environment variable AFTERWARD_LISTEN: `listen` can't be \"4566\": it is an address and a port, such as \
         127.0.0.1:4566"
    );
    let flag = load("", &[], &[("limits.connections", "many")]).unwrap_err();
    assert!(flag.starts_with("--limits-connections: `limits.connections` can't be \"many\""), "{flag}");
}

#[test]
fn others_are_let_in_only_with_credentials() {
    for open in ["0.0.0.0:4566", "[::]:4566", "192.168.1.2:4566", "[::ffff:10.0.0.1]:4566"] {
        let refusal = load("", &[], &[("listen", open)]).unwrap_err();
        assert!(refusal.starts_with(&format!("{open} can be reached by other machines")), "{refusal}");
        assert!(refusal.contains("[[credentials]]"), "it says what to do: {refusal}");
        let credentials = "[[credentials]]\naccess_key_id = \"ada\"\nsecret_access_key = \"lovelace\"";
        assert!(load(credentials, &[], &[("listen", open)]).is_ok());
    }
    for closed in ["127.0.0.1:4566", "127.3.2.1:80", "[::1]:4566"] {
        assert!(load("", &[], &[("listen", closed)]).is_ok(), "{closed}");
    }
}

#[test]
fn credentials_come_from_the_file_and_from_the_environment() {
    let file = "[[credentials]]\naccess_key_id = \"ada\"\nsecret_access_key = \"s1\"\naccount = \"123456789012\"";
    let variables = [("AFTERWARD_ACCESS_KEY_ID", "bob"), ("AFTERWARD_SECRET_ACCESS_KEY", "s2")];
    let config = load(file, &variables, &[]).unwrap();
    let ids: Vec<_> = config.credentials.iter().map(|credential| credential.access_key_id.as_str()).collect();
    assert_eq!(ids, ["ada", "bob"]);
    assert_eq!(config.credentials[0].account.unwrap().to_string(), "123456789012");
    assert!(!format!("{config:?}").contains("s1"), "secrets are not shown");
    let half = load("", &variables[..1], &[]).unwrap_err();
    assert_eq!(half, "environment variable AFTERWARD_ACCESS_KEY_ID: AFTERWARD_SECRET_ACCESS_KEY has to be set with it");
}

#[test]
fn a_misspelt_variable_raises_a_doubt_and_a_schedulers_own_does_not() {
    let variables =
        ["AFTERWARD_LISTN", "AFTERWARD_LISTEN", "AFTERWARD_PORT", "AFTERWARD_SERVICE_HOST", "AFTERWARD_URL"];
    let sources = Sources {
        variables: variables.iter().map(|name| (name.to_string(), String::new())).collect(),
        ..Sources::default()
    };
    assert_eq!(
        sources.doubts(),
        ["environment variable AFTERWARD_LISTN is not a setting; did you mean AFTERWARD_LISTEN?"]
    );
}
