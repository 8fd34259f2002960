//! `tradectl config`: what is set, where it comes from, and whether it holds.

use std::path::PathBuf;

use serde::Serialize;
use trading_core::report::{Block, Cell, Exit, Finding, Report, Severity, Tone};

use super::Session;
use crate::error::Fault;
use crate::settings::{self, Access, FileKind, Setting, Settings, VARIABLES};
use crate::ui::Format;

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Shows every value with its origin: flag, variable, file, profile or default.
    Show,
    /// Checks every settings file and variable, and says everything that is wrong.
    Check,
}

/// `config show`'s part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Shown<'a> {
    settings: Vec<&'a Setting>,
    /// Every environment that can be named.
    environments: Vec<String>,
    files: Vec<ReadFile>,
    /// What brings another process to the same environment.
    launch_args: &'a [String],
    /// What AWS environments still need before they can be asked.
    lacks: &'a [String],
}

/// `config check`'s part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Checked {
    /// Those that hold.
    environments: Vec<String>,
    files: Vec<ReadFile>,
}

/// A settings file that was read.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ReadFile {
    /// `user`, `project` or `named`.
    kind: &'static str,
    path: String,
}

/// Runs the command.
pub(super) async fn run(command: &Command, session: &Session<'_>) -> Result<Report, Fault> {
    match command {
        Command::Show => show(session),
        Command::Check => check(session).await,
    }
}

fn show(session: &Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Read)?;
    let settings = session.settings()?;
    let global = globals(settings, &environment.name, &environment.named_by.to_string());
    let mut report = Report::new("config.show", "shown", Exit::Ok);
    report.body.push(Block::Heading("global".to_owned()));
    report.body.push(table(&global));
    report.body.push(Block::Heading(format!("environment {}", environment.name)));
    report.body.push(table(&environment.settings));
    report.body.push(Block::Heading("files".to_owned()));
    report.body.extend(
        settings
            .files
            .iter()
            .map(|(kind, path)| Block::line(format!("{}: {}", kind_word(*kind), path.display()))),
    );
    if settings.files.is_empty() {
        let path = settings.paths.user_file.display();
        report.body.push(Block::line(format!("none read; yours would be {path}")));
    }
    let data = Shown {
        settings: global.iter().chain(&environment.settings).collect(),
        environments: settings.environments()?,
        files: read_files(&settings.files),
        launch_args: &environment.launch_args,
        lacks: &environment.lacks,
    };
    report.data = serde_json::to_value(data).unwrap_or_default();
    Ok(report)
}

/// What goes for every command.
fn globals(settings: &Settings, name: &str, named_by: &str) -> Vec<Setting> {
    let setting =
        |key: &str, value: String, origin: String| Setting { key: key.to_owned(), value, origin };
    let output = match settings.output.value {
        Format::Human => "human",
        Format::Json => "json",
        Format::JsonLines => "jsonl",
    };
    let deadline = settings
        .deadline
        .as_ref()
        .map_or(("the command's own".to_owned(), "default".to_owned()), |deadline| {
            (format!("{:?}", deadline.value), deadline.origin.to_string())
        });
    vec![
        setting("env", name.to_owned(), named_by.to_owned()),
        setting("output", output.to_owned(), settings.output.origin.to_string()),
        setting(
            "timeout",
            format!("{:?}", settings.timeout.value),
            settings.timeout.origin.to_string(),
        ),
        setting("deadline", deadline.0, deadline.1),
        setting(
            "show_account",
            settings.show_account.value.to_string(),
            settings.show_account.origin.to_string(),
        ),
        setting(
            "state_root",
            settings.paths.state_root.display().to_string(),
            "environment variables".to_owned(),
        ),
    ]
}

fn table(settings: &[Setting]) -> Block {
    let row = |Setting { key, value, origin }: &Setting| {
        vec![Cell::plain(key), Cell::plain(value), Cell::toned(origin, Tone::Dim)]
    };
    Block::Table {
        columns: vec!["key", "value", "origin"],
        rows: settings.iter().map(row).collect(),
    }
}

fn read_files(files: &[(FileKind, PathBuf)]) -> Vec<ReadFile> {
    let file = |(kind, path): &(FileKind, PathBuf)| ReadFile {
        kind: kind_word(*kind),
        path: path.display().to_string(),
    };
    files.iter().map(file).collect()
}

fn kind_word(kind: FileKind) -> &'static str {
    match kind {
        FileKind::User => "user",
        FileKind::Project => "project",
        FileKind::Named => "named",
    }
}

async fn check(session: &Session<'_>) -> Result<Report, Fault> {
    let mut report = Report::new("config.check", "valid", Exit::Ok);
    report.errors = settings::problems(session.ctx, session.globals)?;
    let mut checked = Vec::new();
    let mut lines = Vec::new();
    if report.errors.is_empty() {
        let settings = session.settings()?;
        for name in settings.environments()? {
            match settings.environment_named(&name) {
                Ok(environment) => {
                    // What the shell holds may keep it from being asked all the same.
                    lines.push(match environment.asks_where_it_should(session.ctx).await {
                        Ok(()) => format!("{name}: holds"),
                        Err(fault) => format!("{name}: holds, and is refused here: {fault}"),
                    });
                    checked.push(name);
                }
                Err(fault) => report.errors.push(fault.problem()),
            }
        }
        // What the command line and the variables name must exist too.
        match session.environment(Access::Read) {
            Err(fault) if !report.errors.contains(&fault.problem()) => {
                report.errors.push(fault.problem());
            }
            Err(_) => {}
            // So must the way to the one that is meant be the one that every command would take.
            Ok(environment) => {
                let refused = environment.asks_where_it_should(session.ctx).await.err();
                report.errors.extend(refused.map(|fault| fault.problem()));
            }
        }
    }
    report.findings = strange_variables(session);
    if !report.errors.is_empty() {
        "invalid".clone_into(&mut report.outcome);
        report.exit = Exit::Settings;
    } else if !report.findings.is_empty() {
        "doubtful".clone_into(&mut report.outcome);
        report.exit = Exit::No;
    }
    report.body.extend(lines.into_iter().map(Block::line));
    let files = session.settings.as_ref().map(|settings| settings.files.as_slice());
    let data = Checked { environments: checked, files: read_files(files.unwrap_or_default()) };
    report.data = serde_json::to_value(data).unwrap_or_default();
    Ok(report)
}

/// Variables that look like ours and are not: a slip there would be silent otherwise.
fn strange_variables(session: &Session<'_>) -> Vec<Finding> {
    let ours = session.ctx.vars.keys().filter(|name| name.starts_with("TRADECTL_"));
    let strange = ours.filter(|name| VARIABLES.iter().all(|(it, _)| it != name));
    let finding = |name: &String| {
        let meant = trading_core::report::nearest(name, VARIABLES.map(|(it, _)| it));
        Finding {
            id: "settings.unknown_variable".to_owned(),
            severity: Severity::Warning,
            subject: name.clone(),
            message: match meant {
                Some(meant) => format!("is not read by tradectl; did you mean {meant}?"),
                None => "is not read by tradectl".to_owned(),
            },
            evidence: vec!["it is set in this process's environment".to_owned()],
            next: Some(format!("unset {name}")),
        }
    };
    strange.map(finding).collect()
}

/// The shapes of `data` in the JSON documents, by command.
#[cfg(feature = "schema")]
pub(super) fn data_schemas() -> [(&'static str, schemars::Schema); 2] {
    use trading_core::report::schema_of;
    [("config.check", schema_of::<Checked>()), ("config.show", schema_of::<Shown<'_>>())]
}
