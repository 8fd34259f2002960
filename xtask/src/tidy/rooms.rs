//! Who may name what. The rules follow ARCHITECTURE.md; each looks at tokens, so that a
//! comment or a text may speak of what the code may not do.

use super::Problem;
use super::source::{Kind, Source, Token, item_end};

/// What the core may not take from `std`: it has no world.
const WORLD: [&str; 6] = ["fs", "net", "env", "process", "thread", "os"];
/// Clocks, which the core is given as arguments.
const CLOCKS: [&str; 2] = ["SystemTime", "Instant"];
/// The process's streams.
const STREAMS: [&str; 6] = ["stdout", "stderr", "stdin", "Stdout", "Stderr", "Stdin"];
/// Macros that print.
const PRINTS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];
/// Functions that wait for time to pass.
const SLEEPS: [&str; 6] =
    ["sleep", "sleep_until", "sleep_ms", "interval", "interval_at", "park_timeout"];

/// Crates with a home: nothing outside it names them, so that their types cannot cross.
const HOMES: [(&str, &[&str], &str); 4] = [
    ("aws_", &["src/platform/aws"], "the ports speak the domain's words"),
    ("rusqlite", &["src/platform/local", "src/venue"], "the ports speak the domain's words"),
    ("comfy_table", &["src/ui", "src/render"], "return a report; render it"),
    ("indicatif", &["src/ui", "src/render"], "report progress through `ui`"),
];

/// Who may know which platform it talks to: whoever opens it, and the commands that are about
/// the local one. Every other command works on each platform unchanged.
const KNOWS_PLATFORMS: [&str; 7] = [
    "src/platform",
    "src/settings",
    "src/cmd/local",
    "src/cmd/engine",
    "src/cmd/doctor",
    "src/cmd/drill",
    "src/drive/drill",
];

/// Checks one file of the product.
pub(super) fn check(source: &Source, problems: &mut Vec<Problem>) {
    if source.below("trading-core/src") {
        core(source, problems);
    }
    if source.below("src") || source.below("trading-core/src") {
        streams(source, problems);
        sleeps(source, problems);
        homes(source, problems);
        platforms(source, problems);
    }
}

/// A command does not know which platform it talks to.
fn platforms(source: &Source, problems: &mut Vec<Problem>) {
    let knows = |place: &str| source.below(place) || source.path == format!("{place}.rs");
    if KNOWS_PLATFORMS.iter().any(|place| knows(place)) {
        return;
    }
    for (at, token) in source.product().filter(|(_, token)| token.is("platform")) {
        let concrete = source.near(at, 1).is_some_and(|after| after.punct(":"))
            && source.near(at, 3).is_some_and(|name| name.is("local") || name.is("aws"));
        if concrete {
            problems.push(Problem::error(
                &source.path,
                token.line,
                "platforms",
                "a command talks to ports, never to one platform: use `Environment::open`",
            ));
        }
    }
}

/// Only `ui` names the process's streams or prints.
fn streams(source: &Source, problems: &mut Vec<Problem>) {
    if source.below("src/ui") || source.path == "src/ui.rs" {
        return;
    }
    for (at, token) in source.product() {
        let prints = PRINTS.iter().any(|name| token.is(name))
            && source.near(at, 1).is_some_and(|after| after.punct("!"))
            && source.near(at, 2).is_some_and(|after| after.kind == Kind::Open);
        let names = STREAMS.iter().any(|name| token.is(name)) && is_item(source, at);
        if prints || names {
            problems.push(Problem::error(
                &source.path,
                token.line,
                "streams",
                format!("`{}`: only src/ui names the process's streams; take a writer", token.text),
            ));
        }
    }
}

/// Only `drive`, and a platform's or venue's own process loop, sleeps.
fn sleeps(source: &Source, problems: &mut Vec<Problem>) {
    let allowed = ["src/drive", "src/platform", "src/venue"];
    if allowed.iter().any(|folder| source.below(folder)) || source.path == "src/drive.rs" {
        return;
    }
    for (at, token) in source.product() {
        if SLEEPS.iter().any(|name| token.is(name)) && is_item(source, at) {
            problems.push(Problem::error(
                &source.path,
                token.line,
                "sleeps",
                format!("`{}`: only src/drive waits for time; ask it to", token.text),
            ));
        }
    }
}

/// A crate that has a home is named only there.
fn homes(source: &Source, problems: &mut Vec<Problem>) {
    for (at, token) in source.product() {
        let Some((name, homes, why)) = HOMES.iter().find(|(name, _, _)| {
            token.kind == Kind::Ident
                && (token.text == *name || name.ends_with('_') && token.text.starts_with(name))
        }) else {
            continue;
        };
        let path = source.near(at, 1).is_some_and(|after| after.punct(":"))
            || source.near(at, -1).is_some_and(|before| before.is("use"));
        if path && !homes.iter().any(|home| source.below(home)) {
            problems.push(Problem::error(
                &source.path,
                token.line,
                "homes",
                format!("`{name}` lives in {}: {why}", homes.join(" and ")),
            ));
        }
    }
}

