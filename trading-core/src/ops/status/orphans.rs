//! What stops changed that ended before the latch named them: nothing holds it, and nothing but
//! the same stop leads back.

use super::View;
use super::findings::STOPPING_FOR_MS;
use crate::report::{Block, Cell, Finding, Severity, Tone, counted};
use serde::Serialize;

/// A stop that no latch names and of which something still stands, as the document has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct LeftBehind {
    pub(super) stop_id: String,
    pub(super) level: String,
    pub(super) scope: String,
    pub(super) actor: String,
    pub(super) reason: String,
    /// When it recorded the first of the values.
    pub(super) recorded_at: String,
    /// What still stands as it left it; also what could not be read.
    pub(super) items: Vec<String>,
}

impl View<'_> {
    pub(super) fn left_behind_data(&self) -> Vec<LeftBehind> {
        let left = self.world.orphans().into_iter().map(|it| LeftBehind {
            stop_id: it.hold.stop_id.to_string(),
            level: it.hold.level.to_string(),
            scope: it.hold.scope.to_string(),
            recorded_at: it.at.to_string(),
            items: it.open().map(|item| item.subject.to_string()).collect(),
            actor: it.hold.actor,
            reason: it.hold.reason,
        });
        left.collect()
    }

    pub(super) fn left_behind_line(&self) -> Option<Block> {
        let left = self.world.orphans();
        let told = left.iter().map(|it| {
            let count = counted(it.open().count() as u64, "value", "values");
            format!("{count} of {}", self.hold_words(&it.hold))
        });
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| {
            let line = format!("LEFT BEHIND, and held by nothing: {}", told.join("; "));
            Block::Line(Cell::toned(line, Tone::Bad))
        })
    }

    pub(super) fn left_behind_findings(&self) -> Vec<Finding> {
        let env = &self.request.site.environment;
        let found = self.world.orphans().into_iter().map(|it| {
            // One that is at work has not reached the latch: it is in trouble all the same.
            let ended = if self.age(it.at) > STOPPING_FOR_MS {
                "ended before the latch named it"
            } else {
                "has not reached the latch: it is at work, or ended before"
            };
            let message = format!(
                "{} {ended}; {}, and no hold keeps them so; the same stop again takes them over, \
                 and is resumed then",
                it.told(),
                it.stand()
            );
            Finding::new("stop.left_behind", Severity::Error, &it.hold.stop_id, message)
                .seen([it.names()])
                .next(it.hold.command(env))
        });
        found.collect()
    }
}
