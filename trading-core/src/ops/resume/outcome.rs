//! The outcome of a resume.

use super::gate::{self, NOT_PLACED, NOTHING_RUNS, Obstacle, UNSETTLED, UNSUPERVISED};
use super::holds::in_order;
use super::positions::{self, NOBODYS, ODD_POSITION, STALE};
use super::procedure::{End, Resume};
use super::record;
use super::restore::{self, Fate, Item};
use crate::model::{
    Attr, Hold, Reading, RestoreChunk, RestoreItem, RestoreSubject, RestoreValue, StrategyId,
    StrategyRow, Supervision, Written,
};
use crate::ops::Planned;
use crate::ops::run::describe;
use crate::ops::supervision;
use crate::plan::{Settled, Step};
use crate::report::{Block, Cell, Exit, Finding, Fold, Problem, Report, Severity, Tone};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How many of one kind a page tells one by one.
const TOLD: usize = 8;
/// What came of items that were to be put back.
const NOT_PUT_BACK: &str = "NOT put back";
const DOUBTFUL: &str = "UNKNOWN whether put back";
/// The same of what was to be stopped again.
const NOT_STOPPED: &str = "left (--leave), NOT stopped again";
const STOP_DOUBTFUL: &str = "left (--leave), UNKNOWN whether stopped again";

/// Whether what is in the way may be left, as the ITEM that it is about.
fn is_left(id: &str) -> bool {
    [UNSETTLED, NOTHING_RUNS, NOT_PLACED, ODD_POSITION, STALE].contains(&id)
}

/// The command's part of the JSON document.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data {
    stop_id: Option<String>,
    dry_run: bool,
    digest: Option<String>,
    items: Vec<ItemData>,
    obstacles: Vec<String>,
    failures: Vec<String>,
    plan: Vec<Step>,
    duration_ms: Option<i64>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ItemData {
    item: String,
    before: String,
    written: String,
    fate: &'static str,
    found: Option<String>,
    /// The stop that goes on holding it, and puts it back when it is resumed.
    held_by: Option<String>,
}

impl ItemData {
    /// What becomes of it, in words.
    fn told(&self) -> String {
        match &self.held_by {
            Some(other) => format!("stays: stop {other} holds it, and will put it back"),
            None => self.fate.to_owned(),
        }
    }
}

impl Resume {
    pub(super) fn report(&self) -> Report {
        let (outcome, exit) = self.word();
        let mut report = Report::new("resume", outcome, exit);
        report.complete = !matches!(self.end, Some(End::Unread(_)));
        report.findings = self.findings();
        report.fold = Some(Fold { after: TOLD, all: self.whole() });
        if let Some(problem) = self.problem() {
            report.errors.push(problem);
        }
        report.body = self.body(outcome);
        report.data = serde_json::to_value(self.data()).unwrap_or_default();
        report
    }

    fn word(&self) -> (&'static str, Exit) {
        let unknown = self.run.executor.steps().any(|(_, settled)| {
            matches!(settled, Some(Settled::Answered(Written::Unknown { .. })))
        });
        match &self.end {
            Some(End::Released) => ("RELEASED", Exit::Ok),
            Some(End::NothingHeld) => ("nothing held", Exit::Ok),
            Some(End::ReleasedByOther) => ("RELEASED", Exit::Ok),
            Some(End::Planned) if self.fates.iter().any(Item::is_undecided) => {
                ("undecided", Exit::No)
            }
            Some(End::Planned) => ("planned", Exit::Ok),
            Some(End::Usage(_)) => ("usage", Exit::Usage),
            // Whoever stopped again stops what was put back too; it was put back all the same.
            Some(End::StoppedAgain(_) | End::Grew(_)) if self.put_something_back() => {
                ("PARTIAL", Exit::Partial)
            }
            Some(
                End::Refused(_)
                | End::Newer(_)
                | End::Orphaned(_)
                | End::StoppedAgain(_)
                | End::Grew(_),
            ) => ("refused", Exit::Refused),
            Some(End::Unread(_)) => ("failed", Exit::Failed),
            Some(End::Held(_) | End::Late(_)) if self.run.changed_anything() => {
                ("PARTIAL", Exit::Partial)
            }
            Some(End::Held(_) | End::Late(_)) if unknown => ("UNKNOWN", Exit::Unknown),
            Some(End::Held(_)) if self.fates.iter().any(Item::is_undecided) => {
                ("PARTIAL", Exit::Partial)
            }
            Some(End::Late(_)) => ("late", Exit::Deadline),
            Some(End::Held(_)) | None => ("failed", Exit::Failed),
        }
    }

