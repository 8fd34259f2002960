//! The human page: one screen, worst first, understandable without colour.

use trading_core::report::{Block, Exit, Finding, Problem, Report, Severity, Told, Tone};

use super::layout::{bold, columns, hanging, toned, wrap};
use super::{Fact, Header, Style, escape, mask, table};

/// The page of a command that answered.
pub fn page(report: &Report, header: &Header, style: Style) -> String {
    if let [Block::Verbatim(text)] = report.body.as_slice() {
        return text.clone();
    }
    let report = header.masked(report);
    let mut lines = banner(header, style);
    let (headline, body) = headline(&report);
    lines.extend(outcome(&report, headline, style));
    for problem in &report.errors {
        lines.extend(problem_lines(problem, style));
    }
    for told in report.told() {
        lines.extend(match told {
            Told::Whole(finding) if is_said(finding, &report.errors) => Vec::new(),
            Told::Whole(finding) => finding_lines(finding, style),
            Told::More { like, subjects, all } => more_lines(like, &subjects, all, style),
        });
    }
    for block in body {
        match block {
            Block::Heading(text) => {
                lines.push(String::new());
                lines.push(bold(&escape::line(text), style.color));
            }
            Block::Line(cell) => {
                let text = wrap(&escape::line(&cell.text), style.width);
                lines.extend(text.iter().map(|line| toned(line, cell.tone, style.color)));
            }
            Block::Foreign(text) => lines.push(escape::line(text)),
            Block::Verbatim(text) => lines.push(text.trim_end().to_owned()),
            Block::Table { columns, rows } => lines.extend(table::table(columns, rows, style)),
        }
    }
    lines.join("\n") + "\n"
}

