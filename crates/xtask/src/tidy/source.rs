//! The repository's files, with what the rules ask of them.

use crate::shell::{Trouble, output_of, workspace_root};

/// One file that is, or could be, committed.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// From the root, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// `NAME` of `crates/NAME/…`.
    pub(crate) fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Whether the whole file is test code.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| {
            part == "tests" || part == "tests.rs" || part.ends_with("_tests.rs") || part.starts_with("test_")
        })
    }

    /// How many lines stand before the module of tests at the file's end.
    pub(crate) fn lines_before_tests(&self) -> usize {
        let lines: Vec<&str> = self.text.lines().collect();
        let is_module =
            |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
        lines.windows(2).position(is_module).unwrap_or(lines.len())
    }

    /// The lines as code: comments and the insides of strings blanked, numbers from 1.
    pub(crate) fn code(&self) -> Vec<(usize, String)> {
        code_of(&self.text).lines().map(str::to_owned).enumerate().map(|(at, line)| (at + 1, line)).collect()
    }
}

/// Every file that git tracks, or would if it were added, and that is text.
///
/// # Errors
/// Outside a git work tree.
pub(crate) fn tree() -> Result<Vec<Source>, Trouble> {
    let root = workspace_root();
    let listed = output_of(&root, "git", &["ls-files", "--cached", "--others", "--exclude-standard"])
        .ok_or_else(|| Trouble::new("`git ls-files` failed: the house rules look at a git work tree"))?;
    let files = listed.lines().filter_map(|path| {
        let text = std::fs::read_to_string(root.join(path)).ok()?;
        Some(Source { path: path.to_owned(), text })
    });
    Ok(files.collect())
}

/// `text` with comments and the contents of string and character literals replaced by spaces, line by line as it was.
pub(crate) fn code_of(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match (chars[at], chars.get(at + 1)) {
            ('/', Some('/')) => end_of_line(&chars, at),
            ('/', Some('*')) => end_of_block_comment(&chars, at),
            ('"', _) => end_of_string(&chars, at),
            ('r', Some('"' | '#')) if !follows_a_word(&chars, at) => end_of_raw_string(&chars, at),
            ('\'', _) => end_of_char(&chars, at),
            _ => at + 1,
        };
        if end == at + 1 {
            out.push(chars[at]);
        } else {
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
        }
        at = end;
    }
    out
}

fn follows_a_word(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') && chars[at - 1] != 'b'
}

fn end_of_line(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|&c| c == '\n').map_or(chars.len(), |length| at + length)
}

fn end_of_block_comment(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut here = at;
    while here < chars.len() {
        match (chars[here], chars.get(here + 1)) {
            ('/', Some('*')) => (depth, here) = (depth + 1, here + 2),
            ('*', Some('/')) => (depth, here) = (depth - 1, here + 2),
            _ => here += 1,
        }
        if depth == 0 {
            return here;
        }
    }
    chars.len()
}

fn end_of_string(chars: &[char], at: usize) -> usize {
    let mut here = at + 1;
    while here < chars.len() {
        match chars[here] {
            '\\' => here += 2,
            '"' => return here + 1,
            _ => here += 1,
        }
    }
    chars.len()
}

fn end_of_raw_string(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at + 1; // a raw identifier
    }
    let mut here = at + 2 + hashes;
    while here < chars.len() {
        let closes =
            chars[here] == '"' && chars[here + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes;
        if closes {
            return here + 1 + hashes;
        }
        here += 1;
    }
    chars.len()
}

/// The end of a character literal; a lifetime is code.
fn end_of_char(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            chars[at + 3..].iter().position(|&c| c == '\'').map_or(chars.len(), |length| at + length + 4)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_code_stays_in_its_place() {
        for (text, code) in [
            ("let a = 1; // no", "let a = 1;      "),
            ("a /* x /* y */ z */ b", "a                   b"),
            ("f(\"a\\\"b\")", "f(      )"),
            ("f(r#\"a\"b\"#)", "f(        )"),
            ("'x' 'a: &'a '\\n' '\\''", "    'a: &'a          "),
            ("br\"raw\" bar \"s\"", "b       bar    "),
            ("r#type", "r#type"),
        ] {
            assert_eq!(code_of(text), code, "{text}");
        }
        assert_eq!(code_of("\"two\nlines\" x").lines().count(), 2);
    }
}
