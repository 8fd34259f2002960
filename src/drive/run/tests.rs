//! Ports whose code panics: what was asked of them is answered for, and the rest goes on.

use std::sync::{Arc, Mutex};

use trading_core::model::{Listing, Schedule, ScheduleId, StopId, Written};
use trading_core::ops::{Query, Seen};
use trading_core::plan::{Act, StepId};

use super::*;
use crate::ctx::SystemClock;
use crate::drive::journal::{JournalWriter, Sink};
use crate::platform::local::{self, Blueprint};
use crate::platform::{Fut, Schedules};
use crate::ui::Terminal;
use trading_core::model::Reading;

struct Panics;
impl Schedules for Panics {
    fn schedules(&self) -> Fut<'_, Reading<Listing<Schedule>>> {
        Box::pin(async { panic!("no schedules") })
    }
    fn set_enabled<'a>(&'a self, _: &'a ScheduleId, _: bool) -> Fut<'a, Written> {
        Box::pin(async { panic!("not set") })
    }
}

/// Asks everything at once, and ends when all of it is answered.
struct Asks {
    wants: Vec<Want>,
    open: usize,
    answers: Vec<(Ticket, Answer)>,
}

impl Asks {
    fn new(asks: Vec<Ask>) -> Self {
        let wants = asks.into_iter().enumerate();
        let wants: Vec<Want> =
            wants.map(|(number, ask)| Want { ticket: Ticket(number as u64), ask }).collect();
        Self { open: wants.len(), wants, answers: Vec::new() }
    }
}

impl Procedure for Asks {
    fn wants(&mut self, _: Utc) -> Vec<Want> {
        std::mem::take(&mut self.wants)
    }
    fn give(&mut self, _: Utc, ticket: Ticket, answer: Answer) {
        self.answers.push((ticket, answer));
        self.answers.sort_by_key(|(ticket, _)| *ticket);
    }
    fn wake_at(&self) -> Option<Utc> {
        None
    }
    fn interrupt(&mut self, _: Utc, _: &str) {}
    fn news(&mut self) -> Vec<News> {
        Vec::new()
    }
    fn outcome(&mut self, _: Utc) -> Option<Report> {
        (self.answers.len() == self.open).then(|| Report::new("test", "done", Exit::Ok))
    }
}

