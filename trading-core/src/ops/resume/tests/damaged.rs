//! Journals of this machine that cannot be read whole.

use super::*;

const DAMAGE: &str = "journal/r1.jsonl: entry 10 was changed";

#[test]
fn a_damaged_journal_is_not_needed_where_the_state_store_has_the_whole_record() {
    let mut world = stopped();
    world.journal_damage = Some(DAMAGE);
    let report = resume(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("RELEASED", Exit::Ok), "{report:#?}");
    assert_eq!(statuses(&world)[0], "running");
    let found = report.findings.iter().find(|it| it.id == "resume.journals_unread");
    let found = found.unwrap_or_else(|| panic!("{report:#?}"));
    assert!(found.message.contains("entry 10"), "{found:?}");
    assert_eq!(found.next.as_deref(), Some("tradectl journal verify --env sim"));
}

#[test]
fn a_part_that_may_lie_in_a_damaged_journal_is_missed_and_named_with_how_to_give_it() {
    let mut world = SimWorld::busy();
    world.store_broken = true;
    world.rows[3].row.set("status", Attr::text("running"));
    stop_scope(&mut world, "r1", Scope::All);
    let record = std::mem::take(&mut world.elsewhere);
    assert!(!record.is_empty());
    (world.engines_beat, world.store_broken) = (true, false);
    world.journal_damage = Some(DAMAGE);
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    let hint = report.errors[0].hint.as_deref();
    assert_eq!(hint, Some("tradectl journal verify --env sim"));
    let missing: Vec<_> =
        report.findings.iter().filter(|it| it.id == "resume.record_missing").collect();
    assert_eq!(missing.len(), record.len(), "{report:#?}");
    for it in missing {
        assert!(it.subject.starts_with("record=r1/"), "{it:?}");
        assert!(it.next.as_deref().is_some_and(|it| it.contains("--record FILE")), "{it:?}");
        assert!(it.evidence.iter().any(|way| way.contains("--leave record=r1/")), "{it:?}");
    }
    let asked = Request { record, ..request(&world, "r3") };
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
}

#[test]
fn a_state_store_that_cannot_be_read_is_no_less_in_the_way_for_a_damaged_journal() {
    let mut world = stopped();
    world.journal_damage = Some(DAMAGE);
    world.dark.insert(Query::StoredChunks("stop-r1".into()));
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Failed, "{report:#?}");
    assert!(!world.latch.holds.is_empty());
}

/// Whether what is given was put back already may stand in it: nothing but that journal helps.
#[test]
fn a_damaged_journal_that_keeps_a_given_record_out_is_named_and_to_be_verified() {
    let (mut world, record) = given::unnamed();
    stop_scope(&mut world, "r1", Scope::All);
    world.journal_damage = Some(DAMAGE);
    let asked = Request { record, ..request(&world, "r2") };
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    let problem = &report.errors[0];
    assert!(problem.message.contains(DAMAGE), "{problem:?}");
    assert_eq!(problem.hint.as_deref(), Some("tradectl journal verify --env sim"));
}
