use std::collections::BTreeMap;

use serde_json::json;
use trading_core::report::{Progress, ProgressKind};

use super::{Answer, Captured, Format, Terminal, Ui};

/// A terminal on all streams, so that a person can be asked.
fn person() -> Terminal {
    Terminal { stdin: true, stdout: true, stderr: true, width: 80, color: false }
}

fn ask(input: &str, terminal: Terminal) -> (Answer, Captured) {
    let (ui, captured) = Ui::captured(input, terminal);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    (runtime.block_on(ui.confirm("type tradai-prod:", "tradai-prod")), captured)
}

#[test]
fn only_the_exact_words_confirm() {
    assert_eq!(ask("tradai-prod\n", person()).0, Answer::Given);
    assert_eq!(ask("  tradai-prod \r\n", person()).0, Answer::Given);
    for declined in ["\n", "", "y\n", "yes\n", "tradai-pro\n", "TRADAI-PROD\n", "x\ntradai-prod\n"]
    {
        let (answer, captured) = ask(declined, person());
        assert_eq!(answer, Answer::Declined, "{declined:?}");
        assert_eq!(captured.err(), "type tradai-prod: ", "asked once, on stderr");
        assert_eq!(captured.out(), "");
    }
}

#[test]
fn what_is_asked_and_told_at_a_narrow_terminal_is_broken_between_words() {
    let narrow = Terminal { width: 20, ..person() };
    let (ui, captured) = Ui::captured("", narrow);
    ui.note("halts everything that trades in tradai-prod");
    assert_eq!(captured.err(), "halts everything\nthat trades in\ntradai-prod\n");
    let (ui, captured) = Ui::captured("", Terminal { stderr: false, ..narrow });
    ui.note("halts everything that trades");
    assert_eq!(captured.err(), "halts everything that trades\n", "a file is no terminal");
}

#[test]
fn piped_input_answers_nothing() {
    for terminal in [
        Terminal::none(80),
        Terminal { stdin: false, ..person() },
        Terminal { stderr: false, ..person() },
    ] {
        let (answer, captured) = ask("tradai-prod\n", terminal);
        assert_eq!(answer, Answer::NobodyThere, "{terminal:?}");
        assert_eq!(captured.err(), "", "nothing is asked where nobody reads");
    }
}

fn progress() -> Progress {
    let at = "2026-11-23T15:04:05Z".parse().expect("a time");
    Progress::new(at, ProgressKind::Advanced, "rows\u{1b}", "in 123456789012").counted(3, 4)
}

#[test]
fn progress_is_a_plain_line_on_stderr_and_an_object_in_a_stream() {
    let (mut ui, captured) = Ui::captured("", Terminal::none(80));
    ui.progress(&progress());
    assert_eq!(captured.err(), "15:04:05Z rows\\u{1b} advanced 3/4: in ********9012\n");
    ui.format = Format::Json;
    ui.progress(&progress());
    assert_eq!(captured.out(), "", "stdout is kept for the one document");
    ui.format = Format::JsonLines;
    ui.progress(&progress());
    let line: serde_json::Value = serde_json::from_str(&captured.out()).expect("one object");
    let expected = json!({
        "event": "progress", "at": "2026-11-23T15:04:05Z", "kind": "advanced",
        "subject": "rows\u{1b}", "message": "in ********9012", "done": 3, "total": 4,
    });
    assert_eq!(line, expected);
}

#[test]
fn what_only_counts_on_gets_a_line_a_second_and_its_last_count_always() {
    let (ui, captured) = Ui::captured("", Terminal::none(80));
    let tell = |second: i8, subject: &str, kind, done: Option<u64>| {
        let at = format!("2026-11-23T15:04:{second:02}Z").parse().expect("a time");
        let event = Progress::new(at, kind, subject, "");
        ui.progress(&done.map_or(event.clone(), |done| event.counted(done, 9)));
    };
    let (on, failed) = (ProgressKind::Advanced, ProgressKind::Failed);
    for done in 1..6 {
        tell(1, "rows", on, Some(done));
    }
    tell(1, "act", failed, None);
    tell(1, "act", failed, None);
    tell(2, "rows", on, Some(6));
    tell(2, "rows", failed, Some(7));
    tell(2, "compute", on, Some(8));
    tell(2, "compute", ProgressKind::Done, Some(9));
    let told = "15:04:01Z rows advanced 1/9\n15:04:01Z act failed\n15:04:01Z act failed\n\
                15:04:02Z rows advanced 6/9\n15:04:02Z compute advanced 8/9\n\
                15:04:02Z compute done 9/9\n";
    assert_eq!(captured.err(), told);
    ui.data("");
    ui.data("");
    assert_eq!(captured.err(), format!("{told}15:04:02Z rows failed 7/9\n"), "told once");
}

#[test]
fn rows_stream_and_a_document_waits() {
    let (mut ui, captured) = Ui::captured("", Terminal::none(80));
    ui.row("log", &json!({"message": "a\nb"}), "a\nb");
    assert_eq!(captured.out(), "a\\u{a}b\n");
    ui.format = Format::Json;
    ui.row("log", &json!({"message": "a"}), "a");
    assert_eq!(captured.out(), "a\\u{a}b\n");
    ui.format = Format::JsonLines;
    ui.row("log", &"text", "text");
    assert!(captured.out().ends_with("{\"event\":\"log\",\"value\":\"text\"}\n"), "{captured:?}");
}

#[test]
fn a_note_is_one_line_whatever_it_says() {
    let (ui, captured) = Ui::captured("", Terminal::none(80));
    ui.note("owner 123456789012\r\nHALTED");
    assert_eq!(captured.err(), "owner ********9012\\u{d}\\u{a}HALTED\n");
}

#[test]
fn variables_and_pipes_decide_on_width_and_colour() {
    let detect = |vars: &[(&str, &str)], tty: bool, columns| {
        let vars: BTreeMap<String, String> =
            vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let terminal = Terminal::detect(&vars, [tty; 3], columns);
        (terminal.width, terminal.color)
    };
    assert_eq!(detect(&[], true, Some(132)), (132, true));
    assert_eq!(detect(&[("NO_COLOR", "1")], true, Some(132)), (132, false));
    assert_eq!(detect(&[("NO_COLOR", "")], true, Some(132)), (132, true));
    assert_eq!(detect(&[("TERM", "dumb")], true, Some(132)), (132, false));
    assert_eq!(detect(&[("COLUMNS", "40")], true, Some(132)), (40, true));
    assert_eq!(detect(&[("COLUMNS", "many")], true, Some(132)), (132, true));
    assert_eq!(detect(&[], false, None), (100, false));
    assert_eq!(detect(&[], true, Some(0)), (100, true));
    assert_eq!(detect(&[], true, Some(3)), (20, true));
}