    fn problem(&self) -> Option<Problem> {
        let env = &self.site.environment;
        let (code, message, hint) = match self.end.as_ref()? {
            End::Released | End::ReleasedByOther | End::NothingHeld | End::Planned => return None,
            End::Usage(why) => ("resume.usage", why.clone(), "tradectl resume --help".to_owned()),
            End::Refused(why) => {
                let message = format!("not resumed, nothing was changed: {why}");
                let unread =
                    self.unread_journals_and_missing().is_some() || self.is_for_journals(why);
                let next = unread.then(|| self.verify()).or_else(|| self.way_out(&self.obstacles));
                let next = next.or_else(|| self.first_of_several());
                let next = next.unwrap_or_else(|| format!("tradectl status --env {env}"));
                ("resume.refused", message, next)
            }
            End::Newer(why) => {
                let next = format!(
                    "use the tradectl that wrote it, or a later one; what holds: \
                     tradectl status --env {env}"
                );
                ("resume.newer", format!("not resumed, nothing was changed: {why}"), next)
            }
            End::Orphaned(why) => {
                let next = self.stop_again();
                let next = next.unwrap_or_else(|| format!("tradectl status --env {env}"));
                ("resume.orphaned", format!("not resumed, nothing was changed: {why}"), next)
            }
            End::StoppedAgain(why) | End::Grew(why) => {
                let message = match self.has_latch() {
                    true => format!("the latch was not released: {why}"),
                    false => format!("not resumed to its end: {why}"),
                };
                // By how it ended: a stop that was taken up again records more, too, and to resume
                // that at once would release what was stopped seconds ago.
                let next = match &self.end {
                    Some(End::Grew(_)) => self.again(""),
                    _ => format!("tradectl status --env {env}"),
                };
                ("resume.stopped_again", message, next)
            }
            End::Unread(why) => {
                let message = format!("not resumed, nothing was changed: {why}");
                ("resume.unread", message, format!("tradectl doctor --env {env}"))
            }
            End::Held(why) | End::Late(why) => {
                let message = match self.has_latch() {
                    true => format!("the latch still holds: {why}"),
                    false => format!("the stop is not over: {why}"),
                };
                // Where time alone brings nothing more, what an operator can decide is next.
                let decides =
                    |it: &Obstacle| it.id == record::MISSING || is_left(it.id) || it.id == NOBODYS;
                let stuck = self.obstacles.iter().all(decides);
                // While nobody supervises nothing else comes up either.
                let supervised = self.obstacles.iter().find_map(|it| self.supervised(it));
                let next = supervised.or_else(|| self.way_out(&self.obstacles).filter(|_| stuck));
                ("resume.held", message, next.unwrap_or_else(|| self.again(&self.to_decide())))
            }
        };
        Some(Problem { code: code.to_owned(), message, hint: Some(hint) })
    }

    /// What an operator types where only an operator can decide.
    fn way_out(&self, obstacles: &[Obstacle]) -> Option<String> {
        let options = obstacles.iter().filter_map(|it| match it.id {
            record::MISSING | record::NONE => Some("--record FILE".to_owned()),
            id if is_left(id) => Some(format!("--leave {}", it.subject)),
            _ => None,
        });
        let options: BTreeSet<String> = options.collect();
        let more: String = options.iter().map(|it| format!(" {it}")).collect();
        if options.is_empty() {
            return match obstacles.iter().find(|it| it.id == NOBODYS) {
                Some(nobodys) => Some(positions::correct(nobodys, &self.again(""))),
                None => obstacles.iter().find_map(|it| self.supervised(it)),
            };
        }
        Some(self.again(&more))
    }

    /// What is typed where a supervisor is there and does nothing. Where there is none nobody else
    /// may start one under this hold: the next resume does.
    fn supervised(&self, obstacle: &Obstacle) -> Option<String> {
        let of = self.world.supervision.as_ref().and_then(Reading::value);
        let env = &self.site.environment;
        let typed = |words: &str| format!("tradectl {words} --env {env}");
        let is_there = |it: &&Supervision| **it != Supervision::Absent;
        let of = of.filter(is_there).filter(|_| obstacle.id == UNSUPERVISED);
        of.map(|it| supervision::next(it, typed))
    }

