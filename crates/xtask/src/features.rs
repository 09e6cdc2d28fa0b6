//! The library with each set of features that somebody may choose: what is behind a feature is compiled and linted without
//! the others, too.

use crate::{
    shell::{Trouble, run_in, workspace_root},
    tally::{self, Tally},
};

const MANIFEST: &str = "crates/afterward/Cargo.toml";

/// Runs clippy over the library alone: without features, with each, and with all of them. The rest of the workspace, and the
/// library's tests, have the features that they name.
///
/// # Errors
/// When clippy finds something.
pub(crate) fn lint() -> Result<(), Trouble> {
    let root = workspace_root();
    let manifest = std::fs::read_to_string(root.join(MANIFEST));
    let manifest = manifest.map_err(|error| Trouble::new(format!("{MANIFEST}: {error}")))?;
    for set in sets(&manifest) {
        println!("  {}", set.join(" "));
        let lint = ["clippy", "--quiet", "--package", "afterward", "--lib"];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        run_in(&root, "cargo", &[&lint, &set[..], &["--", "-D", "warnings"]].concat())?;
    }
    Ok(())
}

/// The tests of what the workspace's own do not compile: keys by Amazon's standard chain, whose feature nobody here has.
///
/// # Errors
/// When cargo can't be started.
pub(crate) fn test() -> Result<Tally, Trouble> {
    tally::of_cargo_test(&["test", "--package", "afterward", "--lib", "--features", "aws-config", "--", "sqs::chain"])
}

/// cargo's arguments for each set of the features in this manifest.
fn sets(manifest: &str) -> Vec<Vec<String>> {
    let section = manifest.split_once("\n[features]\n").map_or("", |(_, rest)| rest);
    let section = section.split_once("\n[").map_or(section, |(section, _)| section);
    let names = section.lines().filter_map(|line| line.split_once(" = [")).map(|(name, _)| name);
    let names = names.filter(|name| *name != "default");
    let none = vec!["--no-default-features".to_owned()];
    let each = names.map(|name| vec![none[0].clone(), "--features".to_owned(), name.to_owned()]);
    let mut sets: Vec<Vec<String>> = each.collect();
    sets.insert(0, none.clone());
    sets.push(vec!["--all-features".to_owned()]);
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_are_none_each_alone_and_all() {
        let manifest = "[package]\n[features]\ndefault = [\"a\"]\n# What it is.\na = [\"dep:x\"]\nb = []\n\n[dependencies]\nc = [1]";
        let sets: Vec<String> = sets(manifest).iter().map(|set| set.join(" ")).collect();
        let none = "--no-default-features";
        let expected = [none.to_owned(), format!("{none} --features a"), format!("{none} --features b")];
        assert_eq!(sets[..3], expected);
        assert_eq!(sets[3..], ["--all-features"]);
    }
}
