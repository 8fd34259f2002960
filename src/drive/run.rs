//! The driver: does what a procedure wants, as much of it at once as it wants, and gives
//! the answers back. It decides nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use trading_core::journal::Entry;
use trading_core::model::{Utc, Written};
use trading_core::ops::{Answer, Ask, News, Procedure, Ticket, Want};
use trading_core::plan::Recorded;
use trading_core::report::{Exit, Finding, Progress, ProgressKind, Report, Severity};

use super::journal::JournalWriter;
use super::owed::{Owed, Working};
use super::signals::Signals;
use super::{act, read};
use crate::platform::{Clock, Platform};
use crate::ui::Ui;

/// What a driver works with.
pub struct Driver<'a> {
    /// The world.
    pub platform: Platform,
    /// The operator's folder of this environment.
    pub state_dir: PathBuf,
    /// The run's journal; none in a dry run, where nothing is to be journaled.
    pub journal: Option<JournalWriter>,
    /// Whoever watches.
    pub ui: &'a Ui,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The longest that one request may take.
    pub timeout: Duration,
    /// The longest that one act may take, its wait for a turn included; as long as it needs, if
    /// nobody counts on that.
    pub act_limit: Duration,
    /// When a look ends with what it has seen; who acts keeps its own deadline.
    pub look_until: Option<Utc>,
    /// What is heard after consent; none for whoever only looks, whom a signal may end.
    pub signals: Option<Signals>,
    /// Where this process is to kill itself; drills and tests of crashes only.
    pub kill: KillPoint,
}

/// Kills this process, as `kill -9` would, at the n-th place where that could happen: before
/// and after the effect of each want.
#[derive(Clone, Copy, Debug, Default)]
pub struct KillPoint {
    at: Option<u32>,
    passed: u32,
}

impl KillPoint {
    /// Never.
    pub fn never() -> Self {
        Self::default()
    }
    /// At the n-th place, counted from 1.
    pub fn at(place: u32) -> Self {
        Self { at: Some(place), passed: 0 }
    }
    fn pass(&mut self) {
        self.passed += 1;
        if self.at == Some(self.passed) {
            let myself = rustix::process::getpid();
            let _dead = rustix::process::kill_process(myself, rustix::process::Signal::KILL);
        }
    }
}

/// The lines of the restore record that stand on the screen.
type Printed = BTreeSet<String>;

/// The wall clock at the start, moved on by the clock that nobody sets: a deadline does not
/// jump when somebody corrects the time.
struct Steady {
    clock: Arc<dyn Clock>,
    wall: Utc,
    boot: Duration,
}

impl Steady {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self { wall: clock.now(), boot: clock.since_boot(), clock }
    }
    fn now(&self) -> Utc {
        let passed = self.clock.since_boot().saturating_sub(self.boot);
        self.wall.saturating_add(passed).unwrap_or(self.wall)
    }
}

