//! Rows of tasks that are not understood, and what the machine says of each.

use trading_core::model::Gap;

use super::db::Db;
use super::settle::{Machine, Probe};
use super::{paths_of, tables};
use crate::error::Fault;
use crate::settings::Environment;

/// A task whose row is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OddTask {
    /// The row's name, and what is odd about it.
    pub gap: Gap,
    /// The processes that run as it, as far as can be seen.
    pub pids: Vec<u32>,
    /// Its lock is held, or cannot be looked at.
    held: bool,
    /// It was recorded as stopped.
    stopped: bool,
}

impl OddTask {
    /// Compares odd rows with the machine: those of tasks that may be live, and of stopped ones.
    pub(super) fn look(machine: &Machine<'_>, live: Vec<Gap>, stopped: Vec<Gap>) -> Vec<Self> {
        let live = live.into_iter().map(|gap| (gap, false));
        let all = live.chain(stopped.into_iter().map(|gap| (gap, true)));
        let look = |(gap, stopped): (Gap, bool)| {
            let pids = machine.find(&gap.source).iter().map(|it| it.pid).collect();
            let held = machine.may_hold(&gap.source);
            Self { gap, pids, held, stopped }
        };
        all.map(look).collect()
    }
    /// Whether something runs as it, as far as can be seen.
    pub fn may_run(&self) -> bool {
        self.held || !self.pids.is_empty()
    }
    /// It was recorded as stopped and nothing runs as it: no gap of what runs.
    pub fn is_over(&self) -> bool {
        self.stopped && !self.may_run()
    }
    /// As it stands in a list: nobody else can tell who has to end it.
    pub(super) fn told(&self) -> Gap {
        let runs = match (self.pids.as_slice(), self.held) {
            ([], false) => "; no process of it was found".to_owned(),
            ([], true) => "; its lock is held, and no process of it was found".to_owned(),
            (pids, _) => {
                let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
                format!("; process {} runs as it", pids.join(", "))
            }
        };
        Gap { why: format!("{}{runs}", self.gap.why), ..self.gap.clone() }
    }
}

/// Whether something may run as the task of an odd row. One that has become odd since it was
/// looked may.
pub(super) fn may_run(odd: &[OddTask], task: &str) -> bool {
    odd.iter().find(|it| it.gap.source == task).is_none_or(OddTask::may_run)
}

/// All tasks whose rows are not understood.
pub async fn odd_tasks(environment: &Environment) -> Result<Vec<OddTask>, Fault> {
    let paths = paths_of(environment)?;
    let looked = tokio::task::spawn_blocking(move || {
        let db = Db::new(paths.compute_db(), &tables::SCHEMA);
        let (listed, stopped) = db.read_blocking(tables::tasks)?;
        Ok(OddTask::look(&Machine(&paths), listed.gaps, stopped))
    });
    looked.await.unwrap_or_else(|error| Err(error.into())).map_err(super::rows_unread)
}
