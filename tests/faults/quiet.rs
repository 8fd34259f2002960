//! What must not happen: a dry run that changes something, a secret that is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::field::Field;

#[test]
fn a_dry_run_changes_nothing() {
    let field = Field::new(1, 3);
    let before = field.dump();
    for words in [
        &["emergency-stop", "--dry-run"][..],
        &["emergency-stop", "--dry-run", "--flatten", "--output", "json"],
        &["emergency-stop", "--dry-run", "--level", "reduce-only"],
        &["resume", "--dry-run", "--reason", "a test"],
    ] {
        let ran = field.run("alice", words);
        // Nothing runs here, so the venue's orders are not known.
        assert!(matches!(ran.code, Some(0 | 23)), "{ran}");
        assert_eq!(field.dump(), before, "{words:?}: {ran}");
    }
    assert_eq!(field.journals("alice").len(), 0);
    assert!(!field.paths().notifications().exists());

    // And of a resume that has something to plan.
    field.stop("alice", &["--deadline", "4s"]);
    let held = field.dump();
    let journals = field.journals("alice");
    let ran = field.run("alice", &["resume", "--dry-run", "--reason", "a test"]);
    assert!(ran.out.contains("demo-001"), "there is something to plan: {ran}");
    assert_eq!(field.dump(), held, "{ran}");
    assert_eq!(field.journals("alice"), journals);
}

const PLANTED: &str = "hunter2-PLANTED-hunter2";

#[test]
fn a_planted_secret_is_never_told() {
    let webhook = format!(
        "[environments.{}.notify]\nwebhook = \"http://127.0.0.1:9/{PLANTED}\"\n",
        crate::field::NAME
    );
    let field = Field::with(1, 2, &webhook, |_| {});
    let secrets = field.paths().secrets();
    fs::write(&secrets, format!("[venue]\nkey = \"{PLANTED}\"\n")).expect("written");
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).expect("a mode");
    let field = field.started();
    let mut told = Vec::new();
    for words in [
        &["doctor"][..],
        &["config", "show"],
        &["config", "show", "--output", "json"],
        &["status", "-v"],
        &["status", "--output", "json"],
        &["emergency-stop", "--dry-run", "--output", "json"],
        &["emergency-stop", "--yes", "-v", "--log-file", "log"],
        &["emergency-stop", "--yes", "--output", "jsonl"],
        &["resume", "--yes", "--reason", "a test", "-v", "--log-file", "log"],
        &["local", "status"],
        &["local", "logs"],
    ] {
        let ran = field.run("alice", words);
        assert!(ran.code != Some(2), "a command that there is not: {ran}");
        told.push(ran);
    }
    let notified = told.iter().any(|ran| ran.out.contains("could not be sent"));
    assert!(notified, "the webhook was tried, or this test shows nothing");
    for ran in &told {
        assert!(!shows(&ran.out) && !shows(&ran.err), "{ran}");
    }
    for path in files(field.root()) {
        let settings = field.root().join("tradectl.toml");
        if path == secrets || path == settings {
            continue;
        }
        let bytes = fs::read(&path).unwrap_or_default();
        assert!(!shows(&String::from_utf8_lossy(&bytes)), "{}", path.display());
    }
    assert!(shows(&fs::read_to_string(&secrets).expect("read")), "it is planted");
}

fn shows(text: &str) -> bool {
    text.contains(PLANTED)
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("readable").flatten() {
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}
