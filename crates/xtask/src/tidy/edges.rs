//! Which crate may use which: the rings.

use super::{Breach, Rule, Source};

/// Every crate and what it may depend on, from the bottom up. Tests may use more: only `[dependencies]` and
/// `[build-dependencies]` count.
const RINGS: &[(&str, &[&str])] = &[
    ("names", &[]),
    ("timetable", &[]),
    ("machine", &["names"]),
    ("record", &["machine", "names"]),
    ("aws", &["names"]),
    ("log", &[]),
    ("derive", &[]),
    ("afterward", &["aws", "derive", "names", "timetable"]),
    ("broker", &["log", "machine", "names", "record"]),
    ("sim", &["broker", "log", "machine", "names", "record"]),
    ("scheduler", &["broker", "names", "timetable"]),
    ("gateway", &["aws", "broker", "names", "scheduler", "timetable"]),
    ("server", &["aws", "broker", "gateway", "log", "machine", "names", "record", "scheduler"]),
    ("cli", &["afterward", "aws", "log", "names", "server", "timetable"]),
    ("bench", &["afterward", "aws"]),
    ("listing", &[]),
    ("xtask", &[]),
];

/// Edges that go up, for a feature that is off by default: the library's `testing` has a server in the test's process. What
/// a program gets without the feature, the footprint rule looks at.
const OPTIONAL: &[(&str, &str)] = &[("afterward", "server")];

static RING: Rule = Rule {
    why: "dependencies point down the rings of ARCHITECTURE.md, so that each crate can be read, tested and replaced alone",
    mend: "move the code to the crate that may know both, or pass what is needed in; \
           a new crate gets its place in crates/xtask/src/tidy/edges.rs and in ARCHITECTURE.md",
};

/// A crate's folder name, from its package name.
fn folder(package: &str) -> Option<&str> {
    match package {
        "afterward" => Some("afterward"),
        _ => package.strip_prefix("afterward-"),
    }
}

pub(super) fn check(files: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in files {
        let Some(name) = file.crate_name().filter(|name| file.path == format!("crates/{name}/Cargo.toml")) else {
            continue;
        };
        let Some((_, allowed)) = RINGS.iter().find(|(known, _)| *known == name) else {
            breaches.push(RING.broken(&file.path, 0, format!("the crate {name} has no place in the rings")));
            continue;
        };
        for (line, package) in dependencies(&file.text) {
            let is_optional = |used: &str| OPTIONAL.contains(&(name, used)) && says_optional(&file.text, line);
            if let Some(used) = folder(package).filter(|used| !allowed.contains(used) && !is_optional(used)) {
                breaches.push(RING.broken(&file.path, line, format!("{name} may not depend on {used}")));
            }
        }
    }
    breaches
}

/// The packages that a manifest's `[dependencies]` and `[build-dependencies]` name, of every target, with their lines.
fn dependencies(manifest: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (at, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            let counts = |kind: &str| section == kind || section.ends_with(&format!(".{kind}"));
            inside = counts("dependencies") || counts("build-dependencies");
            let one = section.split_once("dependencies.").filter(|(kind, _)| !kind.ends_with("dev-"));
            found.extend(one.map(|(_, package)| (at + 1, package)));
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            let package = line.split(['.', ' ', '=']).next().unwrap_or_default();
            found.push((at + 1, package.trim_matches('"')));
        }
    }
    found
}

/// Whether the dependency that this line of a manifest names is optional, in the one way that we write it.
fn says_optional(manifest: &str, line: usize) -> bool {
    manifest.lines().nth(line.wrapping_sub(1)).is_some_and(|text| text.contains("optional = true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, text: &str) -> Source {
        Source { path: format!("crates/{name}/Cargo.toml"), text: text.to_owned() }
    }

    #[test]
    fn an_edge_up_the_rings_is_found_however_it_is_written() {
        for text in [
            "[dependencies]\nafterward-broker.workspace = true",
            "[dependencies]\nafterward-broker = { path = \"../broker\" }",
            "[dependencies.afterward-broker]\npath = \"../broker\"",
            "[target.'cfg(unix)'.dependencies]\nafterward-broker = \"1\"",
            "[build-dependencies]\nafterward-broker.workspace = true",
        ] {
            let breaches = check(&[manifest("machine", text)]);
            assert_eq!(breaches.len(), 1, "{text}");
            assert_eq!(breaches[0].what, "machine may not depend on broker");
        }
    }

    #[test]
    fn the_librarys_way_up_to_the_server_is_there_for_a_feature_alone() {
        for (manifest, breaches) in [
            (manifest("afterward", "[dependencies]\nafterward-server = { workspace = true, optional = true }"), 0),
            (manifest("afterward", "[dependencies]\nafterward-server.workspace = true"), 1),
            (manifest("afterward", "[dependencies]\nafterward-broker = { workspace = true, optional = true }"), 1),
            (manifest("derive", "[dependencies]\nafterward-server = { workspace = true, optional = true }"), 1),
        ] {
            assert_eq!(check(std::slice::from_ref(&manifest)).len(), breaches, "{}", manifest.text);
        }
    }

    #[test]
    fn edges_down_the_rings_other_peoples_crates_and_tests_are_free() {
        for text in [
            "[dependencies]\nafterward-names.workspace = true\nthiserror.workspace = true",
            "[dev-dependencies]\nafterward-broker.workspace = true",
            "[dev-dependencies.afterward-broker]\npath = \"../broker\"",
            "[package]\nafterward-broker = 1",
        ] {
            assert_eq!(check(&[manifest("machine", text)]), [], "{text}");
        }
    }

    #[test]
    fn a_crate_without_a_place_is_told() {
        assert_eq!(check(&[manifest("stranger", "")]).len(), 1);
    }

    #[test]
    fn the_rings_have_no_way_up() {
        for (at, (name, uses)) in RINGS.iter().enumerate() {
            for used in *uses {
                assert!(
                    RINGS[..at].iter().any(|(below, _)| below == used),
                    "{name} uses {used}, which is not below it"
                );
            }
        }
    }
}
