use std::io::Write;

use trading_core::model::{LogQuery, LogSource, PrunedLogs, Utc};
use trading_core::ops::retention::Fate;

use super::prune::{Pruned, cut, prune, pruned};
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
    let engine = LogQuery { from: vec![LogSource::Group("engine".into())], ..LogQuery::default() };
    assert_eq!(ask(engine.clone()).len(), 6);
    let stream = LogQuery { stream_prefix: Some("a".into()), ..engine.clone() };
    assert_eq!(ask(stream), ["a-1 says 0", "a-1 says 1", "a-1 says 2"]);
    assert_eq!(
        ask(LogQuery { since: Some(at(2)), ..engine.clone() }),
        ["a-1 says 2", "b-1 says 2"]
    );
    let first = LogQuery { until: Some(at(0)), ..engine.clone() };
    assert_eq!(ask(first), ["a-1 says 0", "b-1 says 0"]);
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
    let missing = pruned(&paths, &LogQuery::default()).unwrap();
    assert_eq!(missing.len(), 1, "and that is said: {missing:?}");
    assert_eq!((missing[0].group.as_str(), missing[0].stream.as_deref()), ("g", Some("s")));
    let later = missing[0].upto.unwrap() + std::time::Duration::from_secs(1);
    let since = LogQuery { since: Some(later), ..LogQuery::default() };
    assert_eq!(pruned(&paths, &since).unwrap(), [], "nothing that was asked for");
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

/// A stream of one line whose writer has ended, last written to at this second.
fn ended(paths: &LocalPaths, group: &str, stream: &str, second: i64) {
    LogWriter::open(paths, group, stream).unwrap().write(at(second), stream).unwrap();
    let file = paths.logs().join(format!("{group}/{stream}.jsonl"));
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.set_modified(at(second).into()).unwrap();
}

#[test]
fn streams_beyond_the_budget_go_and_the_gap_is_said() {
    let (_home, paths) = home();
    ended(&paths, "engine", "well-1", 10);
    ended(&paths, "engine", "crashed-2", 5);
    ended(&paths, "engine", "well-3", 20);
    ended(&paths, "engine", "newest-4", 30);
    let writes = LogWriter::open(&paths, "engine", "writes-0").unwrap();
    writes.write(at(1), "writes-0").unwrap();
    let fate = |stream: &str| match stream.starts_with("crashed") {
        true => Fate::Evidence,
        false => Fate::Ended,
    };
    let left = || -> Vec<String> {
        let lines = follow(&paths, &LogQuery::default(), &mut Cursor::new()).unwrap();
        lines.into_iter().map(|line| line.stream).collect()
    };
    assert_eq!(prune(&paths, u64::MAX, fate).unwrap(), Pruned::default());
    assert_eq!(pruned(&paths, &LogQuery::default()).unwrap(), []);
    // Each takes up a block of the file system: room for all but one, then for nothing.
    let five: u64 = std::fs::read_dir(paths.logs().join("engine"))
        .unwrap()
        .map(|entry| std::os::unix::fs::MetadataExt::blocks(&entry.unwrap().metadata().unwrap()))
        .sum::<u64>()
        * 512;
    assert_eq!(prune(&paths, five - 1, fate).unwrap().streams, 1);
    assert_eq!(left(), ["writes-0", "crashed-2", "well-3", "newest-4"], "evidence stays");
    let gap = PrunedLogs { group: "engine".into(), stream: None, upto: Some(at(10)) };
    assert_eq!(pruned(&paths, &LogQuery::default()).unwrap(), std::slice::from_ref(&gap));
    assert_eq!(prune(&paths, 1, fate).unwrap().streams, 2);
    assert_eq!(left(), ["writes-0", "newest-4"], "the newest and what is being written stay");
    let asked = |query: LogQuery| pruned(&paths, &query).unwrap();
    let upto = PrunedLogs { upto: Some(at(20)), ..gap };
    let prefix = LogQuery { stream_prefix: Some("well-1".into()), ..LogQuery::default() };
    assert_eq!(asked(prefix), [upto], "of a stream that is gone too");
    assert_eq!(asked(LogQuery { since: Some(at(21)), ..LogQuery::default() }), []);
    assert_eq!(
        asked(LogQuery { from: vec![LogSource::Service("venue".into())], ..LogQuery::default() }),
        []
    );
}

#[test]
fn what_cannot_be_cut_is_said_and_streams_go_all_the_same() {
    let (_home, paths) = home();
    ended(&paths, "engine", "old-1", 10);
    ended(&paths, "engine", "new-2", 20);
    // Nobody can write to a folder as to a file.
    std::fs::create_dir_all(paths.logs().join("a-tool/odd.out")).unwrap();
    let Pruned { streams, failed, .. } = prune(&paths, 1, |_| Fate::Ended).unwrap();
    assert_eq!(streams, 1);
    assert!(failed.is_some_and(|why| why.contains("odd.out")));
}

#[test]
fn what_a_program_prints_is_cut_under_its_feet_without_losing_its_end() {
    let (_home, paths) = home();
    let mut printed = raw_output(&paths, "engine", "task-1").unwrap();
    let path = paths.logs().join("engine/task-1.out");
    let line = |number: u32| format!("{number:0>63}\n");
    for number in 0..4_096 {
        printed.write_all(line(number).as_bytes()).unwrap();
    }
    let mut cursor = Cursor::new();
    assert_eq!(follow(&paths, &LogQuery::default(), &mut cursor).unwrap().len(), 4_096);
    cut(&path, 1 << 20).unwrap();
    assert_eq!(pruned(&paths, &LogQuery::default()).unwrap(), [], "within its bound");
    // Not at the end of a line: 100 bytes are one and a half.
    cut(&path, 65_536 + 100).unwrap();
    let blocks = std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(&path).unwrap());
    assert!(blocks * 512 <= 65_536 + 4_096 + 100, "{blocks} blocks");
    printed.write_all(line(4_096).as_bytes()).unwrap();
    let followed = follow(&paths, &LogQuery::default(), &mut cursor).unwrap();
    assert_eq!(followed.len(), 1, "whoever follows goes on");
    let lines = follow(&paths, &LogQuery::default(), &mut Cursor::new()).unwrap();
    assert!(lines.len() >= 1_024, "{}", lines.len());
    let first = 4_097 - u32::try_from(lines.len()).unwrap();
    for (number, found) in (first..).zip(&lines) {
        assert_eq!(found.message, line(number).trim_end(), "whole lines only");
    }
    let missing = pruned(&paths, &LogQuery::default()).unwrap();
    let gap = PrunedLogs { group: "engine".into(), stream: Some("task-1".into()), upto: None };
    assert_eq!(missing, [gap]);
}
