//! What every platform must do, as tests that any platform can be put through.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;

use trading_core::model::{
    Attr, Autoscaling, EngineId, Gap, Hold, Latch, Level, Listing, LogQuery, LogSource, Misplaced,
    OrderRow, Phase, PositionRow, Reading, RestoreChunk, RestoreItem, RestoreSubject, RestoreValue,
    Row, Schedule, Scope, Service, ServiceName, StatusWrite, StrategyId, StrategyRow, Supervision,
    Suspended, Task, TaskId, Utc, Written,
};

use super::{Notice, Platform, RowUpdate, SecretKeys};

/// A platform that was prepared for the contract.
pub(crate) struct Seeded {
    /// The platform.
    pub(crate) platform: Platform,
    /// At least 130 strategies, all `running`, each with attributes nobody knows.
    pub(crate) strategies: Vec<StrategyRow>,
    /// A service with desired count 2 and the scaling target below; nothing starts tasks.
    pub(crate) service: ServiceName,
    /// Its scaling target.
    pub(crate) autoscaling: Autoscaling,
    /// Who acts on desired counts there.
    pub(crate) supervision: Supervision,
    /// An enabled schedule with an expression in a time zone of its own.
    pub(crate) schedule: Schedule,
    /// A service whose log holds what [`SAID`] says, at the seconds before `now`, in two streams.
    pub(crate) log: LogSource,
    /// What lies in the secret store.
    pub(crate) secret: Planted,
    /// The platform's time.
    pub(crate) now: Utc,
}

/// Lines of a log: seconds before now, stream, text.
pub(crate) const SAID: [(i64, &str, &str); 4] = [
    (40, "task/a", "order 3f2a-77b1-9c placed"),
    (30, "task/b", "order 3f2a-77b1-9d placed"),
    (20, "task/a", "a \"quoted\" word"),
    (10, "task/b", "order 3f2a-77b1-9c filled"),
];

/// A secret.
#[derive(Clone, Copy)]
pub(crate) struct Planted {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
}

/// Puts a platform through everything.
pub(crate) async fn all(seeded: &Seeded) {
    state(seeded).await;
    compute(seeded).await;
    schedules_are_toggled_without_loss(seeded).await;
    notices_are_published(seeded).await;
    secrets_are_named_and_not_shown(seeded).await;
    logs_are_found(seeded).await;
    what_is_absent_is_absent(seeded).await;
}

/// Only what lies in the state store.
pub(crate) async fn state(seeded: &Seeded) {
    rows_are_read_whole(seeded).await;
    one_row_is_read_alone(seeded).await;
    updates_are_conditional(seeded).await;
    updates_come_in_batches(seeded).await;
    positions_and_orders_are_merged(seeded).await;
    the_latch_is_conditional_on_its_epoch(seeded).await;
    restore_chunks_are_written_once(seeded).await;
    leases_are_fenced(seeded).await;
}

/// Only services and tasks.
pub(crate) async fn compute(seeded: &Seeded) {
    who_acts_on_desired_counts_is_known(seeded).await;
    one_service_is_read_alone(seeded).await;
    desired_counts_are_conditional(seeded).await;
    scaling_targets_are_conditional(seeded).await;
    let nothing = TaskId::from("contract-nothing");
    refused(&seeded.platform.compute.stop_task(&nothing, "tests").await);
}

fn known<T>(reading: Reading<T>) -> T {
    reading.into_result().unwrap_or_else(|gap: Gap| panic!("{gap}"))
}

fn applied(written: &Written) {
    assert!(matches!(written, Written::Applied { .. }), "{written:?}");
}

fn refused(written: &Written) {
    assert!(matches!(written, Written::Refused { .. }), "{written:?}");
}

async fn row(seeded: &Seeded, id: &StrategyId) -> StrategyRow {
    let rows = known(seeded.platform.state.strategies().await);
    rows.into_iter().find(|row| row.id == *id).unwrap()
}

fn status(id: &StrategyId, expected: &str, value: &str) -> RowUpdate {
    RowUpdate::from(&StatusWrite {
        strategy: id.clone(),
        expected: Some(Attr::text(expected)),
        value: Some(Attr::text(value)),
    })
}

