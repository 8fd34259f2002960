//! What commands share that carry out an approved plan: survey, consent, and the same again
//! under the approval.

use std::sync::Arc;

use trading_core::model::RunId;
use trading_core::ops::Planned;
use trading_core::plan::{Approval, SavedPlan};
use trading_core::report::{Exit, Report};

use super::Session;
use super::approve::{PlanArgs, consent_to_plan, until_consent};
use crate::drive::journal::JournalWriter;
use crate::drive::run::{Driver, KillPoint};
use crate::drive::signals::Signals;
use crate::error::Fault;
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
        let mut driver = Driver {
            platform: self.environment.open(session.ctx)?,
            state_dir: self.environment.state_dir.clone(),
            journal: None,
            ui: &session.ctx.ui,
            clock: Arc::clone(&session.ctx.clock),
            timeout: session.timeout()?,
            signals: None,
            kill: KillPoint::never(),
        };
        let survey = make(run_id(), None)?;
        let agree = self.survey(session, &mut driver, survey);
        let (report, approved) = until_consent(&mut signals, agree).await?;
        let Some(approval) = approved else { return Ok(report) };
        let run_id = run_id();
        driver.journal = Some(JournalWriter::create(&self.environment.state_dir, &run_id));
        (driver.signals, driver.kill) = (signals, self.kill);
        let mut live = make(run_id, Some(approval))?;
        Ok(driver.run(&mut live).await)
    }

    /// Looks, and asks for consent if there is something to do.
    async fn survey<P: Planned>(
        &self,
        session: &Session<'_>,
        driver: &mut Driver<'_>,
        mut survey: P,
    ) -> Result<(Report, Option<(Approval, &'static str)>), Fault> {
        let report = driver.run(&mut survey).await;
        let steps = survey.plan_steps();
        if steps.is_empty() || report.exit != Exit::Ok {
            return Ok((report, None));
        }
        let name = &self.environment.name;
        let plan = SavedPlan::new(self.command, name, session.ctx.clock.now(), steps);
        let mut summary = vec![format!("{} in {name}: plan {}", self.command, plan.digest.short())];
        summary.extend(survey.summary());
        let approved = consent_to_plan(session, self.environment, self.approve, &plan, &summary);
        Ok((report, approved.await?))
    }
}
