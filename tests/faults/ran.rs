//! What a command of the real binary left behind, and what is to be seen in it.

use std::fmt;
use std::process::Output;

use serde_json::Value;
use trading_core::model::Utc;

/// What a command left behind.
pub(crate) struct Ran {
    /// The exit code; `None`: a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
    /// The one document on stdout.
    pub(crate) fn json(&self) -> Value {
        let document =
            serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self}"));
        crate::contract::assert_keeps(&document);
        document
    }
    /// The ids of its findings.
    pub(crate) fn findings(&self) -> Vec<String> {
        let document = self.json();
        let findings = document["findings"].as_array().expect("findings").clone();
        findings.iter().map(|it| it["id"].as_str().expect("an id").to_owned()).collect()
    }
    /// It ended with this word and this code; its document.
    pub(crate) fn ended(&self, outcome: &str, code: i32) -> Value {
        let document = self.json();
        assert_eq!(
            (document["outcome"].as_str(), self.code),
            (Some(outcome), Some(code)),
            "{self}"
        );
        document
    }
    /// It was killed where it was to be.
    pub(crate) fn was_killed(&self) -> bool {
        self.code.is_none()
    }
}

/// When the latch was committed, as the stop that wrote it says.
pub(crate) fn latched_at(document: &Value) -> Utc {
    let at = document["data"]["timing"]["latched_at"].as_str().expect("a latch");
    at.parse().expect("a time")
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit {:?}", self.code)?;
        write!(f, "--- stdout\n{}--- stderr\n{}", self.out, self.err)
    }
}