async fn update(seeded: &Seeded, update: RowUpdate) -> Written {
    let mut answers = seeded.platform.state.update_strategies(&[update]).await;
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

async fn rows_are_read_whole(seeded: &Seeded) {
    let mut rows = known(seeded.platform.state.strategies().await);
    let mut wanted = seeded.strategies.clone();
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    wanted.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(rows, wanted, "all rows, every attribute, the latch not among them");
}

async fn one_row_is_read_alone(seeded: &Seeded) {
    let state = &seeded.platform.state;
    let wanted = &seeded.strategies[7];
    assert_eq!(known(state.strategy(&wanted.id).await), std::slice::from_ref(wanted));
    assert_eq!(known(state.strategy(&"contract-nobody".into()).await), []);
    let latch = trading_core::model::LATCH_KEY.into();
    assert_eq!(known(state.strategy(&latch).await), [], "the latch is no strategy");
}

async fn updates_are_conditional(seeded: &Seeded) {
    let id = seeded.strategies[0].id.clone();
    let before = row(seeded, &id).await;
    refused(&update(seeded, status(&id, "paused", "stopped")).await);
    assert_eq!(row(seeded, &id).await, before, "a refused write changes nothing");
    applied(&update(seeded, status(&id, "running", "stopped")).await);
    // What stands there already is `Already`, whatever was expected.
    assert_eq!(update(seeded, status(&id, "running", "stopped")).await, Written::Already);
    let mut wanted = before.clone();
    wanted.row.set("status", Attr::text("stopped"));
    assert_eq!(row(seeded, &id).await, wanted, "no other attribute changed");
    // A missing attribute can be required, set and taken away again.
    let ack = |require: Option<Attr>, set: Option<Attr>| RowUpdate {
        strategy: id.clone(),
        require: BTreeMap::from([("stop_ack".to_owned(), require)]),
        set: BTreeMap::from([("stop_ack".to_owned(), set)]),
    };
    let text = || Some(Attr::text("stop-1"));
    applied(&update(seeded, ack(None, text())).await);
    refused(&update(seeded, ack(None, Some(Attr::text("stop-2")))).await);
    applied(&update(seeded, ack(text(), None)).await);
    assert_eq!(update(seeded, ack(text(), None)).await, Written::Already);
    applied(&update(seeded, status(&id, "stopped", "running")).await);
    assert_eq!(row(seeded, &id).await, before, "and back");
    // A row is never created.
    let nobody = StrategyId::from("contract-nobody");
    refused(&update(seeded, status(&nobody, "running", "stopped")).await);
    let gone = RowUpdate {
        strategy: nobody.clone(),
        require: BTreeMap::from([("status".to_owned(), None)]),
        set: BTreeMap::from([("status".to_owned(), Some(Attr::text("running")))]),
    };
    refused(&update(seeded, gone).await);
    let rows = known(seeded.platform.state.strategies().await);
    assert!(rows.iter().all(|row| row.id != nobody));
}

async fn updates_come_in_batches(seeded: &Seeded) {
    let odd = seeded.strategies.len() / 2;
    let updates: Vec<RowUpdate> = seeded
        .strategies
        .iter()
        .enumerate()
        .map(|(at, row)| status(&row.id, if at == odd { "failed" } else { "running" }, "stopped"))
        .collect();
    let answers = seeded.platform.state.update_strategies(&updates).await;
    assert_eq!(answers.len(), updates.len());
    for (at, answer) in answers.iter().enumerate() {
        // One that is refused does not take its neighbours with it.
        if at == odd { refused(answer) } else { applied(answer) }
    }
    let back: Vec<RowUpdate> =
        seeded.strategies.iter().map(|row| status(&row.id, "stopped", "running")).collect();
    let answers = seeded.platform.state.update_strategies(&back).await;
    assert_eq!(answers[odd], Written::Already);
    assert_eq!(answers.iter().filter(|it| it.stands()).count(), updates.len());
    assert!(seeded.platform.state.update_strategies(&[]).await.is_empty());
}

async fn positions_and_orders_are_merged(seeded: &Seeded) {
    let state = &seeded.platform.state;
    let position = |row: Row| [PositionRow { id: "contract-p".into(), row }];
    let first = Row::default().with_text("status", "open").with("leverage", Attr::N("1.50".into()));
    applied(&state.merge_positions(&position(first.clone())).await[0]);
    assert_eq!(state.merge_positions(&position(first)).await[0], Written::Already);
    let second = Row::default().with_text("status", "closing");
    applied(&state.merge_positions(&position(second)).await[0]);
    let rows = known(state.positions().await);
    let stored = rows.iter().find(|row| row.id.as_str() == "contract-p").unwrap();
    let leverage = stored.row.get("leverage").unwrap();
    assert!(leverage.is_same(&Attr::N("1.50".into())), "kept, to the digit: {leverage}");
    assert_eq!(stored.row.text("status").unwrap(), "closing");
    assert_eq!(stored.row.text(PositionRow::POSITION_ID).unwrap(), "contract-p");

    let order = |id: &str, status: &str| OrderRow {
        id: id.into(),
        row: Row::default()
            .with_text(OrderRow::STATUS, status)
            .with_text(PositionRow::POSITION_ID, "contract-p"),
    };
    let orders = [
        order("contract-live", "live"),
        order("contract-unknown", "unknown"),
        order("contract-odd", "Half-Done"),
        order("contract-filled", "Filled"),
    ];
    for answer in state.merge_orders(&orders).await {
        applied(&answer);
    }
    let open = known(state.open_orders().await);
    let open: Vec<&str> = open.iter().map(|row| row.id.as_str()).collect();
    for id in ["contract-live", "contract-unknown", "contract-odd"] {
        assert!(open.contains(&id), "{id} is not known to be at rest");
    }
    assert!(!open.contains(&"contract-filled"));
}

async fn the_latch_is_conditional_on_its_epoch(seeded: &Seeded) {
    let state = &seeded.platform.state;
    let first = known(state.latch().await);
    let hold = Hold {
        stop_id: "contract-stop".into(),
        level: Level::Halt,
        scope: Scope::All,
        reason: "contract \u{202e}\u{1b}[2J".to_owned(),
        actor: "tests".to_owned(),
        at: seeded.now,
        phase: Phase::Stopping,
        misplaced: vec![Misplaced {
            run_id: "contract-run".into(),
            actor: "tests".to_owned(),
            chunks: [0, 2].into(),
        }],
        overtook_resume: true,
        unknown: serde_json::Map::from_iter([("from_the_future".to_owned(), 7.into())]),
    };
    let held = first.next(vec![hold]);
    refused(&state.write_latch(first.epoch + 1, &held).await);
    assert_eq!(known(state.latch().await), first);
    applied(&state.write_latch(first.epoch, &held).await);
    assert_eq!(known(state.latch().await), held, "what we do not know is carried along");
    refused(&state.write_latch(first.epoch, &held).await);
    let released = held.next(Vec::new());
    applied(&state.write_latch(held.epoch, &released).await);
    assert_eq!(known(state.latch().await).epoch, first.epoch + 2);
    let rows = known(state.strategies().await);
    assert!(rows.iter().all(|row| row.id.as_str() != trading_core::model::LATCH_KEY));
}

fn chunk(seeded: &Seeded, run: &str, number: u32) -> RestoreChunk {
    RestoreChunk {
        format: RestoreChunk::FORMAT,
        unlatched: None,
        taken_from: None,
        void: Vec::new(),
        stop_id: "contract-stop".into(),
        run_id: run.into(),
        chunk: number,
        at: seeded.now,
        items: vec![RestoreItem {
            subject: RestoreSubject::Service(seeded.service.clone()),
            before: RestoreValue::Desired(2),
            written: RestoreValue::Desired(0),
            loses: None,
        }],
    }
}

async fn restore_chunks_are_written_once(seeded: &Seeded) {
    let state = &seeded.platform.state;
    let stop = "contract-stop".into();
    assert!(known(state.restore_chunks(&stop).await).is_empty(), "none is none, not a gap");
    let (later, earlier) = (chunk(seeded, "run-b", 0), chunk(seeded, "run-a", 1));
    applied(&state.put_restore_chunk(&later).await);
    applied(&state.put_restore_chunk(&earlier).await);
    assert_eq!(state.put_restore_chunk(&later).await, Written::Already);
    let mut other = later.clone();
    other.items.clear();
    refused(&state.put_restore_chunk(&other).await);
    assert_eq!(known(state.restore_chunks(&stop).await), [earlier, later], "earliest first");
    assert!(known(state.restore_chunks(&"contract-other".into()).await).is_empty());
    loose_chunks_are_found_without_their_stops(seeded).await;
}

async fn loose_chunks_are_found_without_their_stops(seeded: &Seeded) {
    let state = &seeded.platform.state;
    assert_eq!(known(state.loose_chunks().await), [], "those that the latch leads to are none");
    let hold = Hold {
        stop_id: "contract-dead".into(),
        level: Level::Halt,
        scope: Scope::Service(seeded.service.clone()),
        reason: "contract".into(),
        actor: "contract".into(),
        at: seeded.now,
        phase: Phase::Stopping,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    };
    let (stop_id, unlatched) = (hold.stop_id.clone(), Some(Box::new(hold)));
    let dead = RestoreChunk { stop_id, unlatched, ..chunk(seeded, "run-c", 0) };
    applied(&state.put_restore_chunk(&dead).await);
    assert_eq!(known(state.loose_chunks().await), std::slice::from_ref(&dead));
    let taken = dead.taken_over_by(&"contract-stop".into());
    applied(&state.put_restore_chunk(&taken).await);
    assert_eq!(state.put_restore_chunk(&taken).await, Written::Already);
    assert_eq!(known(state.loose_chunks().await), [dead, taken.clone()]);
    let stop = "contract-stop".into();
    assert!(known(state.restore_chunks(&stop).await).contains(&taken), "it is in a record too");
}

async fn leases_are_fenced(seeded: &Seeded) {
    let state = &seeded.platform.state;
    let (one, two) = (EngineId::from("contract-1"), EngineId::from("contract-2"));
    let ids: Vec<StrategyId> = seeded.strategies[..2].iter().map(|row| row.id.clone()).collect();
    let long = Duration::from_secs(3_600);
    let taken = known(state.take_leases(&one, &ids, long).await);
    assert_eq!(
        taken.iter().map(|it| &it.strategy).collect::<Vec<_>>(),
        ids.iter().collect::<Vec<_>>()
    );
    assert!(taken.iter().all(|it| it.owner == one && it.generation == 1));
    let denied = known(state.take_leases(&two, &ids, long).await);
    assert_eq!(denied, taken, "what another holds stays as it is");
    let renewed = known(state.take_leases(&one, &ids[..1], long).await);
    assert_eq!(renewed[0].generation, 1, "a renewal is no change of hands");
    applied(&state.release_leases(&one).await);
    assert_eq!(state.release_leases(&one).await, Written::Already);
    let passed = known(state.take_leases(&two, &ids, Duration::ZERO).await);
    assert!(passed.iter().all(|it| it.owner == two && it.generation == 2), "{passed:?}");
    // Run out at once: free for the next one, in a further generation.
    let back = known(state.take_leases(&one, &ids[..1], long).await);
    assert_eq!((back[0].owner.clone(), back[0].generation), (one.clone(), 3));
    let all = known(state.leases().await);
    assert!(all.iter().any(|it| it.strategy == ids[0] && it.generation == 3));
    let alone = known(state.lease(&ids[1]).await);
    assert_eq!(alone.iter().map(|it| &it.strategy).collect::<Vec<_>>(), [&ids[1]]);
    assert_eq!(known(state.lease(&"contract-nobody".into()).await), []);
    applied(&state.release_leases(&one).await);
}

/// As it stands among all of them; what does not exist is neither there nor a gap.
async fn one_service_is_read_alone(seeded: &Seeded) {
    let (compute, name) = (&seeded.platform.compute, &seeded.service);
    let all = known(compute.services().await);
    let alone = known(compute.service(name).await);
    assert!(alone.is_whole(), "{alone:?}");
    let stands = |list: &Listing<Service>| {
        let mut found = list.found.iter().filter(|it| it.name == *name);
        let it = found.next().expect("the service");
        // How many run may change between the two looks.
        (it.family.clone(), it.desired_count, it.autoscaling.value().copied())
    };
    assert_eq!((alone.found.len(), stands(&alone)), (1, stands(&all)));
    assert_eq!(known(compute.service(&"contract-nothing".into()).await), Listing::default());
    let ids = |list: Listing<Task>| -> BTreeSet<TaskId> {
        let its = list.found.into_iter().filter(|it| it.service.as_ref() == Some(name));
        its.map(|it| it.id).collect()
    };
    // Tasks may start between the looks, and none is forgotten so soon.
    let before = ids(known(compute.tasks().await));
    let alone = known(compute.tasks_of(name).await);
    assert!(alone.found.iter().all(|it| it.service.as_ref() == Some(name)), "{alone:?}");
    let (alone, after) = (ids(alone), ids(known(compute.tasks().await)));
    assert!(before.is_subset(&alone) && alone.is_subset(&after), "{before:?} {alone:?} {after:?}");
}

async fn who_acts_on_desired_counts_is_known(seeded: &Seeded) {
    let compute = &seeded.platform.compute;
    assert_eq!(known(compute.supervision().await), seeded.supervision);
    // Where the platform does it itself there is nobody to be started.
    if seeded.supervision == Supervision::Platform {
        assert_eq!(compute.ensure_supervised().await, Written::Already);
    }
}

async fn desired_counts_are_conditional(seeded: &Seeded) {
    let compute = &seeded.platform.compute;
    let name = &seeded.service;
    let desired = || async {
        let services = known(compute.services().await);
        services.into_iter().find(|it| it.name == *name).unwrap().desired_count
    };
    assert_eq!(desired().await, 2);
    refused(&compute.set_desired(name, 1, 0).await);
    assert_eq!(desired().await, 2);
    applied(&compute.set_desired(name, 2, 0).await);
    assert_eq!(compute.set_desired(name, 2, 0).await, Written::Already);
    applied(&compute.set_desired(name, 0, 2).await);
    assert_eq!(desired().await, 2);
    refused(&compute.set_desired(&"contract-nothing".into(), 0, 1).await);
}

async fn scaling_targets_are_conditional(seeded: &Seeded) {
    let compute = &seeded.platform.compute;
    let (name, before) = (&seeded.service, seeded.autoscaling);
    let suspended = Autoscaling { suspended: Suspended::ALL, ..before };
    refused(
        &compute.set_autoscaling(name, suspended, Autoscaling { min_capacity: 9, ..before }).await,
    );
    applied(&compute.set_autoscaling(name, before, suspended).await);
    assert_eq!(compute.set_autoscaling(name, before, suspended).await, Written::Already);
    let services = known(compute.services().await);
    let service = services.into_iter().find(|it| it.name == *name).unwrap();
    assert_eq!(service.autoscaling.value(), Some(&suspended));
    applied(&compute.set_autoscaling(name, suspended, before).await);
    let nothing = ServiceName::from("contract-nothing");
    refused(&compute.set_autoscaling(&nothing, before, suspended).await);
}

/// Only schedules.
pub(crate) async fn schedules_are_toggled_without_loss(seeded: &Seeded) {
    let schedules = &seeded.platform.schedules;
    let id = &seeded.schedule.id;
    let stored = || async {
        let all = known(schedules.schedules().await).found;
        all.into_iter().find(|it| it.id == *id).unwrap()
    };
    assert_eq!(stored().await, seeded.schedule);
    assert_eq!(schedules.set_enabled(id, true).await, Written::Already);
    applied(&schedules.set_enabled(id, false).await);
    assert_eq!(stored().await, Schedule { enabled: false, ..seeded.schedule.clone() });
    applied(&schedules.set_enabled(id, true).await);
    assert_eq!(stored().await, seeded.schedule);
    refused(&schedules.set_enabled(&"contract-nothing".into(), false).await);
}

/// A notice that is sent again is the same message, and no failure.
pub(crate) async fn notices_are_published(seeded: &Seeded) {
    let notice = Notice {
        message_id: "contract-1".to_owned(),
        subject: "contract".to_owned(),
        body: "line one\nline two".to_owned(),
    };
    assert!(seeded.platform.notify.publish(&notice).await.stands());
    assert!(seeded.platform.notify.publish(&notice).await.stands());
    let odd = Notice {
        message_id: "contract-2".to_owned(),
        subject: format!("\u{202e}\u{1b}[2J b\u{f6}se\n{}", "x".repeat(300)),
        body: String::new(),
    };
    assert!(seeded.platform.notify.publish(&odd).await.stands(), "it is an alarm all the same");
}

/// One value is given out where it is asked for by its names, and shown nowhere.
pub(crate) async fn secrets_are_named_and_not_shown(seeded: &Seeded) {
    let secrets = &seeded.platform.secrets;
    let Planted { name, key, value } = seeded.secret;
    let found = secrets.value(name, key).await;
    assert!(!format!("{found:?}").contains(value), "{found:?}");
    assert_eq!(known(found).reveal(), value);
    let list = known(secrets.list().await);
    let info = list.iter().find(|it| it.name == name).unwrap();
    assert!(info.changed_at.is_some());
    // Not told is not "none".
    if let SecretKeys::Known(keys) = &info.keys {
        assert!(keys.iter().any(|it| it == key), "{keys:?}");
    }
    assert!(!format!("{list:?}").contains(value));
    let absent =
        [secrets.value(name, "contract-nothing").await, secrets.value("contract-n", key).await];
    for value in absent {
        assert!(value.is_absent(), "{value:?}");
    }
}

/// Each bound of a query holds exactly, and the newest are the newest of what matches.
pub(crate) async fn logs_are_found(seeded: &Seeded) {
    let ago = |seconds: i64| {
        let at = seeded.now.checked_sub(jiff::SignedDuration::from_secs(seconds)).unwrap();
        // No platform tells finer than this.
        Some(Utc::from_millisecond(at.as_millisecond()).unwrap())
    };
    let own = LogQuery { from: vec![seeded.log.clone()], ..LogQuery::default() };
    let ask = async |query: LogQuery| {
        let list = known(seeded.platform.logs.query(&query).await);
        assert_eq!(list.gaps, []);
        list.lines.into_iter().map(|it| it.message).collect::<Vec<_>>()
    };
    let said = |wanted: &[usize]| wanted.iter().map(|at| SAID[*at].2).collect::<Vec<_>>();
    assert_eq!(ask(own.clone()).await, said(&[0, 1, 2, 3]), "all, in order of time");
    let (since, until) = (ago(30), ago(20));
    assert_eq!(ask(LogQuery { since, until, ..own.clone() }).await, said(&[1, 2]));
    let id = Some("3f2a-77b1-9c".to_owned());
    assert_eq!(ask(LogQuery { contains: id.clone(), ..own.clone() }).await, said(&[0, 3]));
    assert_eq!(ask(LogQuery { contains: id, limit: Some(1), ..own.clone() }).await, said(&[3]));
    let quoted = Some("\"quoted\" w".to_owned());
    assert_eq!(ask(LogQuery { contains: quoted, ..own.clone() }).await, said(&[2]));
    let stream = Some("task/a".to_owned());
    assert_eq!(ask(LogQuery { stream_prefix: stream, ..own.clone() }).await, said(&[0, 2]));
    assert_eq!(ask(LogQuery { limit: Some(3), ..own.clone() }).await, said(&[1, 2, 3]));
    assert_eq!(ask(LogQuery { until: ago(20), limit: Some(1), ..own }).await, said(&[2]));
}

async fn what_is_absent_is_absent(seeded: &Seeded) {
    let latch = known(seeded.platform.state.latch().await);
    assert_eq!(latch.holds, Latch::released().holds);
}
