//! Words that no committed file may hold: unfinished work, one machine's paths, hosts of registries, unexplained sleeps.

use super::{Breach, Rule, Source};

static UNFINISHED: Rule = Rule {
    why: "what is committed works: an unfinished part answers a clear error instead, and the issue tells of it",
    mend: "finish it, leave it out, or write down what is missing where people look for it",
};

static PLACE: Rule = Rule {
    why: "the repository is for every machine: a path or a host of one place means nothing elsewhere",
    mend: "use a path relative to the repository, a temporary folder, or the package manager's own name for a registry",
};

static SLEEP: Rule = Rule {
    why: "a test that sleeps waits for luck: too short on a slow machine, wasted on a fast one",
    mend: "wait on a condition, or move the clock; where a pause is what is being tested, say so in a comment on its line",
};

// Written in two parts, so that this file keeps its own rule.
const UNFINISHED_CODE: &[&str] = &[concat!("to", "do!("), concat!("unimpl", "emented!(")];
const UNFINISHED_TEXT: &[&str] = &[concat!("FIX", "ME"), concat!("XX", "X")];
const PLACES: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/tmp/", "brief"),
    concat!("/tmp/", "target"),
    concat!("crates", ".io"),
    concat!("npm", "js"),
    concat!("py", "pi.org"),
    concat!("deb.", "debian"),
    concat!("pythonhosted", ".org"),
];
const SLEEPS: &[&str] = &["sleep(", "setTimeout("];

pub(super) fn check(files: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in files {
        let is_lock = file.path.ends_with("Cargo.lock"); // cargo names the registry's index in it
        for (at, line) in file.text.lines().enumerate() {
            let mut found = |rule: &'static Rule, word: &str| {
                breaches.push(rule.broken(&file.path, at + 1, format!("`{word}`")));
            };
            if let Some(word) = UNFINISHED_TEXT.iter().find(|word| has_word(line, word)) {
                found(&UNFINISHED, word);
            }
            if let Some(word) = PLACES.iter().find(|word| !is_lock && line.contains(**word)) {
                found(&PLACE, word);
            }
        }
        if file.is_rust() {
            breaches.extend(unfinished_code(file));
        }
        breaches.extend(sleeps(file));
    }
    breaches
}

/// `word` as a word of its own: mktemp's patterns are not meant.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !touches(line[..at].chars().next_back()) && !touches(line[at + word.len()..].chars().next())
    })
}

fn unfinished_code(file: &Source) -> Vec<Breach> {
    let found = file.code().into_iter().filter_map(|(line, code)| {
        let word = UNFINISHED_CODE.iter().find(|word| code.contains(**word))?;
        Some(UNFINISHED.broken(&file.path, line, format!("`{word}…)`")))
    });
    found.collect()
}

/// Sleeps in test code without a comment on the line or above it.
fn sleeps(file: &Source) -> Vec<Breach> {
    let is_script = [".py", ".cjs", ".mjs", ".js", ".sh"].iter().any(|end| file.path.ends_with(end));
    if !is_script && !file.is_rust() {
        return Vec::new();
    }
    let tests_from = if file.is_test() { 0 } else { file.lines_before_tests() };
    let code: Vec<String> = if is_script {
        file.text.lines().map(str::to_owned).collect()
    } else {
        file.code().into_iter().map(|(_, line)| line).collect()
    };
    let lines: Vec<&str> = file.text.lines().collect();
    let mark = if file.path.ends_with(".py") || file.path.ends_with(".sh") { "#" } else { "//" };
    let explained = |at: usize| lines[at].contains(mark) || at > 0 && lines[at - 1].trim_start().starts_with(mark);
    let found =
        (tests_from..lines.len()).filter(|&at| code.get(at).is_some_and(|line| sleeps_in(line)) && !explained(at));
    found.map(|at| SLEEP.broken(&file.path, at + 1, "a sleep without a reason")).collect()
}

fn sleeps_in(line: &str) -> bool {
    SLEEPS.iter().any(|word| {
        line.match_indices(word).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_') && !line.trim_start().starts_with("def ")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> usize {
        check(&[Source { path: path.to_owned(), text: text.to_owned() }]).len()
    }

    #[test]
    fn unfinished_work_is_told() {
        assert_eq!(told("crates/a/src/a.rs", &format!("fn f() {{ {}) }}", UNFINISHED_CODE[0])), 1);
        assert_eq!(told("crates/a/src/a.rs", &format!("// {}) in a comment is talk", UNFINISHED_CODE[0])), 0);
        assert_eq!(told("README.md", &format!("{}: later", UNFINISHED_TEXT[0])), 1);
        assert_eq!(told("a.sh", &format!("mktemp -d name.{0}{0}", UNFINISHED_TEXT[1])), 0);
    }

    #[test]
    fn places_are_told_but_not_in_lock_files() {
        assert_eq!(told("README.md", &format!("see {}main", PLACES[0])), 1);
        assert_eq!(told("Cargo.lock", PLACES[4]), 0);
        assert_eq!(told("README.md", "network/fetch"), 0);
    }

    #[test]
    fn a_sleep_in_a_test_needs_a_reason() {
        let rust = "fn f() {\n    thread::sleep(x);\n}\n";
        assert_eq!(told("crates/a/src/a.rs", rust), 0, "not a test");
        assert_eq!(told("crates/a/tests/a.rs", rust), 1);
        assert_eq!(told("crates/a/src/a.rs", &format!("#[cfg(test)]\nmod tests {{\n{rust}}}\n")), 1);
        assert_eq!(told("crates/a/tests/a.rs", "thread::sleep(x); // between two looks"), 0);
        assert_eq!(told("crates/a/tests/a.rs", "// the pause is what is tested\nthread::sleep(x);"), 0);
        assert_eq!(told("tests/a.py", "time.sleep(1)"), 1);
        assert_eq!(told("tests/a.py", "time.sleep(0.1)  # between two looks"), 0);
    }
}
