//! What the compiler says about wrong programs: each in `wrong/` must fail with the one error, and the words, that its first
//! lines name.
//!
//! ```text
//! // error: what the error says, in its first line
//! // says: words that stand somewhere below it
//! ```
//!
//! rustc compiles them against the library that this test was built with. Only what is ours, and the compiler's own first
//! lines, are compared, so that a later compiler may explain more, or better.
#![allow(clippy::unwrap_used)] // clippy exempts tests, but not the functions they call

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

/// What a program is compiled against.
struct Library {
    dependencies: PathBuf,
    afterward: PathBuf,
    serde: PathBuf,
}

impl Library {
    /// The newest of those that cargo has built here with which a program that is right compiles: cargo does not say which
    /// of them is this test's.
    fn built() -> Library {
        let test = env::current_exe().unwrap();
        let dependencies = test.parent().unwrap().to_owned();
        for afterward in newest_first(&dependencies, "libafterward-") {
            for serde in newest_first(&dependencies, "libserde-") {
                let library = Library { dependencies: dependencies.clone(), afterward: afterward.clone(), serde };
                if library.compile(&program("right")).status.success() {
                    return library;
                }
            }
        }
        panic!("no library in {} compiles wrong/right.rs", dependencies.display());
    }

    fn compile(&self, source: &str) -> Output {
        let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
            .args(["--edition", "2024", "--crate-type", "bin", "--crate-name", "program", "--emit", "metadata=-"])
            .arg("-L")
            .arg(format!("dependency={}", self.dependencies.display()))
            .arg("--extern")
            .arg(format!("afterward={}", self.afterward.display()))
            .arg("--extern")
            .arg(format!("serde={}", self.serde.display()))
            .arg("-")
            // Where it may leave types that are too long to show.
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("rustc is there, for it has compiled this");
        rustc.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
        rustc.wait_with_output().unwrap()
    }
}

fn newest_first(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let is_wanted = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(prefix) && name.ends_with(".rlib")
    };
    let mut files: Vec<PathBuf> = files.filter(is_wanted).collect();
    files.sort_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok());
    files.reverse();
    files
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong")
}

fn program(name: &str) -> String {
    fs::read_to_string(folder().join(name).with_extension("rs")).unwrap()
}

/// The wrong programs, by name.
fn wrong_programs() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let names = files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name != "right").collect();
    names.sort();
    names
}

/// What is wrong with what the compiler says about a program, if anything.
fn complaint(name: &str, library: &Library) -> Option<String> {
    let source = program(name);
    let output = library.compile(&source);
    let said = String::from_utf8_lossy(&output.stderr);
    let complain = |what: &str| Some(format!("--- {name}: {what}. The compiler says:\n{said}"));
    if output.status.success() {
        return complain("it compiles");
    }
    let is_count = |line: &&str| line.starts_with("error: aborting");
    let errors: Vec<&str> =
        said.lines().filter(|line| line.starts_with("error")).filter(|line| !is_count(line)).collect();
    let named = |word: &'static str| source.lines().filter_map(move |line| line.strip_prefix(word)?.strip_prefix(": "));
    let expected: Vec<&str> = named("// error").collect();
    let are_the_same =
        errors.len() == expected.len() && errors.iter().zip(&expected).all(|(error, words)| error.ends_with(words));
    if expected.is_empty() || !are_the_same {
        return complain(&format!("expected the errors {expected:?}"));
    }
    let missing = named("// says").find(|words| !said.contains(words));
    missing.and_then(|words| complain(&format!("it should say `{words}`")))
}

#[test]
fn wrong_programs_are_told_what_is_wrong_and_what_would_be_right() {
    let library = Library::built();
    let names = wrong_programs();
    let at_once = thread::available_parallelism().map_or(1, usize::from);
    let share = names.len().div_ceil(at_once);
    let complaints: Vec<String> = thread::scope(|scope| {
        let check = |names: &'_ [String]| names.iter().filter_map(|name| complaint(name, &library)).collect::<Vec<_>>();
        let shares: Vec<_> = names.chunks(share).map(|names| scope.spawn(move || check(names))).collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
