//! Status: the whole environment in one parallel read, on one screen, the worst first; or one
//! service or strategy alone, and of the environment only what that takes.
//!
//! What could not be read is shown as such where it belongs, and never left out.

mod about;
mod data;
mod findings;
mod halted;
mod orphans;
mod page;
mod stopped;

#[cfg(test)]
mod tests;

pub use about::About;

use super::emergency_stop::Site;
use super::heartbeat::{Beat, beats, skew};
use super::look::Look;
use super::managed::Managers;
use super::positions::{Holdings, holdings};
use super::seen::{World, nowhere};
use super::{Answer, News, Procedure, Ticket, Want};
use crate::model::{Gap, GapKind, Reading, Utc};
use crate::report::{Exit, Finding, Fold, Problem, Report, Severity};

/// What to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRequest {
    /// The environment.
    pub site: Site,
    /// What is looked at.
    pub about: About,
    /// What the system, or this build's reach into it, has not.
    pub lacks: Vec<String>,
    /// The name of the cluster in which the system's tasks run, if it has one.
    pub cluster: Option<String>,
    /// Everything, and not only what fits on a screen.
    pub all: bool,
}

/// Reads everything once and tells what is so.
#[derive(Debug)]
pub struct Status {
    request: StatusRequest,
    look: Look,
    world: World,
    asked_at: Option<Utc>,
    stage: Stage,
    report: Option<Report>,
}

/// What is being read.
#[derive(Debug)]
enum Stage {
    /// What is known to be needed.
    First,
    /// What the first answers named.
    Named,
    /// There is none of the name that was asked about: which names there are, as far as known.
    Unknown(Vec<String>),
}

/// Everything that was read, as the findings, the page and the document look at it.
struct View<'a> {
    request: &'a StatusRequest,
    world: &'a World,
    /// Now, by the platform's clock where it is known.
    now: Utc,
    beats: Vec<Beat>,
    holdings: Holdings,
    /// What should have been read and was not.
    unread: Vec<&'a Gap>,
}

impl Status {
    /// A status that has not read anything yet.
    pub fn new(request: StatusRequest) -> Self {
        let world = World::of(&request.site);
        Self {
            request,
            look: Look::default(),
            world,
            asked_at: None,
            stage: Stage::First,
            report: None,
        }
    }

    /// Everything that was asked has its answer: asks what those show to be needed, or reports.
    fn go_on(&mut self, now: Utc) {
        let more = match &self.stage {
            Stage::First => match self.request.about.names(&self.world) {
                Some(names) => {
                    self.stage = Stage::Unknown(Vec::new());
                    vec![names]
                }
                None => {
                    self.stage = Stage::Named;
                    self.request.about.more(&self.world)
                }
            },
            Stage::Named | Stage::Unknown(_) => Vec::new(),
        };
        if more.is_empty() {
            self.report(now);
        } else {
            self.look.ask(more);
        }
    }

    fn report(&mut self, now: Utc) {
        if let About::Strategy(id) = &self.request.about {
            about::keep(&mut self.world, id);
        }
        self.report = Some(match &self.stage {
            Stage::Unknown(names) => self.request.unknown(names),
            Stage::First | Stage::Named => self.answer(self.asked_at.unwrap_or(now), now),
        });
    }

    fn answer(&self, asked_at: Utc, now: Utc) -> Report {
        let view = View::new(&self.request, &self.world, now);
        let env = &self.request.site.environment;
        let mut findings = view.findings();
        let strategies = self.world.strategies.as_ref();
        let services = self.world.services.as_ref();
        let skewed = strategies.and_then(|reading| skew(reading, asked_at, now, env));
        let skewed = skewed.or_else(|| skew(services?, asked_at, now, env));
        findings.extend(skewed);
        findings.sort_by(|a, b| (a.severity, rank(a), &a.id).cmp(&(b.severity, rank(b), &b.id)));
        let (outcome, exit) = view.verdict(&findings);
        let mut report = Report::new("status", outcome, exit);
        report.complete = view.unread.is_empty();
        report.data = view.data();
        report.body = view.page();
        report.findings = findings;
        let fold = || Fold { after: FOLD_AFTER, all: view.command(&view.whole_page()) };
        report.fold = (!self.request.all).then(fold);
        report.only = self.request.about.part();
        report.errors.extend(view.not_deployed());
        report
    }
}

impl<'a> View<'a> {
    fn new(request: &'a StatusRequest, world: &'a World, now: Utc) -> Self {
        let (rows, now) = match (&world.strategies, &world.services) {
            (Some(Reading::Known { value, observed_at, .. }), _) => {
                (value.as_slice(), *observed_at)
            }
            (_, Some(Reading::Known { observed_at, .. })) => (&[][..], *observed_at),
            _ => (&[][..], now),
        };
        Self {
            request,
            world,
            now,
            beats: beats(rows, now, &request.site.timings),
            holdings: holdings(world, &request.site.capabilities.venues, |_, _| true),
            unread: gaps(world).into_iter().filter(|gap| gap.kind != GapKind::Absent).collect(),
        }
    }

