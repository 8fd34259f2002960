use super::*;
use crate::model::{
    Attr, Autoscaling, Latch, NewOrder, OrderPurpose, OrderType, RestoreChunk, RestoreItem,
    RestoreSubject, RestoreValue, Side, StatusWrite, Suspended, Utc, Written,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn step(act: Act) -> Step {
    Step::new(StepId::new("s"), Rung::Compute, "a test", act)
}

fn status(id: &str) -> Step {
    let act = |from: &str, to: &str| {
        Act::SetStatus(StatusWrite {
            strategy: id.into(),
            expected: Some(Attr::text(from)),
            value: Some(Attr::text(to)),
        })
    };
    Step::new(StepId::new(id), Rung::Strategies, "a test", act("stopped", "running"))
        .undone_by(act("running", "stopped"))
}

fn approval(steps: &[Step]) -> Approval {
    let binding = Binding::Plan { environment: "sim".into(), digest: digest(steps) };
    Approval::grant(binding, &Consent::Typed("sim".into())).unwrap()
}

fn executor(steps: &[Step]) -> Executor {
    Executor::live(Purpose::Resume, JournalRule::Required, "run".into(), approval(steps))
}

const NOW: Utc = Utc::UNIX_EPOCH;

/// Answers every ask as the world would; gives the acts in the order in which they came.
fn play(executor: &mut Executor) -> Vec<StepId> {
    let mut done = Vec::new();
    let mut asks = executor.asks();
    while !asks.is_empty() {
        let mut next = Vec::new();
        for ask in asks {
            match ask {
                MachineAsk::Journal { steps, .. } => {
                    next.extend(executor.journaled(&steps, Ok(()), NOW));
                }
                MachineAsk::Record { steps, .. } => next.extend(executor.recorded(&steps)),
                MachineAsk::Act(acts) => {
                    let ids: Vec<StepId> = acts.into_iter().map(|(id, _)| id).collect();
                    done.extend(ids.clone());
                    let answers = ids.into_iter().map(|id| (id, Written::Applied { at: NOW }));
                    executor.acted(answers.collect());
                }
            }
        }
        next.extend(executor.asks());
        asks = next;
    }
    done
}

#[test]
fn an_approval_is_worth_nothing_for_another_name_digest_or_plan() {
    let steps = [status("a")];
    let binding = Binding::Plan { environment: "prod".into(), digest: digest(&steps) };
    for consent in [
        Consent::Typed("pro".into()),
        Consent::Typed(String::new()),
        Consent::Flag { environment: "dev".into() },
        Consent::Digest("0000000000000000".into()),
        Consent::Digest(digest(&steps).as_str()[..11].into()),
    ] {
        assert!(Approval::grant(binding.clone(), &consent).is_err(), "{consent:?}");
    }
    let short = Consent::Digest(digest(&steps).short().into());
    assert!(Approval::grant(binding, &short).is_ok());

    let mut executor = executor(&steps);
    let complaints = executor.append(vec![status("b")]);
    assert!(complaints[0].message.contains("approved was the plan"), "{complaints:?}");
    assert!(play(&mut executor).is_empty());
    assert!(matches!(executor.settled(&StepId::new("b")), Some(Settled::NotStarted { .. })));
}

#[test]
fn a_digest_is_over_what_is_done_not_over_why_or_in_which_order() {
    let (a, b) = (status("a"), status("b"));
    let plain = digest(&[a.clone(), b.clone()]);
    assert_eq!(plain, digest(&[b.clone(), a.clone()]));
    let why = Step { why: "another".into(), ..a.clone() };
    assert_eq!(plain, digest(&[why, b.clone()]));
    assert_ne!(plain, digest(std::slice::from_ref(&a)));
    assert_ne!(plain, digest(&[a.clone().awaiting("x"), b.clone()]));
    assert_ne!(plain, digest(&[a.clone().needing([StepId::new("b")]), b]));
}

#[test]
fn steps_wait_for_what_they_need_and_for_what_is_to_be_observed() {
    let steps = vec![
        status("c").needing([StepId::new("b")]),
        status("b").after([StepId::new("a")]),
        status("a"),
        status("d").awaiting("dawn"),
    ];
    let mut executor = executor(&steps);
    assert!(executor.append(steps).is_empty());
    let names = |ids: Vec<StepId>| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(play(&mut executor)), ["a", "b", "c"]);
    executor.observed("dawn");
    assert_eq!(names(play(&mut executor)), ["d"]);
    assert!(executor.is_idle());
}