/// The core has no files, sockets, environment, processes, threads or clocks.
fn core(source: &Source, problems: &mut Vec<Problem>) {
    let mut say = |token: &Token| {
        problems.push(Problem::error(
            &source.path,
            token.line,
            "core",
            format!("`{}`: trading-core has no world; take it as an argument", token.text),
        ));
    };
    for (at, token) in source.product() {
        if CLOCKS.iter().any(|name| token.is(name)) {
            say(token);
        }
        if !token.is("std") || !source.near(at, 1).is_some_and(|after| after.punct(":")) {
            continue;
        }
        // `std::fs`, or one of the first names in `std::{fs, …}`.
        match source.near(at, 3) {
            Some(name) if WORLD.iter().any(|world| name.is(world)) => say(name),
            Some(brace) if brace.punct("{") => {
                let end = item_end(&source.tokens, at);
                let mut listed = source.tokens[at..=end].iter();
                listed.by_ref().find(|token| token.punct("{"));
                for name in listed.filter(|name| WORLD.iter().any(|world| name.is(world))) {
                    say(name);
                }
            }
            _ => {}
        }
    }
}

/// Whether the name is that of an item, `io::stdout` or in a `use`; a field, a method or a
/// local of the same name is neither.
fn is_item(source: &Source, at: usize) -> bool {
    let before = |offset| source.near(at, offset);
    if before(-1).is_some_and(|token| token.punct(":")) {
        return before(-2).is_some_and(|token| token.punct(":"));
    }
    // Inside the braces of a `use`: walk back to what opened the statement.
    let mut here = at;
    while let Some(token) = here.checked_sub(1).and_then(|index| source.tokens.get(index)) {
        here -= 1;
        if token.is("use") {
            return true;
        }
        let part_of_use = token.kind == Kind::Ident
            || [",", ":", "{", "}", "*"].iter().any(|text| token.punct(text));
        if !part_of_use {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::source::Source;

    fn rules(path: &str, text: &str) -> Vec<(&'static str, usize)> {
        let mut problems = Vec::new();
        check(&Source::parse(path, text).unwrap(), &mut problems);
        problems.iter().map(|problem| (problem.rule, problem.line)).collect()
    }

    #[test]
    fn only_ui_names_the_streams() {
        let text = "fn a() {\n    std::io::stdout();\n    println!(\"x\");\n}";
        assert_eq!(rules("src/cmd/a.rs", text), [("streams", 2), ("streams", 3)]);
        assert_eq!(rules("trading-core/src/a.rs", "fn a() { dbg!(1); }"), [("streams", 1)]);
        assert_eq!(rules("src/a.rs", "use std::{fs, io::{Read, stderr}};"), [("streams", 1)]);
        assert_eq!(rules("src/ui/mod.rs", text), []);
        let others = "// println!\nfn a(t: Terminal) { t.stdout; b().stdout(c); let stderr = \
                      \"stderr\"; d(D { stdin: true }, stderr); writeln!(e, \"println!\"); }";
        assert_eq!(rules("src/a.rs", others), []);
        assert_eq!(rules("src/a.rs", "#[cfg(test)] mod t { fn a() { println!(); } }"), []);
    }

    #[test]
    fn only_drive_sleeps() {
        let text = "fn a() { select! { _ = tokio::time::sleep(b) => {} } }";
        assert_eq!(rules("src/cmd/a.rs", text), [("sleeps", 1)]);
        assert_eq!(rules("src/a.rs", "use tokio::time::{interval, timeout};"), [("sleeps", 1)]);
        assert_eq!(rules("src/drive/mod.rs", text), []);
        assert_eq!(rules("src/venue/paper/serve.rs", text), []);
        assert_eq!(rules("src/a.rs", "fn a() { wait(b.interval, sleep); }"), []);
    }

    #[test]
    fn sdks_and_the_database_stay_at_home() {
        assert_eq!(rules("src/cmd/a.rs", "use aws_sdk_ecs::Client;"), [("homes", 1)]);
        assert_eq!(rules("src/platform/local/a.rs", "use aws_sdk_ecs::Client;"), [("homes", 1)]);
        assert_eq!(rules("src/platform/mod.rs", "fn a(b: rusqlite::Row) {}"), [("homes", 1)]);
        assert_eq!(rules("src/cmd/a.rs", "use comfy_table::Table;"), [("homes", 1)]);
        assert_eq!(rules("src/platform/aws/a.rs", "use aws_sdk_ecs::Client;"), []);
        assert_eq!(rules("src/a.rs", "fn a() { let aws_region = 1; aws_region; }"), []);
    }

    #[test]
    fn commands_do_not_know_their_platform() {
        let text = "use crate::platform::local::Db;";
        assert_eq!(rules("src/cmd/status.rs", text), [("platforms", 1)]);
        assert_eq!(rules("src/drive/act.rs", text), [("platforms", 1)]);
        assert_eq!(rules("src/cmd/local/up.rs", text), []);
        assert_eq!(rules("src/cmd/drill.rs", text), []);
        assert_eq!(rules("src/cmd/status.rs", "use crate::platform::StateStore;"), []);
    }

    #[test]
    fn the_core_has_no_world() {
        assert_eq!(rules("trading-core/src/a.rs", "use std::fs::File;"), [("core", 1)]);
        assert_eq!(rules("trading-core/src/a.rs", "use std::{fmt,\n env};"), [("core", 2)]);
        assert_eq!(rules("trading-core/src/a.rs", "fn a(b: std::time::Instant) {}"), [("core", 1)]);
        assert_eq!(rules("trading-core/src/a.rs", "use std::fmt; use std::time::Duration;"), []);
        assert_eq!(rules("src/a.rs", "use std::fs::File;"), []);
    }
}
