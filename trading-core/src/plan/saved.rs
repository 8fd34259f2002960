//! Saved plans: what was checked can be looked at, and is done later only if it is still
//! the same.

use super::{PlanDigest, Step, digest};
use crate::model::Utc;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A plan in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    /// The format number.
    pub format: u32,
    /// The command that made it, and the only one that may do it.
    pub command: String,
    /// The environment's full name.
    pub environment: String,
    /// When it was made.
    pub saved_at: Utc,
    /// The digest of its steps.
    pub digest: PlanDigest,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// Why a saved plan is not the plan of today.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Moved {
    /// It is older than a saved plan may be.
    #[error(
        "the plan was saved {age_s} s ago; a saved plan is good for {} s",
        SavedPlan::GOOD_FOR_S
    )]
    Expired {
        /// Its age, in seconds.
        age_s: i64,
    },
    /// It is for something else.
    #[error("the plan is for `{found}`, this is `{expected}`")]
    Other {
        /// What this is.
        expected: String,
        /// What it is for.
        found: String,
    },
    /// Its steps are not those of its digest.
    #[error("the file was changed: its steps do not have the digest that it names")]
    Edited,
    /// A newer tool wrote it.
    #[error(
        "the plan has format {format}, newer than the {} that this binary reads",
        SavedPlan::FORMAT
    )]
    Newer {
        /// Its format.
        format: u32,
    },
    /// The same command would do something else today.
    #[error("the world has moved since the plan was saved: {}", differences.join("; "))]
    Changed {
        /// Step by step, what was planned and what would be now.
        differences: Vec<String>,
    },
}

impl SavedPlan {
    /// The format that this binary writes.
    pub const FORMAT: u32 = 1;
    /// How long a saved plan may be done, in seconds.
    pub const GOOD_FOR_S: i64 = 15 * 60;

    /// A plan of now.
    pub fn new(command: &str, environment: &str, saved_at: Utc, steps: Vec<Step>) -> Self {
        Self {
            format: Self::FORMAT,
            command: command.to_owned(),
            environment: environment.to_owned(),
            saved_at,
            digest: digest(&steps),
            steps,
        }
    }

    /// Whether it is still what `today` is.
    pub fn compare(&self, today: &Self) -> Result<(), Moved> {
        if self.format > Self::FORMAT {
            return Err(Moved::Newer { format: self.format });
        }
        for (expected, found) in
            [(&today.command, &self.command), (&today.environment, &self.environment)]
        {
            if expected != found {
                let (expected, found) = (expected.clone(), found.clone());
                return Err(Moved::Other { expected, found });
            }
        }
        if digest(&self.steps) != self.digest {
            return Err(Moved::Edited);
        }
        let age = today.saved_at.duration_since(self.saved_at);
        // A plan from the future was saved by another clock: its age is not known.
        if age > SignedDuration::from_secs(Self::GOOD_FOR_S) || age.is_negative() {
            return Err(Moved::Expired { age_s: age.as_secs() });
        }
        if self.digest == today.digest {
            return Ok(());
        }
        Err(Moved::Changed { differences: self.differences(today) })
    }

    fn differences(&self, today: &Self) -> Vec<String> {
        let acts = |plan: &Self| -> BTreeMap<String, String> {
            plan.steps.iter().map(|step| (step.id.to_string(), step.act.to_string())).collect()
        };
        let (old, new) = (acts(self), acts(today));
        let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
        names.sort();
        names.dedup();
        let differ = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
        differ
            .map(|name| match (old.get(name), new.get(name)) {
                (Some(expected), Some(found)) => {
                    format!("{name}: expected to {expected}, found that it would {found}")
                }
                (Some(expected), None) => {
                    format!("{name}: expected to {expected}, found that there is no need of it now")
                }
                (None, Some(found)) => {
                    format!("{name}: not in the plan, found that it would {found}")
                }
                (None, None) => name.clone(),
            })
            .collect()
    }
}
