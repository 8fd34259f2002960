//! Approvals: the only way to start an executor. One cannot be made outside this file
//! without a consent, and it is worth nothing for anything but what it binds.

use super::PlanDigest;
use crate::model::{Level, Scope};
use serde::{Deserialize, Serialize};

/// What an approval is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "binds", rename_all = "snake_case")]
pub enum Binding {
    /// An emergency stop: given before anything is enumerated.
    Stop {
        /// The environment's full name.
        environment: String,
        /// The account, where there is one.
        account: Option<String>,
        /// The endpoint or the platform's folder.
        endpoint: String,
        /// What is stopped.
        scope: Scope,
        /// How strictly.
        level: Level,
        /// The flags that widen what may be done, sorted.
        flags: Vec<String>,
    },
    /// A plan: these steps and no others.
    Plan {
        /// The environment's full name.
        environment: String,
        /// The digest of the steps.
        digest: PlanDigest,
    },
}

impl Binding {
    /// The environment's full name: also the typed confirmation.
    pub fn environment(&self) -> &str {
        match self {
            Self::Stop { environment, .. } | Self::Plan { environment, .. } => environment,
        }
    }
}

/// How somebody consented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Typed at a prompt, on a terminal.
    Typed(String),
    /// `--yes`, together with the environment's name as a flag.
    Flag {
        /// What `--env` named.
        environment: String,
    },
    /// `--approve DIGEST` for a saved plan.
    Digest(String),
}

/// Why a consent is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotApproved {
    /// Something else was typed or named.
    #[error("expected the environment's name `{expected}`, got `{found}`")]
    OtherEnvironment {
        /// The environment's full name.
        expected: String,
        /// What was given.
        found: String,
    },
    /// Another plan's digest was named.
    #[error(
        "the plan's digest is {actual}, approved was {given}: the world has moved or another plan was meant"
    )]
    OtherDigest {
        /// What the plan is.
        actual: String,
        /// What was approved.
        given: String,
    },
    /// A digest cannot approve what is enumerated only later.
    #[error("an emergency stop is approved by name, not by digest")]
    NoDigestToCompare,
}

/// Leave to act. Sealed: there is no other constructor than [`Approval::grant`].
#[derive(Clone, Debug)]
pub struct Approval {
    binding: Binding,
}

impl Approval {
    /// Grants leave if the consent fits what it would bind.
    pub fn grant(binding: Binding, consent: &Consent) -> Result<Self, NotApproved> {
        match consent {
            Consent::Typed(name) | Consent::Flag { environment: name } => {
                let expected = binding.environment();
                if name != expected {
                    return Err(NotApproved::OtherEnvironment {
                        expected: expected.to_owned(),
                        found: name.clone(),
                    });
                }
            }
            Consent::Digest(given) => match &binding {
                Binding::Plan { digest, .. } if digest.is_named_by(given) => {}
                Binding::Plan { digest, .. } => {
                    return Err(NotApproved::OtherDigest {
                        actual: digest.short().to_owned(),
                        given: given.clone(),
                    });
                }
                Binding::Stop { .. } => return Err(NotApproved::NoDigestToCompare),
            },
        }
        Ok(Self { binding })
    }
    /// What it is good for.
    pub fn binding(&self) -> &Binding {
        &self.binding
    }
}