    /// What decides the items that nobody has decided.
    fn to_decide(&self) -> String {
        let open = self.fates.iter().filter(|it| it.is_undecided());
        open.map(|it| format!(" --leave {}", it.item.subject)).collect()
    }

    /// This resume once more, with what was decided for it and given to it already and with
    /// something added.
    pub(super) fn again(&self, more: &str) -> String {
        let env = &self.site.environment;
        let mut decided = String::new();
        self.request.leave.iter().for_each(|it| decided.push_str(&format!(" --leave {it}")));
        self.request.take.iter().for_each(|it| decided.push_str(&format!(" --take {it}")));
        decided.push_str(&self.given());
        match &self.hold {
            Some(it) => {
                format!("tradectl resume {} --env {env} --reason …{decided}{more}", it.stop_id)
            }
            None => format!("tradectl resume --env {env} --reason …{decided}{more}"),
        }
    }

    /// The records that were given: what is typed next without them goes without what they hold.
    fn given(&self) -> String {
        self.request.record_files.iter().map(|it| format!(" --record {it}")).collect()
    }

    /// The other stops that hold, and what.
    fn still_held(&self) -> String {
        let latch = self.world.latch.as_ref().and_then(Reading::value);
        let ours = self.hold.as_ref().map(|it| &it.stop_id);
        let holds = latch.into_iter().flat_map(|it| &it.holds);
        let others: Vec<&Hold> = match self.has_latch() {
            true => holds.filter(|it| Some(&it.stop_id) != ours).collect(),
            false => self.other_stops(),
        };
        let others: Vec<String> =
            others.into_iter().map(|it| format!("{} ({})", it.stop_id, it.scope)).collect();
        others.join(", ")
    }

    /// Without a latch nothing else speaks of them.
    fn other_stop_findings(&self) -> Vec<Finding> {
        if self.has_latch() {
            return Vec::new();
        }
        let env = &self.site.environment;
        let told = |hold: &Hold| {
            let message = "it is not over: what it left stands, and is in its record alone";
            Finding::new("resume.other_open", Severity::Warning, &hold.stop_id, message)
                .next(format!("tradectl resume {} --env {env} --reason …", hold.stop_id))
        };
        self.other_stops().into_iter().map(told).collect()
    }

    /// Where it is not told, or not yet possible, which of several stops to resume: the first.
    fn first_of_several(&self) -> Option<String> {
        let holds = &self.world.latch.as_ref()?.value()?.holds;
        let first = in_order(holds).into_iter().next().filter(|_| self.hold.is_none())?;
        let (env, id) = (&self.site.environment, &first.stop_id);
        // What was given of another one that holds is for that one's resume.
        let is_others = |it: &RestoreChunk| {
            it.stop_id != *id && holds.iter().any(|hold| hold.stop_id == it.stop_id)
        };
        let of_others = self.request.record.iter().any(is_others);
        let given = if of_others { String::new() } else { self.given() };
        Some(format!("tradectl resume {id} --env {env} --reason …{given}"))
    }