/// A journal in memory.
struct Memory(Arc<Mutex<Vec<u8>>>);
impl Sink for Memory {
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.lock().unwrap().extend(bytes);
        Ok(())
    }
    fn sync(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A local platform below a folder, and its environment.
async fn local_platform(
    home: &std::path::Path,
    clock: &Arc<dyn Clock>,
) -> (Platform, crate::settings::Environment) {
    let mut environment = crate::settings::tests::named("local");
    environment.platform =
        crate::settings::PlatformKind::Local { directory: home.join("platform") };
    environment.state_dir = home.to_path_buf();
    let exe = std::path::Path::new("/nowhere/tradectl");
    let blueprint = Blueprint::demo(&environment, exe, 1, 2);
    local::setup(&environment, Arc::clone(clock), &blueprint).await.unwrap();
    let platform = local::open(&environment, Arc::clone(clock)).unwrap();
    (platform, environment)
}

async fn drive(asks: Vec<Ask>, journal: Option<JournalWriter>) -> (Report, Vec<Answer>) {
    let home = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (mut platform, environment) = local_platform(home.path(), &clock).await;
    platform.schedules = Arc::new(Panics);
    let (ui, _) = Ui::captured("", Terminal::none(80));
    let mut driver = Driver {
        platform,
        state_dir: environment.state_dir.clone(),
        journal,
        ui: &ui,
        clock,
        timeout: Duration::from_secs(60),
        act_limit: Duration::MAX,
        look_until: None,
        signals: None,
        kill: KillPoint::never(),
    };
    let mut asks = Asks::new(asks);
    let report = driver.run(&mut asks).await;
    (report, asks.answers.into_iter().map(|(_, answer)| answer).collect())
}

#[tokio::test]
async fn a_read_that_panics_is_a_gap_and_the_others_are_answered() {
    let asks = vec![Ask::Read(Query::Schedules), Ask::Read(Query::Latch)];
    let (report, answers) = drive(asks, None).await;
    let [Answer::Read(schedules), Answer::Read(latch)] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    let Seen::Schedules(Reading::Gap(gap)) = &**schedules else { panic!("{schedules:?}") };
    assert_eq!(gap.why, "a bug of ours: no schedules");
    assert!(matches!(&**latch, Seen::Latch(Reading::Known { .. })), "{latch:?}");
    // Who only looks does not trust the answer.
    assert_eq!(report.exit, Exit::Bug);
    assert_eq!(report.findings[0].id, "bug");
}

/// A platform that never answers a change.
struct Hangs;
impl Schedules for Hangs {
    fn schedules(&self) -> Fut<'_, Reading<Listing<Schedule>>> {
        Box::pin(async { Reading::unreachable("schedules", "it hangs") })
    }
    fn set_enabled<'a>(&'a self, _: &'a ScheduleId, _: bool) -> Fut<'a, Written> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn an_act_is_given_up_at_its_limit_however_long_a_request_may_take() {
    let home = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (mut platform, _) = local_platform(home.path(), &clock).await;
    platform.schedules = Arc::new(Hangs);
    let act = Act::SetSchedule { schedule: "nightly".into(), enabled: true };
    let acts = vec![(StepId::new("schedule"), act)];
    let hour = Duration::from_secs(3_600);
    let answers = act::acts(&platform, acts, hour, Duration::from_millis(20)).await;
    let [(_, Written::Unknown { why })] = answers.as_slice() else { panic!("{answers:?}") };
    assert!(why.contains("20ms"), "{why}");
}

#[tokio::test]
async fn an_act_that_panics_is_unknown_alone_and_does_not_end_whoever_acts() {
    let latch = trading_core::model::Latch::released().next(Vec::new());
    let (bad, good) = (StepId::new("schedule"), StepId::new("latch"));
    let asks = vec![
        Ask::Act(vec![(
            bad.clone(),
            Act::SetSchedule { schedule: "nightly".into(), enabled: false },
        )]),
        Ask::Act(vec![(good.clone(), Act::WriteLatch { expected_epoch: 0, latch })]),
    ];
    let written = Arc::new(Mutex::new(Vec::new()));
    let journal = JournalWriter::over(Box::new(Memory(Arc::clone(&written))));
    let (report, answers) = drive(asks, Some(journal)).await;
    let [Answer::Acted(one), Answer::Acted(other)] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    let acted = [one.clone(), other.clone()].concat();
    let of = |id: &StepId| acted.iter().find(|(it, _)| it == id).map(|(_, written)| written);
    assert!(matches!(of(&good), Some(Written::Applied { .. })), "{acted:?}");
    let Some(Written::Unknown { why }) = of(&bad) else { panic!("{acted:?}") };
    assert!(why.starts_with("a bug of ours"), "{why}");
    assert_eq!(report.exit, Exit::Ok, "the outcome is the procedure's own");
    assert_eq!(report.findings[0].id, "bug");
    assert!(!written.lock().unwrap().is_empty(), "its end stands in the journal");
}

#[tokio::test]
async fn a_whole_ask_that_panics_is_answered_in_its_own_kind() {
    use trading_core::model::RestoreChunk;
    let chunk = RestoreChunk {
        format: RestoreChunk::FORMAT,
        unlatched: None,
        taken_from: None,
        void: Vec::new(),
        stop_id: StopId::from("stop-1"),
        run_id: "run-1".into(),
        chunk: 0,
        at: Utc::UNIX_EPOCH,
        items: Vec::new(),
    };
    let mut working = Working::default();
    let steps = [StepId::new("a"), StepId::new("b")];
    working.start(Ticket(1), Owed::Record(chunk.clone()), async { panic!("one") });
    working.start(Ticket(2), Owed::Acts(steps.clone().into()), async { panic!("two") });
    let mut answers = Vec::new();
    while let Some(answer) = working.next().await {
        answers.push(answer);
    }
    answers.sort_by_key(|(ticket, _)| *ticket);
    let why = |text: &str| format!("a bug of ours: {text}");
    let unknown = |id: &StepId| (id.clone(), Written::Unknown { why: why("two") });
    let expected = [
        (Ticket(1), Answer::Recorded(chunk, Recorded::Printed { why: why("one") })),
        (Ticket(2), Answer::Acted(steps.iter().map(unknown).collect())),
    ];
    assert_eq!(answers, expected);
    assert_eq!(working.bugs, [why("one"), why("two")]);
}

/// An account whose changes wait long for their turn.
struct Waits;
impl crate::platform::Account for Waits {
    fn id(&self, _: bool) -> Fut<'_, Reading<String>> {
        Box::pin(async { Reading::absent("account", "none") })
    }
    fn traffic(&self) -> crate::platform::Traffic {
        crate::platform::Traffic::default()
    }
    fn longest_change(&self, timeout: Duration) -> Duration {
        timeout + Duration::from_secs(100)
    }
}

#[tokio::test]
async fn rows_that_wait_for_their_turn_are_not_given_up_after_the_time_of_one_request() {
    let home = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (mut platform, _) = local_platform(home.path(), &clock).await;
    let rows = platform.state.strategies().await;
    let row = rows.value().unwrap()[0].clone();
    let write = trading_core::model::StatusWrite {
        strategy: row.id.clone(),
        expected: row.status_attr().cloned(),
        value: Some(trading_core::model::Attr::text("stopped")),
    };
    let act = Act::SetStatus(write);
    let second = Duration::from_secs(1);
    assert_eq!(super::act::longest(&platform, &act, second), second, "nobody waits here");
    platform.account = Arc::new(Waits);
    assert_eq!(super::act::longest(&platform, &act, second), 101 * second);
}
