//! The event log: cuts, changed bytes, other formats.

use proptest::prelude::*;

use super::super::*;
use super::world::World;

proptest! {
    /// Any cut of the log boots to a state that was, or to none at all.
    #[test]
    fn a_log_cut_at_any_byte_boots_to_a_prefix(seed: u64, cut: prop::sample::Index) {
        let mut world = World::new(seed, false);
        for _ in 0..120 {
            world.act();
        }
        let cut = cut.index(world.log.len() + 1);
        if let Some(recovered) = recover(&world.log[..cut], "t") {
            prop_assert_eq!(recovered.engine.state_hash(), world.hashes[&recovered.seq].clone());
        }
    }

    /// A changed byte is found, and what stands before it is a prefix.
    #[test]
    fn a_changed_byte_never_leads_to_another_state(seed: u64, at: prop::sample::Index, bit in 0_u8..8) {
        let mut world = World::new(seed, false);
        for _ in 0..60 {
            world.act();
        }
        let mut log = world.log.clone();
        let at = at.index(log.len());
        log[at] ^= 1 << bit;
        if let Some(recovered) = recover(&log, "t") {
            prop_assert!(recovered.damage.is_some());
            prop_assert_eq!(recovered.engine.state_hash(), world.hashes[&recovered.seq].clone());
        }
    }
}

#[test]
fn a_replay_that_differs_says_where() {
    let mut world = World::new(1, false);
    let mark = Record::Mark { seq: world.seq, hash: "0".repeat(32) };
    encode(&mark, &mut world.log).unwrap();
    let replayed = replay([world.log.as_slice()], &mut Vec::new());
    assert_eq!(replayed.differs_at, [world.seq]);
    assert!(recover(&world.log, "t").is_none(), "a boot went on from a state that was not");
}

/// Made by the first version that wrote format 1. If this no longer decodes, the format
/// has changed: raise `LOG_FORMAT` and keep this sample as one that is refused.
#[test]
fn a_log_of_format_1_is_still_read() {
    let sample = include_bytes!("../samples/eventlog-1.evl");
    let records: Vec<Record> = Reader::new(sample).collect::<Result<_, _>>().unwrap();
    assert!(matches!(&records[0], Record::Open { format: 1, .. }));
    let inputs = records.iter().filter(|it| matches!(it, Record::Input { .. })).count();
    assert_eq!(inputs, 133);
    let mut kinds: Vec<&str> = Vec::new();
    for record in &records {
        kinds.push(match record {
            Record::Input { event: Event::Fill(_), .. } => "fill",
            Record::Input { event: Event::Snapshot(_), .. } => "snapshot",
            Record::Input { event: Event::Report(_), .. } => "report",
            _ => "other",
        });
    }
    for kind in ["fill", "snapshot", "report"] {
        assert!(kinds.contains(&kind), "the sample has no {kind}");
    }
}

#[test]
fn a_log_of_another_binary_or_format_is_not_replayed_on_boot() {
    let world = World::new(1, false);
    assert!(recover(&world.log, "t").is_some());
    assert!(recover(&world.log, "u").is_none());
    let mut newer = Vec::new();
    let Some(Ok(Record::Open { version, seq, hash, state, .. })) = Reader::new(&world.log).next()
    else {
        panic!("no opening")
    };
    let record = Record::Open { format: LOG_FORMAT + 1, version, seq, hash, state };
    encode(&record, &mut newer).unwrap();
    assert!(recover(&newer, "t").is_none());
}