    /// What shows every item: the page tells many of one kind by their number.
    fn whole(&self) -> String {
        match self.run.executor.is_dry() {
            true => format!("{} --dry-run --output json", self.again("")),
            false => format!(
                "tradectl journal show {} --env {}",
                self.request.run_id, self.site.environment
            ),
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for it in &self.fates {
            let Fate::Conflict { found } = &it.fate else { continue };
            let subject = &it.item.subject;
            let found = found.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
            findings.push(Finding {
                id: "resume.changed_since".to_owned(),
                severity: Severity::Error,
                subject: subject.to_string(),
                message: format!("expected {}, found {found}", it.item.written),
                evidence: vec![
                    format!("before the stop: {}", it.item.before),
                    format!("to put that back all the same: --take {subject}"),
                ],
                next: Some(self.again(&format!(" --leave {subject}"))),
            });
        }
        let put_back =
            self.fates.iter().filter(|it| matches!(it.fate, Fate::Restore | Fate::Take(_)));
        findings.extend(put_back.filter_map(|it| {
            let message = format!("it is put back, and not all of it: {}", it.item.loses.as_ref()?);
            Some(Finding::new("resume.not_whole", Severity::Warning, &it.item.subject, message))
        }));
        let left = self.missing.iter().filter(|it| self.request.leave.contains(&it.item));
        findings.extend(left.map(|it| Finding {
            id: "resume.record_left".to_owned(),
            severity: Severity::Warning,
            subject: it.item.clone(),
            message: "done without: what it holds stays as the stop left it".to_owned(),
            evidence: Vec::new(),
            next: None,
        }));
        if self.end == Some(End::Released) {
            findings.extend(self.other_stop_findings());
            findings.extend(restore::left(&self.fates).map(|it| self.left_finding(it)));
        }
        findings.extend(self.journal_finding());
        findings.extend(self.order_findings());
        if matches!(
            self.end,
            Some(End::Released | End::ReleasedByOther | End::NothingHeld | End::Orphaned(_))
        ) {
            findings.extend(self.orphan_findings());
        }
        if self.end == Some(End::Released) {
            findings.extend(self.run.unsent_notices("resume.not_notified", &self.site.environment));
        }
        // Where somebody stopped again, what was still waited for is nobody's fault.
        let over = matches!(
            self.end,
            Some(End::Released | End::ReleasedByOther | End::StoppedAgain(_) | End::Grew(_))
        );
        if !over {
            findings.extend(self.obstacles.iter().map(|it| Finding {
                id: it.id.to_owned(),
                severity: Severity::Error,
                subject: it.subject.clone(),
                message: it.message.clone(),
                evidence: record::ways(it),
                next: self.way_out(std::slice::from_ref(it)),
            }));
        }
        findings
    }

    /// Orders whose rows do not tell how they ended.
    fn order_findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.extend(self.left_orders.iter().map(|item| {
            let message = "its outcome is not known; the operator answers for it";
            Finding::new("resume.order_left", Severity::Warning, item, message)
        }));
        if matches!(self.end, Some(End::Planned | End::Released)) {
            let settled = gate::settled_orders(&self.site, &self.world, &self.reach());
            findings.extend(settled.into_iter().map(|(order, why)| {
                Finding::new("resume.order_settled", Severity::Info, order, why)
            }));
        }
        if self.end == Some(End::Planned) {
            findings.extend(self.stale_rows().into_iter().map(|it| {
                let next = self.way_out(std::slice::from_ref(&it));
                let message = format!("{}; the release waits until they agree", it.message);
                Finding { next, ..Finding::new(it.id, Severity::Warning, it.subject, message) }
            }));
            findings.extend(self.later_orders.iter().map(|id| {
                let message = "its outcome is not known; its venue, which nobody runs now, is \
                               asked before anything is released";
                Finding::new("resume.order_asked_later", Severity::Warning, id, message)
            }));
        }
        findings
    }

    /// Nothing speaks of it any more once the stop is over.
    fn left_finding(&self, item: &RestoreItem) -> Finding {
        let again = |it: &Item| matches!(it.fate, Fate::StopAgain(_)) && it.item == *item;
        let left = match self.fates.iter().any(again) {
            true => "stopped again (--leave): an earlier resume had put it back",
            false => "left as it is (--leave)",
        };
        let message = format!("{left}; before the stop: {}", item.before);
        let finding = Finding::new("resume.item_left", Severity::Warning, &item.subject, message);
        match (&item.subject, &item.before) {
            (RestoreSubject::Strategy(id), RestoreValue::Status(Some(before)))
                if restore::is_watched(before) =>
            {
                finding.next(self.brought_back(id, before))
            }
            _ => finding,
        }
    }

    /// What brings back a strategy that was left.
    fn brought_back(&self, id: &StrategyId, before: &Attr) -> String {
        let recover =
            format!("tradectl heartbeat recover {id} --env {} --reason …", self.site.environment);
        // A recovery starts only what a service runs, and no service that should run nothing.
        let Some(name) = self.world.row(id).and_then(StrategyRow::service) else {
            return format!(
                "set its status back to {before} where it is kept, and start its task as it was \
                 started before"
            );
        };
        let is_idle = restore::service(&self.world, &name)
            .is_ok_and(|it| it.is_none_or(|it| it.desired_count == 0));
        if !is_idle {
            return recover;
        }
        let subject = RestoreSubject::Service(name.clone());
        let its = self.fates.iter().find(|it| it.item.subject == subject);
        let count = its.map_or_else(
            || "to what is meant".to_owned(),
            |it| format!("back to {}, as before the stop", it.item.before),
        );
        format!("set the count of service {name}, which is 0, {count}; then {recover}")
    }

