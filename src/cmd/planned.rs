//! What commands share that carry out an approved plan: survey, consent, and the same again
//! under the approval.

use std::sync::Arc;

use trading_core::model::RunId;
use trading_core::ops::Planned;
use trading_core::plan::{Approval, SavedPlan};
use trading_core::report::{Exit, Report};

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
    /// Where to die, in a drill.
    pub(super) kill: KillPoint,
}

impl Errand<'_> {
    /// Surveys; asks for consent if there is something to do; does it. `make` gives the
    /// procedure with the id of its run, dry or under an approval.
    pub(super) async fn run<P: Planned>(
        self,
        session: &Session<'_>,
        make: impl Fn(RunId, Option<(Approval, &'static str)>) -> Result<P, Fault>,
    ) -> Result<Report, Fault> {
        if self.approve.basic.yes {
            self.environment.check_yes()?;
        }
        let mut signals = if self.approve.basic.dry_run { None } else { Signals::listen().ok() };
        let run_id = || RunId::from(session.ctx.ids.fresh("run"));
        let agree = async {
            let (mut driver, verified) = self.open(session).await?;
            let mut survey = make(run_id(), None)?;
            let mut report = driver.run(&mut survey).await;
            self.tell(&mut report, &driver, &verified);
            let steps = survey.plan_steps();
            if steps.is_empty() || report.exit != Exit::Ok {
                return Ok((driver, verified, report, None));
            }
            let name = &self.environment.name;
            let plan = SavedPlan::new(self.command, name, session.ctx.clock.now(), steps);
            let mut summary =
                vec![format!("{} in {name}: plan {}", self.command, plan.digest.short())];
            summary.extend(survey.summary());
            let approved =
                consent_to_plan(session, self.environment, self.approve, &plan, &summary).await?;
            Ok((driver, verified, report, approved))
        };
        let (mut driver, verified, report, approved) = until_consent(&mut signals, agree).await?;
        let Some(approval) = approved else { return Ok(report) };
        let run_id = run_id();
        driver.journal = Some(JournalWriter::create(&self.environment.state_dir, &run_id));
        (driver.signals, driver.kill) = (signals, self.kill);
        let mut live = make(run_id, Some(approval))?;
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
        let driver = Driver {
            platform,
            state_dir: self.environment.state_dir.clone(),
            journal: None,
            ui: &session.ctx.ui,
            clock: Arc::clone(&session.ctx.clock),
            timeout,
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
}
