use super::*;
use crate::model::Utc;

fn at(second: i64) -> Utc {
    Utc::from_second(1_700_000_000 + second).unwrap()
}
fn evidence(subject: &str) -> Entry {
    Entry::Evidence {
        subject: subject.to_owned(),
        value: serde_json::json!({"hash": "\"}", "n": 1}),
    }
}
fn sample() -> Vec<u8> {
    let mut chain = Chain::default();
    let mut bytes = chain.seal(at(0), &[evidence("a"), evidence("b}}")]).unwrap();
    bytes.extend(
        chain.seal(at(1), &[Entry::Closed { outcome: "HALTED".into(), exit_code: 0 }]).unwrap(),
    );
    bytes
}

#[test]
fn what_is_sealed_is_read_back_and_continued() {
    let bytes = sample();
    let journal = read(&bytes);
    assert_eq!(journal.damage, None);
    assert_eq!(journal.good_bytes, bytes.len());
    assert_eq!(journal.lines.len(), 3);
    assert!(journal.is_closed());
    let mut chain = journal.chain.clone();
    let more = chain.seal(at(2), &[evidence("c")]).unwrap();
    let journal = read(&[bytes, more].concat());
    assert_eq!((journal.damage.clone(), journal.lines.len()), (None, 4));
}

#[test]
fn a_journal_cut_at_any_byte_keeps_every_whole_line() {
    let bytes = sample();
    for cut in 0..bytes.len() {
        let journal = read(&bytes[..cut]);
        let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(journal.lines.len(), whole, "cut at {cut}");
        let at_line_end = cut == 0 || bytes[cut - 1] == b'\n';
        assert_eq!(journal.damage.is_none(), at_line_end, "cut at {cut}");
    }
}

#[test]
fn a_changed_byte_is_named_by_its_entry_and_loses_nothing_before_it() {
    let bytes = sample();
    let first_line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1;
        let journal = read(&changed);
        let expected = usize::from(index > first_line);
        assert!(journal.damage.is_some(), "a change of byte {index} went unnoticed");
        assert!(journal.lines.len() >= expected, "a change of byte {index} lost an earlier entry");
    }
}

#[test]
fn a_removed_or_swapped_line_is_found() {
    let bytes = sample();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let without = [lines[0], lines[2]].concat();
    assert_eq!(
        read(&without).damage,
        Some(Damage::Tampered { seq: 1, why: "it does not follow the entry before it" })
    );
    let swapped = [lines[1], lines[0], lines[2]].concat();
    assert!(matches!(read(&swapped).damage, Some(Damage::Tampered { seq: 0, .. })));
}

#[test]
fn a_newer_format_is_named_and_a_newer_kind_of_entry_is_carried() {
    let body =
        r#"{"format":2,"seq":0,"at":"2026-01-01T00:00:00Z","prev":"x","entry":{"kind":"closed"}}"#;
    let newer = format!(
        "{},\"hash\":\"{}\"}}\n",
        &body[..body.len() - 1],
        chain::hash_of(body.as_bytes(), b"")
    );
    assert_eq!(read(newer.as_bytes()).damage, Some(Damage::Newer { seq: 0, format: 2 }));

    let body = format!(
        r#"{{"format":1,"seq":0,"at":"2026-01-01T00:00:00Z","prev":"{FIRST_HASH}","entry":{{"kind":"from_the_future","x":1}}}}"#
    );
    let line = format!(
        "{},\"hash\":\"{}\"}}\n",
        &body[..body.len() - 1],
        chain::hash_of(body.as_bytes(), b"")
    );
    let journal = read(line.as_bytes());
    assert_eq!(journal.damage, None);
    assert_eq!(journal.lines[0].entry, Entry::Unrecognized);
}

#[test]
fn records_are_found_among_all_entries_and_damage_to_any_of_them_is_told() {
    let chunk = |number| RestoreChunk {
        format: RestoreChunk::FORMAT,
        stop_id: "stop-1".into(),
        run_id: "run-1".into(),
        chunk: number,
        at: at(0),
        items: vec![],
        unlatched: None,
        taken_from: None,
        void: Vec::new(),
    };
    let record = |number| Entry::Record { chunk: chunk(number), why: "unreachable".to_owned() };
    // What an operator typed may look like one, and is none.
    let entries = [evidence("a"), record(0), evidence(r#""kind":"record""#), record(1)];
    let bytes = Chain::default().seal(at(0), &entries).unwrap();
    assert_eq!(records(&bytes), (vec![chunk(0), chunk(1)], None));
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let (found, damage) = records(&[lines[0], lines[1], lines[3]].concat());
    assert_eq!(found, [chunk(0)]);
    assert!(matches!(damage, Some(Damage::Tampered { seq: 2, .. })), "{damage:?}");
}
