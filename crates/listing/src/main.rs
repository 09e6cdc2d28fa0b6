//! The public interface of a crate as text, for people and for `cargo xtask api` to compare.
//!
//! It reads what rustdoc writes as JSON and prints each public item on a line of its own. Of what the compiler and derives
//! implement, a line says that it is there, for a type that is no longer `Clone` or `Send` is a change like any other; their
//! methods, and what holds for every type there is, are left out. It knows nothing of cargo.
#![allow(clippy::print_stdout, clippy::print_stderr)] // printing is what it is for

use public_api::Builder;
use std::{collections::HashSet, process::ExitCode};

fn main() -> ExitCode {
    let Some(json) = std::env::args().nth(1) else {
        eprintln!("Usage: afterward-listing RUSTDOC.json");
        return ExitCode::FAILURE;
    };
    match listing(&json) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{json} can't be read: {error}");
            ExitCode::FAILURE
        }
    }
}

fn listing(json: &str) -> Result<String, public_api::Error> {
    let everything = Builder::from_rustdoc_json(json).omit_blanket_impls(true);
    let by_hand = everything.clone().omit_auto_trait_impls(true).omit_auto_derived_impls(true);
    Ok(condensed(&lines(everything)?, &lines(by_hand)?))
}

fn lines(builder: Builder) -> Result<Vec<String>, public_api::Error> {
    Ok(builder.build()?.items().map(ToString::to_string).collect())
}

/// `everything`, each line once, without the members of what is not `by_hand`, and without the auto traits that nobody
/// asks for by name.
fn condensed(everything: &[String], by_hand: &[String]) -> String {
    let by_hand: HashSet<&str> = by_hand.iter().map(String::as_str).collect();
    let mut seen = HashSet::new();
    let mut text = String::new();
    for line in everything {
        let is_asked_for = by_hand.contains(line.as_str()) || says_that_it_is_there(line);
        if is_asked_for && seen.insert(line.as_str()) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// Whether a line is the head of an implementation that makes a difference to users.
fn says_that_it_is_there(line: &str) -> bool {
    const LITTLE_KNOWN: &[&str] = &[
        "core::marker::Freeze for",
        "core::marker::StructuralPartialEq for",
        "core::marker::Unpin for",
        "core::marker::UnsafeUnpin for",
        "core::panic::unwind_safe::RefUnwindSafe for",
        "core::panic::unwind_safe::UnwindSafe for",
    ];
    line.starts_with("impl") && !LITTLE_KNOWN.iter().any(|name| line.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_and_auto_traits_are_a_line_each_and_nothing_is_there_twice() {
        let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<String>>();
        let everything = lines(
            "pub struct a::B
             impl a::B
             pub fn a::B::new() -> a::B
             impl core::clone::Clone for a::B
             pub fn a::B::clone(&self) -> a::B
             impl core::marker::Freeze for a::B
             impl core::marker::Send for a::B
             impl !core::marker::Sync for a::B
             impl core::panic::unwind_safe::UnwindSafe for a::B
             pub fn a::B::new() -> a::B",
        );
        let by_hand = lines("pub struct a::B\nimpl a::B\npub fn a::B::new() -> a::B\npub fn a::B::new() -> a::B");
        let expected = lines(
            "pub struct a::B
             impl a::B
             pub fn a::B::new() -> a::B
             impl core::clone::Clone for a::B
             impl core::marker::Send for a::B
             impl !core::marker::Sync for a::B",
        );
        assert_eq!(lines(&condensed(&everything, &by_hand)), expected);
    }
}