    /// Who manages positions, as far as it was read.
    fn managers(&self) -> Managers<'_> {
        Managers { world: self.world, beats: &self.beats, now: self.now }
    }

    /// Nothing of the system is there: what was sought, and what to type next.
    fn not_deployed(&self) -> Option<Problem> {
        self.is_nowhere().then(|| Problem {
            code: "environment.not_deployed".to_owned(),
            message: nowhere(&self.request.site.environment, self.world),
            hint: Some(self.command("doctor")),
        })
    }

    /// What is known to be wrong wins over what is not known, and nothing of the system at
    /// all is not a system that is well.
    fn verdict(&self, findings: &[Finding]) -> (&'static str, Exit) {
        let bad = findings.iter().any(|finding| finding.severity <= Severity::Error);
        let held = self.world.latch.as_ref().and_then(Reading::value);
        let held = held.is_some_and(|it| it.holds.iter().any(|it| self.is_covered_by(&it.scope)));
        if self.is_nowhere() {
            ("not deployed", Exit::Settings)
        } else if bad {
            ("attention", Exit::No)
        } else if !self.unread.is_empty() {
            ("incomplete", Exit::Incomplete)
        } else if held {
            ("held", Exit::Ok)
        } else if self.is_stopped() {
            ("stopped", Exit::Ok)
        } else {
            ("healthy", Exit::Ok)
        }
    }
}

/// Every gap of a world.
fn gaps(world: &World) -> Vec<&Gap> {
    fn of<T>(reading: Option<&Reading<T>>) -> Option<&Gap> {
        reading.and_then(Reading::as_gap)
    }
    let mut gaps = vec![
        of(world.latch.as_ref()),
        of(world.loose.as_ref()),
        of(world.strategies.as_ref()),
        of(world.leases.as_ref()),
        of(world.services.as_ref()),
        of(world.tasks.as_ref()),
        of(world.supervision.as_ref()),
        of(world.schedules.as_ref()),
        of(world.positions.as_ref()),
        of(world.stored_orders.as_ref()),
        of(world.stops.as_ref()),
        of(world.left_stopped.as_ref()),
    ];
    let services = world.services.as_ref().and_then(Reading::value);
    // One question for all services: its gap is one, however many services it is missed in.
    for scaling in services.into_iter().flatten().map(|it| of(Some(&it.autoscaling))) {
        if !gaps.contains(&scaling) {
            gaps.push(scaling);
        }
    }
    gaps.extend(world.unlisted().map(Some));
    gaps.extend(world.orders.values().map(|it| of(Some(it))));
    gaps.extend(world.venue_positions.values().map(|it| of(Some(it))));
    gaps.into_iter().flatten().collect()
}

/// Of equally bad findings, causes come before what follows from them.
fn rank(finding: &Finding) -> usize {
    const ORDER: [&str; 9] = [
        "latch",
        "stop",
        "supervisor",
        "service",
        "schedule",
        "position",
        "order",
        "strategy",
        "heartbeat",
    ];
    let kind = finding.id.split('.').next().unwrap_or_default();
    ORDER.iter().position(|it| *it == kind).unwrap_or(ORDER.len())
}

/// How many findings of one kind a page tells one by one.
const FOLD_AFTER: usize = 5;

impl Procedure for Status {
    fn wants(&mut self, now: Utc) -> Vec<Want> {
        if self.asked_at.is_none() {
            self.asked_at = Some(now);
            let queries = self.request.queries();
            self.look.ask(queries);
        }
        self.look.wants()
    }
    fn give(&mut self, now: Utc, ticket: Ticket, answer: Answer) {
        let Some(seen) = self.look.give(ticket, answer) else { return };
        match &mut self.stage {
            Stage::Unknown(names) => *names = about::names(&seen),
            Stage::First | Stage::Named => self.world.take(seen),
        }
        if self.look.is_idle() {
            self.go_on(now);
        }
    }
    fn wake_at(&self) -> Option<Utc> {
        None
    }
    fn interrupt(&mut self, now: Utc, why: &str) {
        if !matches!(self.stage, Stage::Unknown(_)) {
            for query in self.look.unanswered() {
                self.world.take(query.clone().unreachable(why));
            }
        }
        self.report(now);
    }
    fn news(&mut self) -> Vec<News> {
        Vec::new()
    }
    fn outcome(&mut self, _now: Utc) -> Option<Report> {
        self.report.clone()
    }
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub fn data_schema() -> schemars::Schema {
    data::data_schema()
}
