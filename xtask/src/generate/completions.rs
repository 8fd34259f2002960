//! Completions for each shell, the same text that `tradectl completions SHELL` prints.

use clap::{CommandFactory, ValueEnum};
use clap_complete::{Generator, Shell, generate};

use super::Files;
use crate::sh::Outcome;

/// Adds one file per shell.
pub(super) fn add(files: &mut Files) -> Outcome {
    for shell in Shell::value_variants() {
        let mut text = Vec::new();
        generate(*shell, &mut tradectl::cli::Cli::command(), "tradectl", &mut text);
        let text = String::from_utf8(text).map_err(|error| format!("{shell}: {error}"))?;
        files.insert(format!("completions/{}", shell.file_name("tradectl")), text);
    }
    Ok(())
}
