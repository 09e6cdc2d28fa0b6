//! How the code is laid out: file sizes, module names, module documentation.

use super::{Breach, Rule, Source};

/// Lines of one file, tests aside.
const CEILING: usize = 1000;

/// Names that say where code was put instead of what it is.
const DRAWERS: &[&str] = &["util", "utils", "common", "helper", "helpers", "core", "types", "misc"];

static SIZE: Rule = Rule {
    why: "a file is one room: past the ceiling nobody holds it in mind",
    mend: "split it along its nouns into a folder of modules; tests may go to a tests.rs beside it",
};

static DRAWER: Rule =
    Rule { why: "a module named after nothing collects everything", mend: "name it after the one thing that it holds" };

static DOCS: Rule = Rule {
    why: "a reader meets the module's idea before its code",
    mend: "begin the file with //! and say what it is for, what it keeps true and what it does not know",
};

pub(super) fn check(files: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines = file.lines_before_tests();
        if lines > CEILING && !file.is_test() {
            breaches.push(SIZE.broken(
                &file.path,
                0,
                format!("{lines} lines before the tests; the ceiling is {CEILING}"),
            ));
        }
        let drawer = file.path.split('/').map(|part| part.trim_end_matches(".rs")).find(|part| DRAWERS.contains(part));
        if let Some(part) = drawer {
            breaches.push(DRAWER.broken(&file.path, 0, format!("`{part}` says nothing")));
        }
        if file.path.contains("/src/") && !file.is_test() && !has_docs(&file.text) {
            breaches.push(DOCS.broken(&file.path, 1, "no module documentation"));
        }
    }
    breaches
}

/// Whether the file begins with `//!` lines that say something, or with a document that it takes in.
fn has_docs(text: &str) -> bool {
    if text.starts_with("#![doc = include_str!(") {
        return true;
    }
    let docs = text.lines().map_while(|line| line.strip_prefix("//!"));
    docs.map(|line| line.trim().len()).sum::<usize>() >= 8
}

/// The median length of the Rust files that are not tests, and the largest: its path, its lines, and how many there are.
pub(super) fn lengths(files: &[Source]) -> (usize, (String, usize, usize)) {
    let mut lengths: Vec<(usize, &str)> = files
        .iter()
        .filter(|file| file.is_rust() && !file.is_test())
        .map(|file| (file.lines_before_tests(), file.path.as_str()))
        .collect();
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).map_or(0, |(lines, _)| *lines);
    let largest =
        lengths.last().map_or((String::new(), 0, 0), |(lines, path)| ((*path).to_owned(), *lines, lengths.len()));
    (median, largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> Vec<String> {
        check(&[Source { path: path.to_owned(), text: text.to_owned() }]).into_iter().map(|b| b.what).collect()
    }

    const DOCUMENTED: &str = "//! What this is, at some length.\n";

    #[test]
    fn a_file_over_the_ceiling_is_told_and_its_tests_do_not_count() {
        let long = format!("{DOCUMENTED}{}", "fn f() {}\n".repeat(CEILING));
        assert_eq!(told("crates/a/src/long.rs", &long).len(), 1);
        let tested = format!("{DOCUMENTED}#[cfg(test)]\nmod tests {{\n{}}}\n", "fn f() {}\n".repeat(CEILING));
        assert!(told("crates/a/src/tested.rs", &tested).is_empty());
        assert!(told("crates/a/src/long/tests.rs", &long).is_empty());
    }

    #[test]
    fn a_drawer_is_told_as_file_folder_and_crate() {
        for path in ["crates/a/src/utils.rs", "crates/a/src/common/mod.rs", "crates/core/src/lib.rs"] {
            assert_eq!(told(path, DOCUMENTED).len(), 1, "{path}");
        }
        assert!(told("crates/a/src/queue.rs", DOCUMENTED).is_empty());
    }

    #[test]
    fn a_file_without_documentation_is_told() {
        assert_eq!(told("crates/a/src/a.rs", "fn f() {}\n"), ["no module documentation"]);
        assert_eq!(told("crates/a/src/a.rs", "//! .\n"), ["no module documentation"]);
    }
}
