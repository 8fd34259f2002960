//! The words of a hold: how strict, of what, how far. One that we do not know is kept, and
//! never loosens anything.

use crate::model::{ServiceName, StrategyId, VenueName};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How strict a hold is. Ordered: a later one is stricter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "String", into = "String")]
pub enum Level {
    /// No new entries; exits go on.
    ReduceOnly,
    /// Nothing is sent.
    Halt,
    /// A word that we do not know. Means halt.
    Unrecognized(String),
}

impl Level {
    /// Nothing at all may be sent.
    pub fn halts(&self) -> bool {
        !matches!(self, Self::ReduceOnly)
    }
    /// The stored word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::ReduceOnly => "reduce-only",
            Self::Halt => "halt",
            Self::Unrecognized(word) => word,
        }
    }
}
impl From<String> for Level {
    fn from(word: String) -> Self {
        match word.as_str() {
            "reduce-only" => Self::ReduceOnly,
            "halt" => Self::Halt,
            _ => Self::Unrecognized(word),
        }
    }
}
impl From<Level> for String {
    fn from(level: Level) -> Self {
        level.as_str().to_owned()
    }
}
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a hold covers: `all`, `strategy=…`, `service=…` or `venue=…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "String", into = "String")]
pub enum Scope {
    /// Everything in the environment.
    All,
    /// One strategy.
    Strategy(StrategyId),
    /// What one service runs.
    Service(ServiceName),
    /// What trades at one venue.
    Venue(VenueName),
    /// A text that we do not understand. Covers everything.
    Unrecognized(String),
}

/// What may be covered by a hold. A part that is not known is covered by any hold on that
/// kind of part: not knowing must not let an order through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The strategy.
    pub strategy: Option<StrategyId>,
    /// The service that runs it.
    pub service: Option<ServiceName>,
    /// The venue that it trades at.
    pub venue: Option<VenueName>,
    /// It is known that no service runs it.
    pub standalone: bool,
}

impl Scope {
    /// Whether a hold of this scope covers everything.
    pub fn covers_all(&self) -> bool {
        matches!(self, Self::All | Self::Unrecognized(_))
    }
    /// Whether a hold of this scope covers the target.
    pub fn covers(&self, target: &Target) -> bool {
        match self {
            Self::All | Self::Unrecognized(_) => true,
            Self::Strategy(id) => target.strategy.as_ref().is_none_or(|it| it == id),
            Self::Service(name) => {
                !target.standalone && target.service.as_ref().is_none_or(|it| it == name)
            }
            Self::Venue(name) => target.venue.as_ref().is_none_or(|it| it == name),
        }
    }
}
impl From<String> for Scope {
    fn from(text: String) -> Self {
        match text.split_once('=') {
            None if text == "all" => Self::All,
            Some(("strategy", name)) if !name.is_empty() => Self::Strategy(name.into()),
            Some(("service", name)) if !name.is_empty() => Self::Service(name.into()),
            Some(("venue", name)) if !name.is_empty() => Self::Venue(name.into()),
            _ => Self::Unrecognized(text),
        }
    }
}
impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Strategy(id) => write!(f, "strategy={id}"),
            Self::Service(name) => write!(f, "service={name}"),
            Self::Venue(name) => write!(f, "venue={name}"),
            Self::Unrecognized(text) => f.write_str(text),
        }
    }
}

/// How far a stop has come. An unknown word is kept and treated as held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "String", into = "String")]
pub enum Phase {
    /// The ladder is being climbed.
    Stopping,
    /// The stop was seen complete.
    Held,
    /// A resume is restoring under the hold.
    Resuming,
    /// A word that we do not know.
    Unrecognized(String),
}

impl Phase {
    /// The stored word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stopping => "stopping",
            Self::Held => "held",
            Self::Resuming => "resuming",
            Self::Unrecognized(word) => word,
        }
    }
}
impl From<String> for Phase {
    fn from(word: String) -> Self {
        match word.as_str() {
            "stopping" => Self::Stopping,
            "held" => Self::Held,
            "resuming" => Self::Resuming,
            _ => Self::Unrecognized(word),
        }
    }
}
impl From<Phase> for String {
    fn from(phase: Phase) -> Self {
        phase.as_str().to_owned()
    }
}
