//! The rules of the house that the compiler and clippy cannot check. Each rule names the
//! file, the line and what to do.
//!
//! | room | what it holds |
//! |---|---|
//! | [`source`] | files as tokens: what stands in a comment or a string is not code |
//! | [`reach`] | which files are part of a crate, and which only of its tests |
//! | [`rooms`] | who may name what: streams, sleeps, SDKs, the database, the core's bans |
//! | [`lengths`] | files, functions, command files |
//! | [`attrs`] | lint exceptions with their reasons, documentation that is never run |
//! | [`crates`] | the core's dependencies, licences, duplicates |
//! | [`python`] | the test server's Python files |
//! | [`text`] | no machine's paths in what we ship |

mod attrs;
mod crates;
mod lengths;
mod python;
mod reach;
mod rooms;
pub(crate) mod source;
mod text;

use std::fmt;

use crate::sh::{self, Outcome};

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// The file, from the repository's root.
    path: String,
    /// The line, counted from one; 0 where the file as a whole is meant.
    line: usize,
    /// The rule's name.
    rule: &'static str,
    /// What is wrong, and what to do.
    message: String,
    /// Said, but not refused.
    warning: bool,
}

impl Problem {
    fn error(path: &str, line: usize, rule: &'static str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, rule, message: message.into(), warning: false }
    }
    fn warning(self) -> Self {
        Self { warning: true, ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.warning { "warning" } else { "error" };
        write!(f, "{}:{}: {kind} [{}] {}", self.path, self.line, self.rule, self.message)
    }
}

/// Checks the repository.
pub(crate) fn run() -> Outcome {
    let root = sh::root();
    let metadata = crates::Metadata::read()?;
    let mut sources = source::load(&root)?;
    let mut problems = reach::check(&metadata.roots(&root), &mut sources);
    for source in &sources {
        rooms::check(source, &mut problems);
        lengths::check(source, &mut problems);
        attrs::check(source, &mut problems);
    }
    crates::check(&metadata, &mut problems);
    python::check(&root, &mut problems)?;
    text::check(&root, &mut problems)?;
    problems.sort();
    let errors = problems.iter().filter(|problem| !problem.warning).count();
    for problem in &problems {
        sh::say(&problem.to_string());
    }
    if errors == 0 { Ok(()) } else { Err(format!("tidy: {errors} broken rules")) }
}
