//! Steps.

use super::Act;
use crate::model::RestoreItem;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Names a step inside a run: what it acts on and to what end (`strategy/alpha:stopped`).
/// Two runs that plan the same act give it the same id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct StepId(Arc<str>);

impl StepId {
    /// Takes the text as it is.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// What is attempted, and which attempt at it this is: the first has no number in its name.
    pub(crate) fn attempt(&self) -> (&str, u32) {
        let numbered = self.0.rsplit_once('#');
        let numbered = numbered.and_then(|(base, number)| Some((base, number.parse().ok()?)));
        numbered.unwrap_or((&self.0, 1))
    }
}
impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which part of a procedure a step belongs to; what progress and outcomes are told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// The latch.
    Latch,
    /// Notifications.
    Notify,
    /// Schedules and rules.
    Schedules,
    /// Strategies' rows.
    Strategies,
    /// Orders at venues.
    Orders,
    /// Positions at venues.
    Positions,
    /// Services, autoscaling, tasks.
    Compute,
}

impl Rung {
    /// All rungs, in the order of the ladder.
    pub const ALL: [Self; 7] = [
        Self::Latch,
        Self::Notify,
        Self::Schedules,
        Self::Strategies,
        Self::Orders,
        Self::Positions,
        Self::Compute,
    ];
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Latch => "latch",
            Self::Notify => "notify",
            Self::Schedules => "schedules",
            Self::Strategies => "strategies",
            Self::Orders => "orders",
            Self::Positions => "positions",
            Self::Compute => "compute",
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Step {
    /// Its name in the run.
    pub id: StepId,
    /// Where it belongs.
    pub rung: Rung,
    /// Why it is there.
    pub why: String,
    /// What to do; its condition is part of it.
    pub act: Act,
    /// What goes into the restore record before the act; for acts that change a state
    /// which a resume has to bring back.
    pub restore: Option<RestoreItem>,
    /// What takes it back, with the value from before; `None`: cannot be taken back.
    pub undo: Option<Act>,
    /// Steps that must have settled, well or not, before this one starts: a rung that is
    /// down must not hold up the next.
    pub after: Vec<StepId>,
    /// Steps that must stand (applied or already so) before this one starts; if one does
    /// not, this step is refused.
    pub needs: Vec<StepId>,
    /// What must have been observed before this step starts; the procedure says when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaits: Option<String>,
}

impl Step {
    /// A step that waits for nothing and cannot be taken back.
    pub fn new(id: StepId, rung: Rung, why: impl Into<String>, act: Act) -> Self {
        Self {
            id,
            rung,
            why: why.into(),
            act,
            restore: None,
            undo: None,
            after: Vec::new(),
            needs: Vec::new(),
            awaits: None,
        }
    }
    /// The same step with what goes into the restore record before it.
    #[must_use]
    pub fn recording(mut self, item: RestoreItem) -> Self {
        self.restore = Some(item);
        self
    }
    /// The same step with what takes it back.
    #[must_use]
    pub fn undone_by(mut self, act: Act) -> Self {
        self.undo = Some(act);
        self
    }
    /// The same step, once these have settled.
    #[must_use]
    pub fn after(mut self, ids: impl IntoIterator<Item = StepId>) -> Self {
        self.after.extend(ids);
        self
    }
    /// The same step, once these stand.
    #[must_use]
    pub fn needing(mut self, ids: impl IntoIterator<Item = StepId>) -> Self {
        self.needs.extend(ids);
        self
    }
    /// The same step, once this was observed.
    #[must_use]
    pub fn awaiting(mut self, what: impl Into<String>) -> Self {
        self.awaits = Some(what.into());
        self
    }
}