#[test]
fn a_step_whose_need_failed_is_not_started() {
    let steps = vec![status("a"), status("b").needing([StepId::new("a")])];
    let mut executor = executor(&steps);
    executor.append(steps);
    let asks = executor.asks();
    let [MachineAsk::Journal { steps, .. }] = asks.as_slice() else { panic!("{asks:?}") };
    executor.journaled(steps, Ok(()), NOW);
    let refused = Written::Refused { expected: "x".into(), found: "y".into() };
    executor.acted(vec![(StepId::new("a"), refused)]);
    assert!(executor.asks().is_empty());
    assert!(matches!(executor.settled(&StepId::new("b")), Some(Settled::NotStarted { .. })));
}

#[test]
fn without_a_journal_nothing_is_done_unless_the_rule_says_so() {
    let steps = vec![status("a")];
    let mut strict = executor(&steps);
    strict.append(steps.clone());
    strict.asks();
    let asks = strict.journaled(&[StepId::new("a")], Err("disk full".into()), NOW);
    assert!(asks.is_empty());
    assert!(matches!(strict.settled(&StepId::new("a")), Some(Settled::NotStarted { .. })));

    let rule = JournalRule::GoOnWithout;
    let mut loose = Executor::live(Purpose::Resume, rule, "run".into(), approval(&steps));
    loose.append(steps);
    loose.asks();
    let asks = loose.journaled(&[StepId::new("a")], Err("disk full".into()), NOW);
    assert!(matches!(asks.as_slice(), [MachineAsk::Act(_)]), "{asks:?}");
}

#[test]
fn the_check_knows_what_each_kind_of_procedure_may_never_do() {
    let none = BTreeSet::new();
    let complaint = |purpose, step: Step| {
        check(purpose, &none, &[step]).into_iter().next().map(|it| it.message)
    };
    let close = |reduce_only| {
        step(Act::ClosePosition {
            venue: "paper".into(),
            order: NewOrder {
                client_order_id: "o".into(),
                strategy: "a".into(),
                symbol: "BTC".into(),
                side: Side::Sell,
                order_type: OrderType::Market,
                purpose: OrderPurpose::Exit,
                quantity: 1.into(),
                limit_price: None,
                stop_price: None,
                reduce_only,
                valid_until: None,
            },
        })
    };
    assert_eq!(complaint(Purpose::Stop, close(true)), None);
    assert!(complaint(Purpose::Stop, close(false)).is_some());
    assert!(complaint(Purpose::Resume, close(true)).is_some());
    let release =
        step(Act::WriteLatch { expected_epoch: 3, latch: Latch { epoch: 4, ..Latch::released() } });
    assert!(complaint(Purpose::Stop, release.clone()).is_some());
    assert_eq!(complaint(Purpose::Resume, release), None);
    let stuck =
        step(Act::WriteLatch { expected_epoch: 3, latch: Latch { epoch: 3, ..Latch::released() } });
    assert!(complaint(Purpose::Resume, stuck).is_some());
    let scale = step(Act::SetDesired { service: "s".into(), expected: 1, desired: 2 });
    assert!(complaint(Purpose::Stop, scale.clone()).is_some());
    assert!(complaint(Purpose::Resume, scale).unwrap().contains("no inverse"));
    assert!(complaint(Purpose::Stop, status("a")).unwrap().contains("records for the resume"));
    assert!(complaint(Purpose::Stop, step(Act::EnsureSupervised)).is_some());
    assert!(complaint(Purpose::Stop, handed("other", 1)).is_some());
    assert_eq!(complaint(Purpose::Resume, handed("other", 1)), None);
    assert!(complaint(Purpose::Resume, handed("other", 0)).is_some());
    let silent = Step { why: " ".into(), ..status("a") };
    assert!(complaint(Purpose::Resume, silent).is_some());
    let looped = status("a").after([StepId::new("a")]);
    assert!(complaint(Purpose::Resume, looped).is_some());
}

/// A step that hands so many values over.
fn handed(stop: &str, count: usize) -> Step {
    let item = status("a").act.changes().unwrap();
    let chunk = RestoreChunk {
        format: RestoreChunk::FORMAT,
        unlatched: None,
        taken_from: None,
        void: Vec::new(),
        stop_id: stop.into(),
        run_id: "r".into(),
        chunk: 0,
        at: Utc::UNIX_EPOCH,
        items: vec![item; count],
    };
    step(Act::HandOver { chunk })
}

