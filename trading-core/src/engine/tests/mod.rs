//! The engine against a hostile world: answers that are lost, late, doubled or out of
//! order, orders that arrive after nobody expects them, and crashes at any byte of the log.

mod log;
mod rules;
mod world;

use proptest::prelude::*;

use super::*;
use crate::model::Quantity;
use world::World;

/// Ours and the venue's agree, and nothing is left open that could not be known.
fn assert_settled(world: &World) {
    let runner = world.engine.runner(&"s".into()).unwrap();
    let held = world.venue.account(&"s".into()).map_or(Quantity(0), |it| it.held(&"X".into()));
    assert_eq!(runner.position.quantity, held, "{:#?}", world.told);
    let odd = |told: &&Telemetry| matches!(told, Telemetry::Anomaly { .. });
    assert_eq!(world.told.iter().find(odd), None, "an order came back from its end");
    assert!(runner.clean, "never reconciled: {runner:#?}");
    for (id, order) in runner.open_orders() {
        assert_eq!(order.state, State::Live, "{id} is still not known: {order:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Safety after every step (see `World::check`, `submit`, `arrive`, `crash`), and
    /// liveness once the faults end.
    #[test]
    fn a_hostile_world_breaks_no_rule_and_heals(seed: u64, steps in 1_usize..400) {
        let mut world = World::new(seed, true);
        for _ in 0..steps {
            world.act();
        }
        world.heal();
        assert_settled(&world);
    }
}

#[test]
fn without_faults_it_trades_and_a_replay_gives_the_same_state() {
    let mut world = World::new(42, false);
    for _ in 0..3_000 {
        world.act();
    }
    assert!(world.fills.len() > 20, "only {} fills", world.fills.len());
    let mark = Record::Mark { seq: world.seq, hash: world.engine.state_hash() };
    encode(&mark, &mut world.log).unwrap();
    let mut damaged = Vec::new();
    let replayed = replay([world.log.as_slice()], &mut damaged);
    assert!(damaged.is_empty() && replayed.differs_at.is_empty() && replayed.holes.is_empty());
    assert_eq!((replayed.compared, replayed.hash), (2, world.engine.state_hash()));
    world.heal();
    assert_settled(&world);
}
