//! Text from outside that wants to act on the terminal.

use crate::harness::World;
use proptest::prelude::*;
use tradectl::render::{EnvironmentView, Fact, Header, Style, escape, faults, page};
use trading_core::report::{Block, Cell, Exit, Finding, Problem, Report, Severity, Tone};

const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}a\u{202e}b\u{200b}\r\nHALTED\u{9b}31m";

#[test]
fn hostile_words_on_the_command_line_and_in_variables_stay_words() {
    let mut world = World::new();
    let ran = world.run_words(["config", "show", "--env", HOSTILE]);
    insta::assert_snapshot!(ran);
    world.set("TRADECTL_ENV", HOSTILE);
    let ran = world.run("config show");
    assert_eq!(ran.exit, Exit::Settings);
    assert!(ran.err.chars().all(|c| escape::is_safe(c) || c == '\n'), "{ran}");
    let ran = world.run_words(["config", HOSTILE]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.err.chars().all(|c| escape::is_safe(c) || c == '\n'), "{ran}");
}

/// A report with the text wherever text can stand.
fn report_of(text: &str) -> Report {
    let cell = |tone| Cell::toned(text, tone);
    let mut report = Report::new("test", text, Exit::No);
    report.findings.push(Finding {
        id: "test".to_owned(),
        severity: Severity::Critical,
        subject: text.to_owned(),
        message: text.to_owned(),
        evidence: vec![text.to_owned()],
        next: Some(text.to_owned()),
    });
    report.errors.push(problem_of(text));
    report.body = vec![
        Block::Heading(text.to_owned()),
        Block::Line(cell(Tone::Bad)),
        Block::Table {
            columns: vec!["name", "why"],
            rows: vec![vec![cell(Tone::Plain), cell(Tone::Good)]],
        },
    ];
    report
}

fn problem_of(text: &str) -> Problem {
    Problem { code: "test".to_owned(), message: text.to_owned(), hint: Some(text.to_owned()) }
}

fn header_of(text: &str) -> Header {
    let fact = || Fact::Known(text.to_owned());
    Header {
        environment: EnvironmentView {
            name: fact(),
            platform: fact(),
            account_verified: false,
            account: fact(),
            region: fact(),
            endpoint: fact(),
            endpoint_origin: fact(),
            directory: fact(),
            production: tradectl::render::Fact::Known(true),
            market: Fact::unknown(text),
            project_file: fact(),
        },
        observed_at: "2026-11-23T15:04:05Z".parse().expect("a time"),
        show_account: false,
    }
}

proptest! {
    #[test]
    fn no_control_character_ever_reaches_the_page(
        text in "(?s).{0,60}|[\\x00-\\x9f\u{61c}\u{200b}-\u{206f}]{0,30}",
        width in 20_usize..120,
    ) {
        let style = Style { width, color: false };
        let page = page(&report_of(&text), &header_of(&text), style);
        prop_assert!(page.chars().all(|c| escape::is_safe(c) || c == '\n'), "{page:?}");
        let faults = faults(&[problem_of(&text)], false, style);
        prop_assert!(faults.chars().all(|c| escape::is_safe(c) || c == '\n'), "{faults:?}");
    }

    #[test]
    fn colour_changes_nothing_but_colour(text in "[ -~]{0,40}", width in 20_usize..120) {
        let (report, header) = (report_of(&text), header_of(&text));
        let plain = page(&report, &header, Style { width, color: false });
        let colored = page(&report, &header, Style { width, color: true });
        let mut stripped = colored;
        for code in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"] {
            stripped = stripped.replace(code, "");
        }
        prop_assert_eq!(stripped, plain);
    }
}