#[test]
fn nothing_is_released_before_what_others_hold_is_handed_over() {
    let latch = Latch { epoch: 4, ..Latch::released() };
    let release =
        Step { id: StepId::new("release"), ..step(Act::WriteLatch { expected_epoch: 3, latch }) };
    let handed = handed("other", 1);
    let none = BTreeSet::new();
    let early = check(Purpose::Resume, &none, &[handed.clone(), release.clone()]);
    assert_eq!(early.len(), 1, "{early:?}");
    assert!(early[0].message.contains("handed over"), "{early:?}");
    let late = release.needing([handed.id.clone()]);
    assert_eq!(check(Purpose::Resume, &none, &[handed, late]), []);
}

#[test]
fn a_count_and_its_autoscaling_come_in_turn() {
    let scaling = |suspended| Autoscaling { min_capacity: 0, max_capacity: 3, suspended };
    let (loose, held) = (scaling(Suspended::NONE), scaling(Suspended::ALL));
    let pair = |(low, high): (u32, u32), (from, to): (Autoscaling, Autoscaling)| {
        let count = |expected, desired| Act::SetDesired { service: "s".into(), expected, desired };
        let scale = |expected, value| Act::SetAutoscaling { service: "s".into(), expected, value };
        let step = |id, act: Act, undo| {
            let restore = act.changes().unwrap();
            let step = Step::new(StepId::new(id), Rung::Compute, "a test", act);
            step.recording(restore).undone_by(undo)
        };
        let count = step("count", count(low, high), count(high, low));
        (count, step("scaling", scale(from, to), scale(to, from)))
    };
    let complaints = |purpose, steps: (Step, Step)| {
        let found = check(purpose, &Default::default(), &[steps.0, steps.1]);
        found.into_iter().map(|it| (it.step.to_string(), it.message)).collect::<Vec<_>>()
    };
    let (count, scaling) = pair((1, 0), (loose, held));
    let found = complaints(Purpose::Stop, (count.clone(), scaling.clone()));
    let early = "it scales down before autoscaling is suspended";
    assert_eq!(found, [("count".to_owned(), early.to_owned())]);
    let count = count.after([scaling.id.clone()]);
    assert_eq!(complaints(Purpose::Stop, (count, scaling)), []);

    let (count, scaling) = pair((0, 1), (held, loose));
    let found = complaints(Purpose::Resume, (count.clone(), scaling.clone()));
    let early = "it lets autoscaling loose before the count is back";
    assert_eq!(found, [("scaling".to_owned(), early.to_owned())]);
    // Whatever became of the count is not enough: it must stand.
    let late = scaling.clone().after([count.id.clone()]);
    assert_eq!(complaints(Purpose::Resume, (count.clone(), late)).len(), 1);
    let scaling = scaling.needing([count.id.clone()]);
    assert_eq!(complaints(Purpose::Resume, (count, scaling)), []);
}

#[test]
fn a_saved_plan_is_refused_when_the_world_moved() {
    let at = |second| Utc::from_second(second).unwrap();
    let saved = SavedPlan::new("resume", "sim", at(0), vec![status("a")]);
    let today = |second, steps| SavedPlan::new("resume", "sim", at(second), steps);
    assert_eq!(saved.compare(&today(900, vec![status("a")])), Ok(()));
    let expired = saved.compare(&today(901, vec![status("a")]));
    assert_eq!(expired, Err(Moved::Expired { age_s: 901 }));
    let moved = saved.compare(&today(1, vec![status("b")])).unwrap_err().to_string();
    assert!(
        moved.contains("a: expected to set status of a")
            && moved.contains("found that there is no need of it now")
            && moved.contains("b: not in the plan, found that it would set status of b"),
        "{moved}"
    );
    let other = SavedPlan::new("resume", "prod", at(0), vec![status("a")]);
    assert!(matches!(saved.compare(&other), Err(Moved::Other { .. })));
    let edited = SavedPlan { steps: vec![status("z")], ..saved };
    assert_eq!(edited.compare(&today(1, vec![status("a")])), Err(Moved::Edited));
}

