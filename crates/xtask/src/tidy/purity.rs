//! What the inner rings may not touch: `machine` no clock, IO or chance; nothing below the gateway the words of AWS.

use super::{Breach, Rule, Source};

static PURE: Rule = Rule {
    why: "machine is replayed from the log: the same events must give the same state, today and in a later release",
    mend: "let the caller pass it in with the command; for maps use BTreeMap or an index type of machine's own",
};

static DOMAIN: Rule = Rule {
    why: "only aws and gateway know AWS's shapes; the rings below speak of queues and messages, so that another protocol can stand beside",
    mend: "answer with a Refusal or a Reply and let the gateway find AWS's word for it",
};

/// Modules and items of `std` that let the world into `machine`.
const OUTSIDE: &[&str] = &[
    "std::time",
    "std::thread",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::io",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::hash::RandomState",
];

/// Crates that do.
const CHANCE: &[&str] = &["rand::", "getrandom::", "tokio::", "fastrand::"];

/// Crates that don't speak AWS, and the words that give it away in code and strings.
const INNER: &[&str] = &["machine", "record", "log", "broker", "names"];
const WIRE_WORDS: &[&str] = &["x-amz", "X-Amz", "com.amazonaws", "AWS.SimpleQueueService", "AmazonSQS"];

pub(super) fn check(files: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && file.path.contains("/src/")) {
        if file.crate_name() == Some("machine") {
            breaches.extend(impure(file));
        }
        if file.crate_name().is_some_and(|name| INNER.contains(&name)) {
            breaches.extend(wire_words(file));
        }
    }
    breaches
}

fn impure(file: &Source) -> Vec<Breach> {
    let code: Vec<(usize, String)> = file.code();
    let mut breaches = Vec::new();
    for (line, text) in &code {
        let named = OUTSIDE.iter().chain(CHANCE).find(|word| names(text, word));
        breaches.extend(named.map(|word| PURE.broken(&file.path, *line, format!("machine uses {word}"))));
    }
    for (line, path) in imports(&code) {
        let used = OUTSIDE.iter().find(|word| path == **word || path.starts_with(&format!("{word}::")));
        let told = breaches.iter().any(|breach| breach.line == line);
        breaches
            .extend(used.filter(|_| !told).map(|word| PURE.broken(&file.path, line, format!("machine uses {word}"))));
    }
    breaches
}

/// Whether `text` holds `path` as a path of its own, not as the end of a longer one.
fn names(text: &str, path: &str) -> bool {
    text.match_indices(path).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + path.len()..].chars().next();
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !word(before) && before != Some(':') && (path.ends_with("::") || !word(after))
    })
}

/// Every path that the file's `use` lines import, braces opened, with the line where the statement begins.
fn imports(code: &[(usize, String)]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let (line, text) = &code[at];
        let begun = text.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        if let Some(first) = begun.strip_prefix("use ") {
            let mut statement = first.to_owned();
            while !statement.contains(';') && at + 1 < code.len() {
                at += 1;
                statement.push_str(&code[at].1);
            }
            let statement: String = statement.split(';').next().unwrap_or_default().split_whitespace().collect();
            open(&statement, "", &mut |path| found.push((*line, path)));
        }
        at += 1;
    }
    found
}

/// `a::{b,c::{d}}` → `a::b`, `a::c::d`.
fn open(tree: &str, prefix: &str, each: &mut impl FnMut(String)) {
    let mut depth = 0;
    let mut begin = 0;
    let ends = tree.char_indices().chain([(tree.len(), ',')]);
    for (at, c) in ends {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let branch = &tree[begin..at];
                match branch.split_once('{') {
                    Some((stem, inner)) => {
                        open(inner.strip_suffix('}').unwrap_or(inner), &format!("{prefix}{stem}"), each);
                    }
                    None => each(format!("{prefix}{branch}")),
                }
                begin = at + 1;
            }
            _ => {}
        }
    }
}

fn wire_words(file: &Source) -> Vec<Breach> {
    let lines = file.text.lines().enumerate();
    let code = lines.filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.filter_map(|(at, line)| {
        let word = WIRE_WORDS.iter().find(|word| line.contains(**word))?;
        Some(DOMAIN.broken(&file.path, at + 1, format!("`{word}` is a word of the wire")))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> Vec<String> {
        check(&[Source { path: path.to_owned(), text: text.to_owned() }]).into_iter().map(|b| b.what).collect()
    }

    #[test]
    fn machine_lets_nothing_in_from_outside() {
        for text in [
            "use std::time::Instant;",
            "use std::{fmt, time::{Duration, Instant}};",
            "use std::{\n    fmt,\n    collections::{BTreeMap, HashMap},\n};",
            "let x = std::fs::read(path);",
            "let x: std::collections::HashMap<u8, u8>;",
            "let x = rand::random();",
        ] {
            assert_eq!(told("crates/machine/src/state.rs", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_fine() {
        for text in [
            "use std::{fmt, collections::BTreeMap};",
            "use crate::time::Wheel;",
            "// std::time is not used here",
            "let text = \"std::time\";",
            "let operand::x = 1;",
        ] {
            assert!(told("crates/machine/src/state.rs", text).is_empty(), "{text}");
        }
        assert!(told("crates/broker/src/clock.rs", "use std::time::SystemTime;").is_empty());
    }

    #[test]
    fn words_of_the_wire_stay_outside() {
        let text = "const H: &str = \"x-amzn-query-error\";";
        assert_eq!(told("crates/broker/src/broker.rs", text).len(), 1);
        assert!(told("crates/gateway/src/sqs.rs", text).is_empty());
        assert!(told("crates/broker/src/broker.rs", "/// x-amz headers are the gateway's").is_empty());
    }
}
