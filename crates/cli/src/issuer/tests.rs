use super::folder::Folder;
use crate::args::Cli;
use afterward::token::{Jwks, Token};
use clap::Parser;
use std::fs;

fn run(folder: &std::path::Path, words: &[&str]) -> Result<(), String> {
    let folder = folder.to_str().unwrap();
    let line = ["afterward", "issuer"].into_iter().chain(words.iter().copied()).chain(["--folder", folder]);
    let crate::args::Command::Issuer(issuer) = Cli::try_parse_from(line).unwrap().command else { panic!("{words:?}") };
    super::run(issuer).map_err(|failure| format!("{failure:?}"))
}

#[test]
fn an_issuer_is_made_used_published_and_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new").join("issuers");
    assert!(run(&path, &["ls"]).is_ok(), "there is no folder yet");
    let create = format!("`afterward issuer create --folder {}` makes one", path.display());
    assert!(run(&path, &["jwks"]).unwrap_err().contains(&create));
    run(&path, &["create"]).unwrap();

    let folder = Folder::at(Some(path.clone())).unwrap();
    let kept = folder.all().unwrap().issuers.pop().unwrap();
    let kid = kept.issuer.kid().to_owned();
    assert_eq!(kept.file, path.join(format!("{kid}.pem")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&kept.file), mode(&path)), (0o600, 0o700));
    }
    assert!(Token::new(kept.issuer.clone(), "api").get().is_ok());
    let published = kept.issuer.jwks().to_json().to_string();
    assert!(!published.contains("\"d\""), "{published}");
    assert!(Jwks::parse(&published).unwrap().kids().eq([kid.as_str()]));

    fs::write(path.join("note.pem"), "no key").unwrap();
    fs::write(path.join("README"), "no key").unwrap();
    assert_eq!(folder.all().unwrap().issuers.len(), 1, "what is no key is passed over");
    assert!(run(&path, &["ls"]).is_ok());
    assert!(run(&path, &["jwks", &kid]).is_ok());
    let error = run(&path, &["jwks"]).unwrap_err();
    assert!(error.contains("note.pem: mend or remove it"), "not all could be published: {error}");
    assert!(run(&path, &["jwks", "other"]).unwrap_err().contains("no issuer `other`"));
    assert!(run(&path, &["rm", &kid]).unwrap_err().contains("--force"));
    assert!(kept.file.exists());
    run(&path, &["rm", kept.issuer.name(), "--force"]).unwrap();
    assert!(folder.all().unwrap().issuers.is_empty());
}

#[cfg(unix)]
#[test]
fn a_folder_is_told_so_that_it_is_found_from_elsewhere() {
    let here = std::env::current_dir().unwrap();
    let folder = Folder::at(Some("ada's issuers".into())).unwrap();
    assert_eq!(folder.path(), here.join("ada's issuers"));
    let told = folder.command("jwks");
    assert!(told.starts_with("afterward issuer jwks --folder '/") && told.ends_with(r"/ada'\''s issuers'"), "{told}");
    let standard = Folder::at(None).unwrap();
    assert_eq!(standard.command("jwks"), "afterward issuer jwks");
}