#[test]
fn what_ends_while_intents_or_values_are_written_down_is_never_asked_for() {
    let recorded = status("a").recording(RestoreItem {
        subject: RestoreSubject::Strategy("a".into()),
        before: RestoreValue::Status(Some(Attr::text("stopped"))),
        written: RestoreValue::Status(Some(Attr::text("running"))),
        loses: None,
    });
    let steps = [recorded, status("b")];
    let ids: Vec<StepId> = steps.iter().map(|step| step.id.clone()).collect();
    let ended = |executor: &Executor| {
        ids.iter().all(|id| matches!(executor.settled(id), Some(Settled::NotStarted { .. })))
    };
    // Before the journal has answered.
    let mut executor = executor(&steps);
    executor.works_on("stop".into(), None, NOW);
    executor.append(steps.to_vec());
    executor.asks();
    executor.close("interrupted");
    assert_eq!(executor.journaled(&ids, Ok(()), NOW), []);
    assert!(ended(&executor));
    // Before the store has.
    let mut executor = self::executor(&steps[..1]);
    executor.works_on("stop".into(), None, NOW);
    executor.append(steps[..1].to_vec());
    executor.asks();
    let asks = executor.journaled(&ids[..1], Ok(()), NOW);
    assert!(matches!(asks.as_slice(), [MachineAsk::Record { .. }]), "{asks:?}");
    executor.close("interrupted");
    assert_eq!(executor.recorded(&ids[..1]), []);
    assert!(matches!(executor.settled(&ids[0]), Some(Settled::NotStarted { .. })));
}

#[test]
fn nothing_taken_over_moves_no_time() {
    let item = RestoreItem {
        subject: RestoreSubject::Strategy("a".into()),
        before: RestoreValue::Enabled(true),
        written: RestoreValue::Enabled(false),
        loses: None,
    };
    let later = NOW + jiff::SignedDuration::from_hours(1);
    for (items, at) in [(vec![], NOW), (vec![item], later)] {
        let mut step = status("a");
        step.restore = Some(RestoreItem {
            subject: RestoreSubject::Strategy("b".into()),
            before: RestoreValue::Enabled(true),
            written: RestoreValue::Enabled(false),
            loses: None,
        });
        let mut executor = executor(std::slice::from_ref(&step));
        executor.works_on("stop".into(), None, NOW);
        executor.take_over(&"old".into(), None, &items, later);
        executor.append(vec![step.clone()]);
        executor.asks();
        let asks = executor.journaled(&[step.id], Ok(()), NOW);
        let [MachineAsk::Record { chunk, .. }] = asks.as_slice() else { panic!("{asks:?}") };
        assert_eq!(chunk.at > NOW, at > NOW, "{items:?}");
    }
}

proptest! {
    /// Whatever waits for whatever, no act comes before its intent was journaled, none comes
    /// twice, and none before what it waits for.
    #[test]
    fn no_act_before_its_intent_and_none_twice(edges in proptest::collection::vec((0_usize..12, 0_usize..12), 0..30)) {
        let id = |index: usize| StepId::new(format!("s{index:02}"));
        let steps: Vec<Step> = (0..12).map(|index| {
            let on = edges.iter().filter(|(from, to)| *from == index && to < from);
            status(&format!("s{index:02}")).after(on.map(|(_, to)| id(*to)))
        }).collect();
        let mut executor = executor(&steps);
        prop_assert!(executor.append(steps.clone()).is_empty());
        let mut intended = std::collections::BTreeSet::new();
        let mut done: Vec<StepId> = Vec::new();
        let mut asks = executor.asks();
        while !asks.is_empty() {
            let mut next = Vec::new();
            for ask in asks {
                match ask {
                    MachineAsk::Journal { steps, entries } => {
                        let named = entries.iter().any(|entry| matches!(entry,
                            crate::journal::Entry::Intent { steps: named } if *named == steps));
                        prop_assert!(named);
                        intended.extend(steps.clone());
                        next.extend(executor.journaled(&steps, Ok(()), NOW));
                    }
                    MachineAsk::Record { steps, .. } => next.extend(executor.recorded(&steps)),
                    MachineAsk::Act(acts) => for (id, _) in acts {
                        prop_assert!(intended.contains(&id));
                        prop_assert!(!done.contains(&id));
                        let step = steps.iter().find(|step| step.id == id).unwrap();
                        prop_assert!(step.after.iter().all(|before| done.contains(before)));
                        done.push(id.clone());
                        executor.acted(vec![(id, Written::Applied { at: NOW })]);
                    },
                }
            }
            next.extend(executor.asks());
            asks = next;
        }
        prop_assert_eq!(done.len(), 12);
    }
}
