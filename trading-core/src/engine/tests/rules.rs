//! The rules that need no world: the table of transitions, the gate, the trading state.

use super::super::*;
use super::world::{World, fill_of};
use crate::model::{Effective, Level, OrderState};

#[test]
fn nothing_leads_out_of_a_terminal_state_and_only_the_venue_out_of_unknown() {
    let ends = [
        OrderState::Filled,
        OrderState::Cancelled,
        OrderState::Rejected,
        OrderState::Expired,
        OrderState::Live,
        OrderState::PartlyFilled,
    ];
    let plain = [
        Signal::Released,
        Signal::NotSent,
        Signal::Lost,
        Signal::Missing,
        Signal::CancelSent,
        Signal::NeverArrived,
        Signal::Rests,
        Signal::PartFilled,
    ];
    let signals: Vec<Signal> = plain.into_iter().chain(ends.map(Signal::Ended)).collect();
    for from in State::ALL {
        for signal in &signals {
            let to = from.after(*signal);
            if from.is_terminal() {
                assert_eq!(to, None, "{from:?} on {signal:?}");
            }
            let venues_word = matches!(
                signal,
                Signal::NeverArrived | Signal::Rests | Signal::PartFilled | Signal::Ended(_)
            );
            if from == State::Unknown && !venues_word {
                assert_eq!(to, None, "{from:?} on {signal:?}");
            }
            if to == Some(State::Denied) {
                assert!(matches!(from, State::IntentLogged | State::InFlight));
            }
            if from == State::IntentLogged {
                let own = matches!(signal, Signal::Released | Signal::NotSent | Signal::Lost);
                assert!(to.is_none() || own, "what has not left has no word from a venue");
            }
        }
    }
}

#[test]
fn the_gate_lets_through_exactly_what_the_latch_allows() {
    let held = |level| Effective::Held { level, stop_id: Some("stop-1".into()) };
    let latches = [
        (None, false, true),
        (Some(Effective::Free), true, true),
        (Some(held(Level::ReduceOnly)), false, true),
        (Some(held(Level::Halt)), false, false),
        (Some(held(Level::Unrecognized("freeze".to_owned()))), false, false),
        (Some(Effective::Held { level: Level::Halt, stop_id: None }), false, false),
    ];
    for (latch, entries, exits) in &latches {
        for (age, fresh) in [(0, true), (1_000, true), (1_001, false), (u64::MAX, false)] {
            for leased in [true, false] {
                let gate = Gate {
                    latch: latch.as_ref(),
                    latch_age_ms: age,
                    latch_max_age_ms: 1_000,
                    leased,
                };
                let case = format!("{latch:?}, {age} ms, leased {leased}");
                assert_eq!(may_send(&gate, true).is_ok(), leased && *entries && fresh, "{case}");
                assert_eq!(may_send(&gate, false).is_ok(), leased && *exits, "{case}");
            }
        }
    }
}

#[test]
fn only_a_named_operator_loosens_the_trading_state() {
    let mut engine = Engine::default();
    let set = |engine: &mut Engine, state, actor: &str| {
        let (actor, reason) = (actor.to_owned(), "because".to_owned());
        engine.step(1, &Event::Operator { state, actor, reason }, &mut Vec::new());
        engine.state()
    };
    assert_eq!(set(&mut engine, TradingState::Halted, ""), TradingState::Halted);
    assert_eq!(set(&mut engine, TradingState::Active, ""), TradingState::Halted);
    assert_eq!(set(&mut engine, TradingState::ReduceOnly, "ana"), TradingState::ReduceOnly);
}

#[test]
fn a_latch_that_was_never_read_is_reduce_only_after_every_boot() {
    let mut world = World::new(3, false);
    let at = world.utc();
    world.feed(Event::Boot { at });
    let runner = world.engine.runner(&"s".into()).unwrap();
    assert_eq!((runner.latch, runner.mode), (Control::ReduceOnly, Mode::Idle));
}

#[test]
fn who_was_halted_or_at_rest_compares_with_the_venue_before_it_goes_on() {
    let mut world = World::new(42, false);
    while world.fills.is_empty() {
        world.act();
    }
    world.heal();
    let strategy = || StrategyId::from("s");
    let reconciled = |world: &World| {
        world.told.iter().filter(|it| matches!(it, Telemetry::Reconciled { .. })).count()
    };
    let mode = |mode| Event::Mode { strategy: strategy(), mode };
    let latch = |control| Event::Latch { strategy: strategy(), control };
    // Its row was at rest and is not any more; or nobody saw it at rest, only the halt.
    for events in
        [[mode(Mode::Idle), mode(Mode::Running)], [latch(Control::Free), latch(Control::Halt)]]
    {
        let before = reconciled(&world);
        events.into_iter().for_each(|event| world.feed(event));
        assert!(!world.engine.runner(&strategy()).unwrap().clean);
        world.pass();
        assert_eq!(reconciled(&world), before + 1);
    }
    // What only goes on as it was is not asked about again.
    let before = reconciled(&world);
    [mode(Mode::Running), latch(Control::Halt)].into_iter().for_each(|event| world.feed(event));
    world.pass();
    assert_eq!(reconciled(&world), before);
}

#[test]
fn a_venue_that_fills_more_than_was_asked_ends_entries_until_an_operator_says_otherwise() {
    let mut world = World::new(42, false);
    while world.fills.is_empty() {
        world.act();
    }
    let twice = Fill { trade_id: "again".to_owned(), ..fill_of(&world.fills[0]) };
    world.feed(Event::Fill(fill_of(&world.fills[0])));
    world.feed(Event::Fill(twice));
    assert_eq!(world.engine.state(), TradingState::ReduceOnly);
    let at = world.utc();
    world.feed(Event::Boot { at });
    assert_eq!(world.engine.state(), TradingState::ReduceOnly, "a restart does not loosen");
}