    /// What the release brought, where nothing holds any more.
    fn traded_again(&self, stop: &str) -> (String, Tone) {
        let env = &self.site.environment;
        let left = self.fates.iter().any(Item::is_left);
        if !left && self.world.orphans().is_empty() {
            return (format!("RELEASED: {env} trades again; stop {stop} is over"), Tone::Good);
        }
        let line = match self.fates.iter().all(Item::is_left) && left {
            true => format!("nothing in {env} was put back (--leave), nor trades again by it"),
            false if left => format!("what was left (--leave) in {env} stays as the stop left it"),
            false => format!("not all in {env} trades again"),
        };
        (format!("RELEASED: stop {stop} is over; {line}"), Tone::Warn)
    }

    fn failures(&self) -> Vec<String> {
        let steps = self.run.executor.steps();
        steps
            .filter_map(|(step, settled)| match settled? {
                settled if settled.stands() => None,
                Settled::Answered(written) => Some(format!("{}: {}", step.id, describe(written))),
                Settled::NotStarted { why, .. } => Some(format!("{}: not started: {why}", step.id)),
            })
            .collect()
    }

    fn body(&self, outcome: &str) -> Vec<Block> {
        let stop = self.hold.as_ref().map(|hold| &hold.stop_id).or(self.request.stop_id.as_ref());
        let stop = stop.map_or("", |id| id.as_str());
        let env = &self.site.environment;
        let (line, tone) = match &self.end {
            Some(End::Released) => match self.still_held() {
                none if none.is_empty() => self.traded_again(stop),
                others => (
                    format!("RELEASED: stop {stop} is over; {env} is still held by {others}"),
                    Tone::Warn,
                ),
            },
            Some(End::ReleasedByOther) => {
                let line = format!("RELEASED: another operator resumed {env} from stop {stop}");
                match self.still_held() {
                    none if none.is_empty() => (line, Tone::Good),
                    others => (format!("{line}; it is still held by {others}"), Tone::Warn),
                }
            }
            Some(End::NothingHeld) => {
                (format!("nothing is held in {env}: there is nothing to resume"), Tone::Good)
            }
            Some(End::Planned) => {
                (format!("a survey of stop {stop}: nothing in {env} was changed"), Tone::Plain)
            }
            _ if stop.is_empty() => (format!("{outcome}: {env}"), Tone::Bad),
            _ => (format!("{outcome}: {env}, stop {stop}"), Tone::Bad),
        };
        let mut body = vec![Block::Line(Cell::toned(line, tone))];
        if !self.fates.is_empty() {
            body.push(Block::Heading("Items".to_owned()));
            body.push(Block::Table {
                columns: vec!["item", "before the stop", "found", "what becomes of it"],
                rows: self.item_rows(),
            });
        }
        let failures = self.failures();
        let bad = |text: String| Block::Line(Cell::toned(text, Tone::Bad));
        body.extend(failures.iter().take(TOLD).cloned().map(bad));
        if failures.len() > TOLD {
            let more = failures.len() - TOLD;
            body.push(bad(format!("{more} more did not come to stand: {}", self.whole())));
        }
        if let (Some(End::Planned), Some(digest)) = (&self.end, &self.digest) {
            body.push(Block::line(format!("plan {}", digest.short())));
        }
        body
    }

    /// The items for a page: of many with one fate a handful, and how many more there are.
    fn item_rows(&self) -> Vec<Vec<Cell>> {
        let mut fates: BTreeMap<String, usize> = BTreeMap::new();
        let mut rows = Vec::new();
        for it in &self.fates {
            let data = self.came_of(it);
            let fate = data.told();
            let count = fates.entry(fate.clone()).or_default();
            *count += 1;
            if *count > TOLD {
                continue;
            }
            let bad = it.is_undecided()
                || [NOT_PUT_BACK, DOUBTFUL, NOT_STOPPED, STOP_DOUBTFUL].contains(&data.fate);
            let tone = if bad { Tone::Bad } else { Tone::Plain };
            rows.push(vec![
                Cell::plain(data.item),
                Cell::plain(data.before),
                Cell::plain(data.found.unwrap_or_default()),
                Cell::toned(fate, tone),
            ]);
        }
        for (fate, count) in fates.into_iter().filter(|(_, count)| *count > TOLD) {
            let more = Cell::plain(format!("… and {} more", count - TOLD));
            rows.push(vec![more, Cell::plain(""), Cell::plain(""), Cell::plain(fate)]);
        }
        rows
    }

