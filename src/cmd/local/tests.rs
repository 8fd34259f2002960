use clap::Parser;
use trading_core::model::{Barrier, Hold, Latch, Level, Phase, Scope};

use super::{way_past, way_up};
use crate::settings::tests::named;

fn hold(id: &str, scope: Scope) -> Hold {
    Hold {
        stop_id: id.into(),
        level: Level::Halt,
        scope,
        reason: String::new(),
        actor: String::new(),
        at: "2026-11-23T00:00:00Z".parse().unwrap(),
        phase: Phase::Held,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    }
}

fn typed(words: &str) {
    crate::cli::Cli::try_parse_from(words.split_whitespace()).unwrap();
}

#[test]
fn the_way_up_is_the_resume_that_is_not_refused() {
    let environment = named("local");
    let engine = || hold("stop-engine", Scope::Service("engine".into()));
    let holds = vec![engine(), hold("stop-all", Scope::All)];
    let latch = Latch { holds, ..Latch::released() };
    let way = way_up(&environment, Some(&latch));
    assert!(way.ends_with(" resume stop-all --reason …"), "{way}");
    typed(&way);
    assert_eq!(way_past(&environment, &latch, Barrier::Hold(&latch.holds[0])), way);
    let free = way_up(&environment, Some(&Latch::released()));
    assert!(free.ends_with(" local up --detach"), "{free}");
}

#[test]
fn a_latch_of_a_newer_format_has_no_resume_of_ours() {
    let environment = named("local");
    let holds = vec![hold("stop-all", Scope::All)];
    let latch = Latch { format: 2, holds, ..Latch::released() };
    let way = way_up(&environment, Some(&latch));
    assert!(way.ends_with(" status"), "{way}");
    typed(&way);
    assert_eq!(way_past(&environment, &latch, Barrier::Hold(&latch.holds[0])), way);
}
