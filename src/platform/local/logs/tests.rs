use std::io::Write;

use trading_core::model::{LogQuery, Utc};

use super::read::read;
use super::{Cursor, LogWriter, file_name, follow, name_of, raw_output};
use crate::platform::local::paths::LocalPaths;

fn home() -> (tempfile::TempDir, LocalPaths) {
    let home = tempfile::tempdir().unwrap();
    let paths = LocalPaths::new(home.path());
    (home, paths)
}

fn at(second: i64) -> Utc {
    Utc::from_second(second).unwrap()
}

#[test]
fn names_survive_as_file_names_and_never_leave_their_folder() {
    for name in ["engine-1", "../../etc/passwd", ".hidden", "a/b", "100%", "böse", "%2F", ""] {
        assert!(!file_name(name).contains('/'), "{name}");
        assert!(!file_name(name).starts_with('.'), "{name}");
        assert_eq!(name_of(&file_name(name)), name);
    }
}

#[test]
fn torn_hostile_and_printed_lines_are_text() {
    let (_home, paths) = home();
    let log = LogWriter::open(&paths, "engine", "task-1").unwrap();
    log.write(at(10), "first\n\u{1b}[31mred").unwrap();
    log.write(at(30), "third").unwrap();
    let file = paths.logs().join("engine/task-1.jsonl");
    let mut raw = std::fs::OpenOptions::new().append(true).open(file).unwrap();
    raw.write_all(b"{\"at\":\"2026\n\xff\xfe not utf-8").unwrap();
    raw_output(&paths, "engine", "task-1").unwrap().write_all(b"panicked at\n").unwrap();
    let lines = read(&paths, &LogQuery::default(), &mut Cursor::new(), true).unwrap();
    let texts: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(
        texts,
        [
            "first\n\u{1b}[31mred",
            "third",
            "{\"at\":\"2026",
            "\u{fffd}\u{fffd} not utf-8",
            "panicked at"
        ]
    );
    assert_eq!(lines[2].at, at(30), "a torn line stands where it was found");
    // The next writer does not write on in a torn line.
    LogWriter::open(&paths, "engine", "task-1").unwrap().write(at(40), "fourth").unwrap();
    let lines = follow(&paths, &LogQuery::default(), &mut Cursor::new()).unwrap();
    assert!(lines.iter().any(|line| line.message == "fourth" && line.at == at(40)));
}

#[test]
fn queries_choose_by_group_stream_time_text_and_number() {
    let (_home, paths) = home();
    for (group, stream) in [("engine", "a-1"), ("engine", "b-1"), ("venue", "a-2")] {
        let log = LogWriter::open(&paths, group, stream).unwrap();
        for second in 0..3 {
            log.write(at(second), &format!("{stream} says {second}")).unwrap();
        }
    }
    let ask = |query: LogQuery| -> Vec<String> {
        let lines = follow(&paths, &query, &mut Cursor::new()).unwrap();
        lines.into_iter().map(|line| line.message).collect()
    };
    let engine = LogQuery { groups: vec!["engine".into()], ..LogQuery::default() };
    assert_eq!(ask(engine.clone()).len(), 6);
    let stream = LogQuery { stream_prefix: Some("a".into()), ..engine.clone() };
    assert_eq!(ask(stream), ["a-1 says 0", "a-1 says 1", "a-1 says 2"]);
    assert_eq!(
        ask(LogQuery { since: Some(at(2)), ..engine.clone() }),
        ["a-1 says 2", "b-1 says 2"]
    );
    assert_eq!(
        ask(LogQuery { contains: Some("b-1".into()), limit: Some(1), ..engine }),
        ["b-1 says 2"]
    );
}

#[test]
fn files_are_put_aside_in_order_and_the_oldest_go() {
    let (_home, paths) = home();
    let log = LogWriter::with_limit(&paths, "g", "s", 1).unwrap();
    for second in 0..8 {
        log.write(at(second), &second.to_string()).unwrap();
    }
    let lines = follow(&paths, &LogQuery::default(), &mut Cursor::new()).unwrap();
    let texts: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(texts, ["4", "5", "6", "7"], "one in use and three put aside");
    assert!(lines.iter().all(|line| line.stream == "s"));
}

#[test]
fn following_shows_each_line_once() {
    let (_home, paths) = home();
    let log = LogWriter::open(&paths, "g", "s").unwrap();
    let mut cursor = Cursor::new();
    log.write(at(1), "one").unwrap();
    assert_eq!(follow(&paths, &LogQuery::default(), &mut cursor).unwrap().len(), 1);
    log.write(at(2), "two").unwrap();
    let lines = follow(&paths, &LogQuery::default(), &mut cursor).unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].message, "two");
}

#[test]
fn following_waits_for_the_end_of_a_line_and_outlives_a_change_of_files() {
    let (_home, paths) = home();
    let mut cursor = Cursor::new();
    let texts = |cursor: &mut Cursor| -> Vec<String> {
        let lines = follow(&paths, &LogQuery::default(), cursor).unwrap();
        lines.into_iter().map(|line| line.message).collect()
    };
    let log = LogWriter::with_limit(&paths, "g", "s", 60).unwrap();
    log.write(at(1), "one").unwrap();
    let mut printed = raw_output(&paths, "g", "s").unwrap();
    printed.write_all(b"half").unwrap();
    assert_eq!(texts(&mut cursor), ["one"]);
    printed.write_all(b" and whole\n").unwrap();
    log.write(at(2), "two").unwrap();
    log.write(at(3), "three, in the next file").unwrap();
    assert_eq!(texts(&mut cursor), ["two", "three, in the next file", "half and whole"]);
    assert!(texts(&mut cursor).is_empty());
}