    /// An item as it stands once the run is over: what was to be put back may not have come to it.
    fn came_of(&self, item: &Item) -> ItemData {
        let mut data = item.data();
        let (not, doubtful) = match item.fate {
            Fate::Restore | Fate::Take(_) => (NOT_PUT_BACK, DOUBTFUL),
            Fate::StopAgain(_) => (NOT_STOPPED, STOP_DOUBTFUL),
            _ => return data,
        };
        // Whoever released it in our place put it back before.
        if matches!(self.end, Some(End::Planned | End::ReleasedByOther)) {
            return data;
        }
        let step = restore::step(&item.item.subject);
        match self.run.executor.settled(&step) {
            Some(settled) if settled.stands() => {}
            // Sent, and not answered for.
            _ if self.run.executor.begun().any(|it| it.id == step) => data.fate = doubtful,
            Some(_) | None => data.fate = not,
        }
        data
    }

    fn data(&self) -> Data {
        let started = self.request.started_at;
        Data {
            stop_id: self.hold.as_ref().map(|hold| hold.stop_id.to_string()),
            dry_run: self.run.executor.is_dry(),
            digest: self.digest.as_ref().map(ToString::to_string),
            items: self.fates.iter().map(|it| self.came_of(it)).collect(),
            obstacles: self
                .obstacles
                .iter()
                .map(|it| format!("{}: {}", it.subject, it.message))
                .collect(),
            failures: self.failures(),
            plan: self.plan_steps(),
            duration_ms: self.ended_at.map(|at| {
                i64::try_from(at.duration_since(started).as_millis()).unwrap_or(i64::MAX)
            }),
        }
    }
}

impl Planned for Resume {
    fn plan_steps(&self) -> Vec<Step> {
        self.run.executor.steps().map(|(step, _)| step.clone()).collect()
    }
    /// What becomes of each item.
    fn summary(&self) -> Vec<String> {
        let items = self.fates.iter().map(|it| {
            let data = it.data();
            format!("{}: {}, before the stop {}", data.item, data.told(), data.before)
        });
        let last = if self.fates.iter().any(Item::is_undecided) {
            "the stop is NOT over then: decide the undecided items with --leave or --take"
        } else if self.has_latch() {
            "then engines reconcile and beat, and the latch is released"
        } else {
            "then services run, and everything is read again; there is no latch"
        };
        let lost =
            self.missing.iter().map(|it| format!("{}: missing, done without (--leave)", it.item));
        let orders = self.left_orders.iter();
        let orders =
            orders.map(|it| format!("{it}: of UNKNOWN outcome, you answer for it (--leave)"));
        let later = self.later_orders.iter();
        let later = later.map(|it| {
            format!("order {it}: of UNKNOWN outcome, its venue is asked once it runs again")
        });
        let stale = self.stale_rows().into_iter();
        let stale = stale.map(|it| format!("{}: {}", it.subject, it.message));
        let items = items.chain(lost).chain(orders).chain(later).chain(stale);
        items.chain([last.to_owned()]).collect()
    }
}

impl Item {
    /// Somebody changed it since, and nobody has decided.
    pub(super) fn is_undecided(&self) -> bool {
        matches!(self.fate, Fate::Conflict { .. })
    }

    fn data(&self) -> ItemData {
        let (fate, found) = match &self.fate {
            Fate::Stands => ("as before already", Some(self.item.before.to_string())),
            Fate::Restore => ("put back", Some(self.item.written.to_string())),
            Fate::Take(found) => ("put back (--take)", Some(found.to_string())),
            Fate::Left => ("left (--leave)", None),
            Fate::StopAgain(found) => ("stopped again (--leave)", Some(found.to_string())),
            Fate::HeldBy(_) => ("handed over", None),
            Fate::Conflict { found } => {
                ("undecided", Some(found.as_ref().map_or("gone".to_owned(), ToString::to_string)))
            }
            Fate::Unread(why) => ("unread", Some(why.clone())),
        };
        ItemData {
            item: self.item.subject.to_string(),
            before: self.item.before.to_string(),
            written: self.item.written.to_string(),
            fate,
            found,
            held_by: match &self.fate {
                Fate::HeldBy(other) => Some(other.to_string()),
                _ => None,
            },
        }
    }
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    crate::report::schema_of::<Data>()
}
