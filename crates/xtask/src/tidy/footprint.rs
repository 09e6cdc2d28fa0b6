//! What a program gets that names the library: no server, and few crates.

use super::{Breach, Rule};
use crate::shell::{Trouble, output_of, workspace_root};
use std::collections::BTreeSet;

const MANIFEST: &str = "crates/afterward/Cargo.toml";
/// Crates of ours that make up a server, or are on the way to one.
const SERVERS: &[&str] = &[
    "afterward-server",
    "afterward-gateway",
    "afterward-broker",
    "afterward-scheduler",
    "afterward-machine",
    "afterward-log",
];
/// The library by its default features, itself included, on Linux: `cargo tree` told 66 when this was written.
const MOST_CRATES: usize = 70;

static FOOTPRINT: Rule = Rule {
    why: "the library is built into other people's programs, which talk to a server and don't contain one, and each crate that \
          it brings is theirs to build, to audit and to update",
    mend: "put what needs it behind a feature that is off by default, or do without; \
           `cargo tree -p afterward -e normal -i CRATE` tells who brings it",
};

/// # Errors
/// When cargo does not tell.
pub(super) fn check() -> Result<Vec<Breach>, Trouble> {
    let arguments = "tree --package afterward --edges normal --prefix none --target x86_64-unknown-linux-gnu";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let tree = output_of(&workspace_root(), "cargo", &arguments)
        .ok_or_else(|| Trouble::new("`cargo tree --package afterward` failed: the library's footprint is not known"))?;
    Ok(breaches(&tree))
}

/// What is wrong with a tree of lines such as `serde v1.0.0 (*)`.
fn breaches(tree: &str) -> Vec<Breach> {
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let servers = SERVERS.iter().filter(|name| crates.contains(**name));
    let mut breaches: Vec<Breach> = servers
        .map(|name| FOOTPRINT.broken(MANIFEST, 0, format!("by its default features it brings {name}")))
        .collect();
    if crates.len() > MOST_CRATES {
        let what = format!("by its default features it is {} crates; the ceiling is {MOST_CRATES}", crates.len());
        breaches.push(FOOTPRINT.broken(MANIFEST, 0, what));
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(tree: &str) -> Vec<String> {
        breaches(tree).into_iter().map(|breach| breach.what).collect()
    }

    #[test]
    fn a_server_in_the_tree_is_told_and_so_are_too_many_crates() {
        let fine = "afterward v0.1.0 (/home/a)\nserde v1.0.0\nserde v1.0.0 (*)\n\nafterward-names v0.1.0\n";
        assert!(told(fine).is_empty());
        assert_eq!(
            told(&format!("{fine}afterward-server v0.1.0\n")),
            ["by its default features it brings afterward-server"]
        );
        let many: String = (0..=MOST_CRATES).map(|number| format!("crate-{number} v1.0.0\n")).collect();
        assert_eq!(told(&many).len(), 1);
        assert!(told(&many.repeat(2)).len() == 1 && told(&many.replacen("crate-0 v1.0.0\n", "", 1)).is_empty());
    }
}
