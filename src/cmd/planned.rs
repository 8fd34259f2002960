//! What commands share that carry out an approved plan: survey, consent, and the same again
//! under the approval.

use std::sync::Arc;
use std::time::Duration;

use trading_core::model::RunId;
use trading_core::ops::Planned;
use trading_core::plan::{Approval, SavedPlan};
use trading_core::report::{Block, Cell, Exit, Report, Tone};

use super::account::{Insist, Verified};
use super::approve::{PlanArgs, consent_to_plan, until_consent};
use super::{Session, account};
use crate::drive::journal::JournalWriter;
use crate::drive::run::{Driver, KillPoint};
use crate::drive::signals::Signals;
use crate::error::Fault;
use crate::platform::Opening;
use crate::settings::Environment;

/// A command that plans first.
pub(super) struct Errand<'a> {
    /// Its name, as journals have it.
    pub(super) command: &'static str,
    /// Where.
    pub(super) environment: &'a Environment,
    /// How the command line consents.
    pub(super) approve: &'a PlanArgs,
    /// The longest that it may take.
    pub(super) takes: Duration,
    /// The longest that one act of it may take.
    pub(super) act_limit: Duration,
    /// Where to die, in a drill.
    pub(super) kill: KillPoint,
}

/// What a journal may hold besides its plan: evidence, answers, its first and last lines.
pub(super) const JOURNAL_ROOM: u64 = 256 * 1024;
/// How often the plan's own text fits into what is journaled of it.
const TIMES_THE_PLAN: u64 = 4;

impl Errand<'_> {
    /// Surveys; asks for consent if there is something to do; does it. `make` gives the
    /// procedure with the id of its run, dry or under an approval.
    pub(super) async fn run<P: Planned>(
        self,
        session: &Session<'_>,
        make: impl Fn(RunId, Option<(Approval, &'static str)>) -> Result<P, Fault>,
    ) -> Result<Report, Fault> {
        self.approve.check(&session.ctx.cwd)?;
        if self.approve.basic.yes {
            self.environment.check_yes()?;
        }
        // Without room what is read may not be readable either: that is told as its cause.
        if !self.approve.basic.dry_run {
            self.environment.has_room().await?;
        }
        let mut signals = if self.approve.basic.dry_run { None } else { Signals::listen().ok() };
        let run_id = || RunId::from(session.ctx.ids.fresh("run"));
        let agree = async {
            let (mut driver, verified) = self.open(session).await?;
            let mut survey = make(run_id(), None)?;
            let mut report = driver.run(&mut survey).await;
            self.tell(&mut report, &driver, &verified);
            let steps = survey.plan_steps();
            if steps.is_empty() || !matches!(report.exit, Exit::Ok | Exit::No) {
                return Ok((driver, verified, report, None));
            }
            let name = &self.environment.name;
            let plan = SavedPlan::new(self.command, name, session.ctx.clock.now(), steps);
            let mut summary =
                vec![format!("{} in {name}: plan {}", self.command, plan.digest.short())];
            summary.extend(survey.summary());
            let approved =
                consent_to_plan(session, self.environment, self.approve, &plan, &summary).await?;
            if approved.is_none() && report.exit == Exit::Ok {
                let next = next_line(&session.typed, &plan, self.approve.plan.is_some());
                report.body.push(Block::Line(Cell::toned(next, Tone::Dim)));
            }
            let approved = approved.map(|approval| (approval, plan));
            Ok((driver, verified, report, approved))
        };
        let (mut driver, verified, report, approved) = until_consent(&mut signals, agree).await?;
        let Some((approval, plan)) = approved else { return Ok(report) };
        let run_id = run_id();
        driver.journal = Some(self.journal(&plan, &run_id)?);
        (driver.signals, driver.kill) = (signals, self.kill);
        let mut live = make(run_id, Some(approval))?;
        driver.platform.account.ends_in(self.takes);
        let mut report = driver.run(&mut live).await;
        self.tell(&mut report, &driver, &verified);
        Ok(report)
    }

    /// Makes sure of the account; gives a driver that looks.
    async fn open<'s>(&self, session: &'s Session<'_>) -> Result<(Driver<'s>, Verified), Fault> {
        let timeout = session.timeout()?;
        let platform = self.environment.open(session.ctx, Opening::usual(timeout)).await?;
        let account = platform.account.as_ref();
        let verified = account::check(session, self.environment, account, self.insist()).await?;
        account::warn_of_expiry(session, &account.traffic(), self.takes);
        let driver = Driver {
            platform,
            state_dir: self.environment.state_dir.clone(),
            journal: None,
            ui: &session.ctx.ui,
            clock: Arc::clone(&session.ctx.clock),
            timeout,
            act_limit: self.act_limit,
            look_until: None,
            signals: None,
            kill: KillPoint::never(),
        };
        Ok((driver, verified))
    }

    fn insist(&self) -> Insist {
        Insist::of_dry_run(self.approve.basic.dry_run)
    }

    fn tell(&self, report: &mut Report, driver: &Driver<'_>, verified: &Verified) {
        account::tell(report, verified, &driver.platform.account.traffic(), self.insist());
    }

    /// No journal, no action: what cannot hold the whole run is refused before it begins.
    fn journal(&self, plan: &SavedPlan, run_id: &RunId) -> Result<JournalWriter, Fault> {
        let fault = |why: String| {
            let message = format!("nothing was changed: the journal cannot be written: {why}");
            Fault::new(Exit::Refused, "journal.unwritable", message)
                .hint(self.environment.typed("doctor"))
        };
        let text = serde_json::to_string(plan).map_err(|error| fault(error.to_string()))?;
        let bytes = JOURNAL_ROOM.saturating_add(TIMES_THE_PLAN.saturating_mul(text.len() as u64));
        JournalWriter::with_room(&self.environment.state_dir, run_id, bytes).map_err(fault)
    }
}

/// The line that does what this dry run has shown: a saved plan by its digest, anything else
/// by being asked.
fn next_line(typed: &[String], plan: &SavedPlan, saved: bool) -> String {
    let words = typed.iter().skip(1).filter(|word| *word != "--dry-run");
    let mut words: Vec<String> = words.map(|word| quoted(word)).collect();
    if saved {
        words.push(format!("--approve {}", plan.digest));
    }
    format!("next: tradectl {}", words.join(" "))
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use trading_core::model::Utc;

    #[test]
    fn the_next_line_is_what_was_typed_and_can_be_typed_again() {
        let plan = SavedPlan::new("resume", "desk", Utc::UNIX_EPOCH, Vec::new());
        let typed = ["/bin/tradectl", "resume", "--reason", "it's fixed", "--dry-run"];
        let typed = typed.map(str::to_owned);
        let plain = next_line(&typed, &plan, false);
        assert_eq!(plain, "next: tradectl resume --reason 'it'\\''s fixed'");
        let saved = next_line(&typed, &plan, true);
        assert_eq!(saved, format!("{plain} --approve {}", plan.digest));
    }
}
