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
    concat!("/Us", "ers/"),
    concat!("/t", "mp/"),
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
        breaches.extend(sleeps(file, files));
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

/// Sleeps of a fixed time in test code, without a comment on the line or above it. Not meant: pauses between two looks
/// at a condition, and sleeps in folders whose tests run on a paused clock (`start_paused`), where they move it.
fn sleeps<'a>(file: &'a Source, files: &[Source]) -> impl Iterator<Item = Breach> + use<'a> {
    let is_script = [".py", ".cjs", ".mjs", ".js", ".sh"].iter().any(|end| file.path.ends_with(end));
    let looked_at = (is_script || file.is_rust()) && !(file.is_rust() && on_a_paused_clock(file, files));
    let tests_from = if file.is_test() { 0 } else { file.lines_before_tests() };
    let code: Vec<String> = match is_script {
        true => file.text.lines().map(str::to_owned).collect(),
        false => file.code().into_iter().map(|(_, line)| line).collect(),
    };
    let lines: Vec<&str> = file.text.lines().collect();
    let mark = if file.path.ends_with(".py") || file.path.ends_with(".sh") { "#" } else { "//" };
    let until = if looked_at { lines.len() } else { 0 };
    (tests_from..until).filter_map(move |at| {
        let line = code.get(at)?;
        let explained = lines[at].contains(mark) || at > 0 && lines[at - 1].trim_start().starts_with(mark);
        let between_looks =
            code[at.saturating_sub(8)..at].iter().any(|line| line.contains("loop {") || begins_while(line));
        (sleeps_in(line) && !explained && !between_looks)
            .then(|| SLEEP.broken(&file.path, at + 1, "a sleep without a reason"))
    })
}

/// Whether the file, or one beside it, has tests that start with the clock paused.
fn on_a_paused_clock(file: &Source, files: &[Source]) -> bool {
    let folder = |source: &Source| source.path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let paused = concat!("start_", "paused = true");
    files.iter().any(|other| folder(other) == folder(file) && other.text.contains(paused))
}

fn begins_while(line: &str) -> bool {
    line.trim_start().starts_with("while ")
}

/// A call that sleeps for a time that is written there: one that is handed in is a script, not luck.
fn sleeps_in(line: &str) -> bool {
    SLEEPS.iter().any(|word| {
        line.match_indices(word).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let is_call = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
            is_call && line[at..].contains(|c: char| c.is_ascii_digit())
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
        let rust = "fn f() {\n    thread::sleep(Duration::from_secs(1));\n}\n";
        assert_eq!(told("crates/a/src/a.rs", rust), 0, "not a test");
        assert_eq!(told("crates/a/tests/a.rs", rust), 1);
        assert_eq!(told("crates/a/src/a.rs", &format!("#[cfg(test)]\nmod tests {{\n{rust}}}\n")), 1);
        for reason in [
            "thread::sleep(SECOND * 2); // between two looks",
            "// the pause is what is tested\nthread::sleep(SECOND * 2);",
            "while !done() {\n    thread::sleep(SECOND * 2);\n}",
            "thread::sleep(wait);",
        ] {
            assert_eq!(told("crates/a/tests/a.rs", reason), 0, "{reason}");
        }
        let paused = format!("#[tokio::test({})]\n{rust}", concat!("start_", "paused = true"));
        assert_eq!(told("crates/a/tests/a.rs", &paused), 0, "it moves the clock");
        assert_eq!(told("tests/a.py", "time.sleep(1)"), 1);
        assert_eq!(told("tests/a.py", "time.sleep(0.1)  # between two looks"), 0);
    }
}