impl Driver<'_> {
    /// Drives a procedure to its outcome.
    pub async fn run(&mut self, procedure: &mut dyn Procedure) -> Report {
        let clock = Steady::new(Arc::clone(&self.clock));
        let mut working = Working::default();
        let mut printed = Printed::new();
        loop {
            self.start_all(procedure, &clock, &mut working);
            for news in procedure.news() {
                self.tell(clock.now(), news);
            }
            if let Some(mut report) = procedure.outcome(clock.now()) {
                self.own_up(&working.bugs, &mut report);
                self.close(clock.now(), &report);
                return report;
            }
            let wake = procedure.wake_at().map(|at| until(clock.now(), at));
            let left = self.look_until.map(|at| until(clock.now(), at));
            tokio::select! {
                biased;
                Some((ticket, answer)) = working.next(), if !working.is_idle() => {
                    self.kill.pass();
                    tracing::debug!(?ticket, ?answer, "answered");
                    let answer = self.settle_record(clock.now(), answer, &mut printed);
                    procedure.give(clock.now(), ticket, answer);
                }
                () = wish(&mut self.signals, self.ui) => {
                    procedure.interrupt(clock.now(), "interrupted by the operator");
                }
                () = sleep(left) => procedure.interrupt(clock.now(), "the deadline passed"),
                () = sleep(wake) => {}
            }
        }
    }

    /// Starts everything that is wanted. Journal entries are written on the spot: what
    /// waits for them is wanted next.
    fn start_all(&mut self, procedure: &mut dyn Procedure, clock: &Steady, working: &mut Working) {
        loop {
            let wants = procedure.wants(clock.now());
            if wants.is_empty() {
                return;
            }
            for want in wants {
                if let Some((ticket, answer)) = self.start(want, clock, working) {
                    procedure.give(clock.now(), ticket, answer);
                }
            }
        }
    }

    fn start(
        &mut self,
        want: Want,
        clock: &Steady,
        working: &mut Working,
    ) -> Option<(Ticket, Answer)> {
        let Want { ticket, ask } = want;
        let (platform, timeout, limit) = (self.platform.clone(), self.timeout, self.act_limit);
        self.kill.pass();
        tracing::debug!(?ticket, ?ask, "wanted");
        match ask {
            Ask::Journal { entries, durable } => {
                let result = self.append(clock.now(), &entries, durable);
                self.kill.pass();
                return Some((ticket, Answer::Journaled(result)));
            }
            Ask::Record(chunk) => {
                // The state store's own words, or why there were none.
                working.start(ticket, Owed::Record(chunk.clone()), async move {
                    let put = platform.state.put_restore_chunk(&chunk);
                    let written = tokio::time::timeout(timeout, put).await;
                    let written = written.unwrap_or_else(|_| Written::Unknown {
                        why: format!("no answer within {timeout:?}"),
                    });
                    Answer::Recorded(chunk, kept(written))
                });
            }
            Ask::Read(query) => {
                let (state_dir, now) = (self.state_dir.clone(), clock.now());
                working.start(ticket, Owed::Read(query.clone()), async move {
                    let seen = read::query(&platform, &state_dir, query, timeout, now).await;
                    Answer::Read(Box::new(seen))
                });
            }
            Ask::Act(acts) => {
                let steps = acts.iter().map(|(id, _)| id.clone()).collect();
                working.start(ticket, Owed::Acts(steps), async move {
                    Answer::Acted(act::acts(&platform, acts, timeout, limit).await)
                });
            }
        }
        None
    }

    fn append(&mut self, at: Utc, entries: &[Entry], durable: bool) -> Result<(), String> {
        match &mut self.journal {
            Some(journal) => journal.append(at, entries, durable),
            None => Ok(()),
        }
    }

    /// A chunk that the state store did not take goes to the journal; if that fails too, it
    /// is printed on the spot, however often it is asked for, and once more with the outcome.
    fn settle_record(&mut self, at: Utc, answer: Answer, printed: &mut Printed) -> Answer {
        let Answer::Recorded(chunk, Recorded::Printed { why }) = answer else { return answer };
        let entry = Entry::Record { chunk: chunk.clone(), why: why.clone() };
        let recorded = match self.journal.as_mut() {
            None => Recorded::Printed { why },
            Some(journal) => match journal.append(at, &[entry], true) {
                Ok(()) => Recorded::Journal { why },
                Err(more) => Recorded::Printed { why: format!("{why}; the journal: {more}") },
            },
        };
        if matches!(recorded, Recorded::Printed { .. })
            && let Ok(line) = chunk.printed()
            && printed.insert(line.clone())
        {
            // Before anything of it is changed: whoever dies now leaves it on the screen.
            self.ui.exact(&line);
        }
        Answer::Recorded(chunk, recorded)
    }

    /// What our own code failed at is told beside the answer. Whoever acts ends with its
    /// outcome all the same; an answer of a look is not to be trusted then.
    fn own_up(&self, bugs: &[String], report: &mut Report) {
        let finding = |why: &String| {
            Finding::new("bug", Severity::Error, "tradectl", why)
                .next("run again with --log-file FILE, and report it")
        };
        report.findings.extend(bugs.iter().map(finding));
        if !bugs.is_empty() && self.journal.is_none() {
            report.exit = Exit::Bug;
        }
    }

    fn close(&mut self, at: Utc, report: &Report) {
        let closed =
            Entry::Closed { outcome: report.outcome.clone(), exit_code: report.exit.code() };
        // The outcome is told on the screen in any case; a journal that cannot take its last
        // line reads as "did not end", which is checked before it is believed.
        let _not_closed = self.append(at, &[closed], true);
    }

    fn tell(&self, at: Utc, news: News) {
        self.ui.progress(&progress(at, news));
    }
}

/// What happened, as whoever watches sees it.
pub fn progress(at: Utc, news: News) -> Progress {
    let kind = match (news.bad, news.done) {
        (true, _) => ProgressKind::Failed,
        (false, Some((done, total))) if done == total => ProgressKind::Done,
        (false, Some(_)) => ProgressKind::Advanced,
        (false, None) => ProgressKind::Note,
    };
    let message = if news.subject.is_empty() || news.subject == news.rung {
        news.message
    } else {
        format!("{}: {}", news.subject, news.message)
    };
    let progress = Progress::new(at, kind, news.rung, message);
    match news.done {
        Some((done, total)) => progress.counted(done, total),
        None => progress,
    }
}

fn kept(written: Written) -> Recorded {
    match written {
        Written::Applied { .. } | Written::Already => Recorded::StateStore,
        Written::Refused { expected, found } => {
            Recorded::Printed { why: format!("refused: expected {expected}, found {found}") }
        }
        Written::Denied { why } | Written::Unreachable { why } | Written::Unknown { why } => {
            Recorded::Printed { why }
        }
    }
}

async fn wish(signals: &mut Option<Signals>, ui: &Ui) {
    match signals {
        Some(signals) => signals.wish_to_end(ui).await,
        None => std::future::pending().await,
    }
}

async fn sleep(wake: Option<Duration>) {
    match wake {
        Some(wake) => tokio::time::sleep(wake).await,
        None => std::future::pending().await,
    }
}

/// How long it is until a time; at least a millisecond, so that nothing spins.
fn until(now: Utc, at: Utc) -> Duration {
    let left = at.duration_since(now).unsigned_abs();
    if at <= now { Duration::from_millis(1) } else { left.max(Duration::from_millis(1)) }
}

#[cfg(test)]
mod tests;
