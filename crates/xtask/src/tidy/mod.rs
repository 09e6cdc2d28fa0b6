//! The house rules. Each is a module with one function, most of them from the tree's files, to breaches, and each
//! breach says what is wrong, why that is a rule, and how to mend it.

mod edges;
mod footprint;
mod layout;
mod purity;
mod source;
mod words;

use crate::shell::Trouble;
use source::{Source, tree};
use std::fmt;

/// One place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breach {
    /// From the root of the repository.
    path: String,
    /// 1 and up; 0 for the whole file.
    line: usize,
    what: String,
    rule: &'static Rule,
}

/// A rule's reason and remedy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    why: &'static str,
    mend: &'static str,
}

impl Rule {
    fn broken(&'static self, path: &str, line: usize, what: impl Into<String>) -> Breach {
        Breach { path: path.to_owned(), line, what: what.into(), rule: self }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Breach { path, line, what, rule } = self;
        match line {
            0 => writeln!(f, "{path}: {what}")?,
            line => writeln!(f, "{path}:{line}: {what}")?,
        }
        write!(f, "    why:  {}\n    mend: {}", rule.why, rule.mend)
    }
}

/// Checks every rule.
///
/// # Errors
/// When one is broken, or the tree can't be read.
pub(crate) fn run() -> Result<(), Trouble> {
    let files = tree()?;
    let mut breaches = Vec::new();
    for rule in [edges::check, layout::check, purity::check, words::check] {
        breaches.extend(rule(&files));
    }
    breaches.extend(footprint::check()?);
    let (median, largest) = layout::lengths(&files);
    println!("{} Rust files: the median has {median} lines, the largest ({}) {}", largest.2, largest.0, largest.1);
    if breaches.is_empty() {
        return Ok(());
    }
    for breach in &breaches {
        println!("{breach}");
    }
    Err(Trouble::new(format!("{} house rules broken", breaches.len())))
}
