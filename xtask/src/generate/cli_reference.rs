//! The reference of the command line, from the types that parse it.

use std::fmt::Write;

use clap::{Arg, Command};

use super::walk;

/// The page.
pub(super) fn text(cli: &Command) -> String {
    let mut page = String::from(
        "# The command line\n\n<!-- Written by `cargo xtask gen`. -->\n\n\
         Global options go for every command and stand once, under `tradectl`. What a \
         command ends with: [exit codes](exit-codes.md). What it prints with \
         `--output json`: [schemas](schema/).\n\n",
    );
    walk(cli, "", &mut |way, _| {
        let depth = way.split(' ').count() - 1;
        let anchor = way.replace(' ', "-");
        let _infallible = writeln!(page, "{}- [`{way}`](#{anchor})", "  ".repeat(depth));
    });
    walk(cli, "", &mut |way, command| section(&mut page, way, command));
    page
}

fn section(page: &mut String, way: &str, command: &Command) {
    let _infallible = write!(page, "\n## `{way}`\n\n");
    let about = command.get_long_about().or(command.get_about());
    if let Some(about) = about {
        let _infallible = write!(page, "{}\n\n", about.to_string().trim());
    }
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let _infallible = write!(page, "```text\n{usage}\n```\n");
    if let Some(after) = command.get_after_long_help().or(command.get_after_help()) {
        let _infallible = write!(page, "\n{}\n", after.to_string().trim());
    }
    let root = !way.contains(' ');
    let shown = |arg: &&Arg| {
        let everywhere = arg.is_global_set() || arg.get_id() == "help" || arg.get_id() == "version";
        !arg.is_hide_set() && (root || !everywhere)
    };
    let args: Vec<&Arg> = command.get_arguments().filter(shown).collect();
    if args.is_empty() {
        return;
    }
    page.push_str("\n| option | meaning |\n|---|---|\n");
    for arg in args {
        let _infallible = writeln!(page, "| {} | {} |", name(arg), cell(&meaning(arg)));
    }
}

/// `-v, --verbose`, `--env <NAME>`, `<SHELL>`.
fn name(arg: &Arg) -> String {
    let mut parts = Vec::new();
    if let Some(short) = arg.get_short() {
        parts.push(format!("`-{short}`"));
    }
    let values: Vec<String> = if arg.get_action().takes_values() {
        let names = arg.get_value_names().unwrap_or_default();
        names.iter().map(|name| format!("<{name}>")).collect()
    } else {
        Vec::new()
    };
    let values = values.join(" ");
    match arg.get_long() {
        Some(long) if values.is_empty() => parts.push(format!("`--{long}`")),
        Some(long) => parts.push(format!("`--{long} {values}`")),
        None if arg.is_positional() => parts.push(format!("`{values}`")),
        None => {}
    }
    parts.join(", ")
}

/// The help, the values that are taken, the default.
fn meaning(arg: &Arg) -> String {
    let mut text = arg
        .get_long_help()
        .or(arg.get_help())
        .map(|help| help.to_string().trim().to_owned())
        .unwrap_or_default();
    if !text.ends_with(['.', ':']) {
        text.push('.');
    }
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if arg.get_action().takes_values() && !values.is_empty() {
        let _infallible = write!(text, " Values: {}.", values.join(", "));
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        let _infallible = write!(text, " Default: `{}`.", defaults.join(" "));
    }
    if arg.is_required_set() {
        text.push_str(" Required.");
    }
    text
}

/// A text that stays in its cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