/// What a command says that could not answer; for stderr.
pub fn faults(problems: &[Problem], show_account: bool, style: Style) -> String {
    let mut text = String::new();
    for problem in problems {
        let mut problem = problem.clone();
        if !show_account {
            problem.message = mask::text(&problem.message);
            problem.hint = problem.hint.map(|hint| mask::text(&hint));
        }
        for line in problem_lines(&problem, style) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// Which environment this is, and when: facts joined, broken only between two facts.
pub fn banner(header: &Header, style: Style) -> Vec<String> {
    let view = &header.environment;
    let Some(name) = view.name.known() else { return Vec::new() };
    let mut facts = vec![escape::line(name)];
    let production = view.production == Fact::Known(true);
    if production {
        facts.push("PRODUCTION".to_owned());
    }
    // A folder says by itself that the platform is on this machine.
    if view.directory.known().is_none() {
        facts.extend(view.platform.known().map(escape::line));
    }
    let named = |what: &str, fact: &Fact| match fact {
        Fact::Known(text) => Some(format!("{what} {}", escape::line(text))),
        Fact::Missing { state: "none", .. } => None,
        Fact::Missing { state, why } => Some(format!("{what} {state} ({})", escape::line(why))),
    };
    facts.extend(named("account", &view.account).map(|account| match &view.account {
        Fact::Known(_) if !view.account_verified => format!("{account} (expected)"),
        _ => account,
    }));
    facts.extend(named("region", &view.region));
    facts.extend(named("endpoint", &view.endpoint).map(|endpoint| {
        let origin = view.endpoint_origin.known();
        origin.map_or(endpoint.clone(), |origin| format!("{endpoint} ({})", escape::line(origin)))
    }));
    facts.extend(named("in", &view.directory));
    facts.push(header.observed_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    facts.extend(named("market", &view.market));
    facts.extend(named("settings", &view.project_file));
    let mut lines: Vec<String> = Vec::new();
    for fact in facts {
        match lines.last_mut() {
            Some(line) if columns(line) + 3 + columns(&fact) <= style.width => {
                line.push_str(" · ");
                line.push_str(&fact);
            }
            _ => lines.extend(wrap(&fact, style.width)),
        }
    }
    let tone = if production { Tone::Bad } else { Tone::Dim };
    lines.iter().map(|line| toned(line, tone, style.color)).collect()
}

/// The outcome's word, or the body's first line where that begins with it; and the rest.
fn headline(report: &Report) -> (&str, &[Block]) {
    match report.body.split_first() {
        Some((Block::Line(cell), rest))
            if cell.text.strip_prefix(&report.outcome).is_some_and(|it| it.starts_with(": ")) =>
        {
            (&cell.text, rest)
        }
        _ => (&report.outcome, &report.body),
    }
}

fn outcome(report: &Report, headline: &str, style: Style) -> Vec<String> {
    let tone = match report.exit {
        Exit::Ok => Tone::Good,
        Exit::No | Exit::Incomplete | Exit::Declined | Exit::Refused => Tone::Warn,
        _ => Tone::Bad,
    };
    let mut text = escape::line(headline);
    if let Some(only) = &report.only {
        text.push_str(&format!(": {} alone was looked at", escape::line(only)));
    }
    if !report.complete {
        text.push_str(" (incomplete: not everything could be read)");
    }
    wrap(&text, style.width).iter().map(|line| toned(line, tone, style.color)).collect()
}

fn problem_lines(problem: &Problem, style: Style) -> Vec<String> {
    let message = escape::line(&problem.message);
    let mut lines = hanging("error: ", 7, &message, style.width);
    if let Some(first) = lines.first_mut() {
        *first = toned(first, Tone::Bad, style.color);
    }
    if let Some(hint) = &problem.hint {
        lines.extend(hanging("  next: ", 8, &escape::line(hint), style.width));
    }
    lines
}

/// How many names stand for those that are not told one by one.
const NAMES: usize = 5;

/// Those like the one before that do not fit on a screen.
fn more_lines(like: &Finding, subjects: &[&str], all: &str, style: Style) -> Vec<String> {
    let (word, _) = severity(like.severity);
    let names: Vec<String> = subjects.iter().take(NAMES).map(|it| escape::line(it)).collect();
    let rest = if subjects.len() > NAMES { ", …" } else { "" };
    let text = format!("{} more like the last: {}{rest}", subjects.len(), names.join(", "));
    let mut lines = hanging(&format!("{word} "), 4, &text, style.width);
    lines.extend(hanging("    next: ", 10, &escape::line(all), style.width));
    lines
}

fn severity(severity: Severity) -> (&'static str, Tone) {
    match severity {
        Severity::Critical => ("CRITICAL", Tone::Bad),
        Severity::Error => ("ERROR", Tone::Bad),
        Severity::Warning => ("warning", Tone::Warn),
        Severity::Info => ("info", Tone::Dim),
    }
}

/// An error that ends with the same words has said it, and what to type next.
fn is_said(finding: &Finding, errors: &[Problem]) -> bool {
    let Finding { subject, message, evidence, next, .. } = finding;
    let words = format!("{subject}: {message}");
    let ends = |it: &Problem| {
        let before = it.message.strip_suffix(&words);
        before.is_some_and(|it| it.is_empty() || it.ends_with(": ") || it.ends_with("; "))
    };
    let said = |it: &Problem| ends(it) && (next.is_none() || *next == it.hint);
    evidence.is_empty() && errors.iter().any(said)
}

fn finding_lines(finding: &Finding, style: Style) -> Vec<String> {
    let (word, tone) = severity(finding.severity);
    let subject = escape::line(&finding.subject);
    let message = escape::line(&finding.message);
    let text = if subject.is_empty() { message } else { format!("{subject}: {message}") };
    let mut lines = hanging(&format!("{word} "), 4, &text, style.width);
    if let Some(first) = lines.first_mut() {
        *first = toned(first, tone, style.color);
    }
    for evidence in &finding.evidence {
        lines.extend(hanging("    seen: ", 10, &escape::line(evidence), style.width));
    }
    if let Some(next) = &finding.next {
        lines.extend(hanging("    next: ", 10, &escape::line(next), style.width));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::page;
    use crate::render::{EnvironmentView, Header, Style, document};
    use trading_core::model::Utc;
    use trading_core::report::{Exit, Finding, Fold, Problem, Report, Severity};

    #[test]
    fn what_an_error_has_said_is_not_said_again() {
        let lines_of = |subject: &str, next: Option<&str>, evidence: Vec<String>| {
            let mut report = Report::new("resume", "refused", Exit::Refused);
            let (message, hint) =
                ("not resumed: o1: not known".to_owned(), Some("type".to_owned()));
            report.errors = vec![Problem { code: "a.b".to_owned(), message, hint }];
            let finding = Finding::new("a.b", Severity::Error, subject, "not known").seen(evidence);
            report.findings = vec![Finding { next: next.map(str::to_owned), ..finding }];
            let header = Header {
                environment: EnvironmentView::nowhere("a test"),
                observed_at: Utc::UNIX_EPOCH,
                show_account: false,
            };
            page(&report, &header, Style { width: 200, color: false }).matches("not known").count()
        };
        let lines = |next, evidence| lines_of("o1", next, evidence);
        assert_eq!([lines(None, vec![]), lines(Some("type"), vec![])], [1, 1]);
        assert_eq!(lines(Some("something else"), vec![]), 2);
        assert_eq!(lines(None, vec!["seen".to_owned()]), 2);
        assert_eq!(lines_of("1", None, vec![]), 2, "another one");
    }

    #[test]
    fn only_the_page_folds_and_what_it_folds_is_escaped() {
        let mut report = Report::new("status", "attention", Exit::No);
        let finding = |n| Finding::new("a.b", Severity::Error, format!("s{n}\u{1b}[2J"), "stale");
        report.findings = (0..9).map(finding).collect();
        report.fold = Some(Fold { after: 1, all: "tradectl status --all".to_owned() });
        let header = Header {
            environment: EnvironmentView::nowhere("a test"),
            observed_at: Utc::UNIX_EPOCH,
            show_account: false,
        };
        let text = page(&report, &header, Style { width: 200, color: false });
        let line = text.lines().find(|line| line.contains("more like the last")).unwrap();
        assert!(line.starts_with("ERROR 8 more like the last: s1\\u{1b}[2J, "), "{line}");
        assert!(line.ends_with("s5\\u{1b}[2J, …"), "{line}");
        assert!(text.contains("next: tradectl status --all"), "{text}");
        let document: serde_json::Value =
            serde_json::from_str(&document(&report, &header, true)).unwrap();
        assert_eq!(document["findings"].as_array().unwrap().len(), 9);
        assert_eq!(document["findings"][8]["subject"], "s8\u{1b}[2J");
    }
}
