//! What a read or a write of the outside world can answer. Unknown is never shown as
//! healthy, empty or zero, so "not known" is a case of the type and not a default.

use super::Utc;
use serde::{Deserialize, Serialize};

/// The answer to a read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Reading_of_{T}"))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Reading<T> {
    /// Read, complete, and by whom and when.
    Known {
        /// What was read.
        value: T,
        /// Where it was read, in words an operator knows (`strategies table`).
        source: String,
        /// When the source answered.
        observed_at: Utc,
    },
    /// Not read, or read only in part.
    #[serde(untagged)]
    Gap(Gap),
}

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Gap {
    /// The kind of not-knowing.
    #[serde(rename = "state")]
    pub kind: GapKind,
    /// Where it was sought.
    pub source: String,
    /// The cause, in one line; outside text is passed as it came.
    pub why: String,
}

/// The ways in which something is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// No answer, or not a whole one.
    Unreachable,
    /// The answer was that we may not.
    Denied,
    /// Confirmed not to exist: "not deployed". Not a failure.
    Absent,
    /// Something is there and we do not understand it.
    Unparsed,
}

impl<T> Reading<T> {
    /// A complete answer.
    pub fn known(value: T, source: impl Into<String>, observed_at: Utc) -> Self {
        Self::Known { value, source: source.into(), observed_at }
    }
    /// No answer, or not a whole one.
    pub fn unreachable(source: impl Into<String>, why: impl Into<String>) -> Self {
        Self::gap(GapKind::Unreachable, source, why)
    }
    /// Refused for want of permission.
    pub fn denied(source: impl Into<String>, why: impl Into<String>) -> Self {
        Self::gap(GapKind::Denied, source, why)
    }
    /// Confirmed not to exist.
    pub fn absent(source: impl Into<String>, why: impl Into<String>) -> Self {
        Self::gap(GapKind::Absent, source, why)
    }
    /// There, but not understood.
    pub fn unparsed(source: impl Into<String>, why: impl Into<String>) -> Self {
        Self::gap(GapKind::Unparsed, source, why)
    }
    fn gap(kind: GapKind, source: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Gap(Gap { kind, source: source.into(), why: why.into() })
    }
    /// The value, if it is known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            Self::Gap(_) => None,
        }
    }
    /// The reason, if it is not known.
    pub fn as_gap(&self) -> Option<&Gap> {
        match self {
            Self::Known { .. } => None,
            Self::Gap(gap) => Some(gap),
        }
    }
    /// Confirmed not to exist: neither known nor a failure.
    pub fn is_absent(&self) -> bool {
        self.as_gap().is_some_and(|gap| gap.kind == GapKind::Absent)
    }
    /// The value or the gap.
    pub fn into_result(self) -> Result<T, Gap> {
        match self {
            Self::Known { value, .. } => Ok(value),
            Self::Gap(gap) => Err(gap),
        }
    }
    /// The same, with the value lent.
    pub fn as_ref(&self) -> Reading<&T> {
        match self {
            Self::Known { value, source, observed_at } => {
                Reading::Known { value, source: source.clone(), observed_at: *observed_at }
            }
            Self::Gap(gap) => Reading::Gap(gap.clone()),
        }
    }
    /// Changes the value and keeps source and time.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Known { value, source, observed_at } => {
                Reading::Known { value: f(value), source, observed_at }
            }
            Self::Gap(gap) => Reading::Gap(gap),
        }
    }
}

impl Gap {
    /// One for all, where nothing but gaps came; `None` if there are none.
    pub fn of_all(source: &str, gaps: &[Self]) -> Option<Self> {
        let (first, rest) = gaps.split_first()?;
        if rest.is_empty() {
            return Some(first.clone());
        }
        // What is missing for two reasons is not confirmed to be absent.
        let same = rest.iter().all(|it| it.kind == first.kind);
        let kind = if same { first.kind } else { GapKind::Unreachable };
        let mut causes: Vec<(&str, Vec<&str>)> = Vec::new();
        for gap in gaps {
            match causes.iter_mut().find(|(why, _)| *why == gap.why) {
                Some((_, sources)) => sources.push(&gap.source),
                None => causes.push((&gap.why, vec![&gap.source])),
            }
        }
        let told = |(why, sources): (&str, Vec<&str>)| format!("{}: {why}", a_few(&sources));
        let why: Vec<String> = causes.into_iter().map(told).collect();
        Some(Self { kind, source: source.to_owned(), why: why.join("; ") })
    }
}

/// The first of many names, and how many more there are.
pub fn a_few(names: &[impl AsRef<str>]) -> String {
    const SHOWN: usize = 5;
    let first: Vec<&str> = names.iter().take(SHOWN).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            GapKind::Unreachable => "unreachable",
            GapKind::Denied => "denied",
            GapKind::Absent => "absent",
            GapKind::Unparsed => "unparsed",
        };
        write!(f, "{}: {kind}: {}", self.source, self.why)
    }
}

/// The answer to a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "written", rename_all = "snake_case")]
pub enum Written {
    /// Done by this call, by the platform's clock at `at`.
    Applied {
        /// When the write was committed.
        at: Utc,
    },
    /// The wanted value stood there before.
    Already,
    /// The precondition did not hold; nothing was changed.
    Refused {
        /// What the write was conditional on.
        expected: String,
        /// What stood there.
        found: String,
    },
    /// Refused for want of permission; nothing was changed.
    Denied {
        /// The missing permission or the platform's words.
        why: String,
    },
    /// Did not reach the platform; nothing was changed.
    Unreachable {
        /// The cause.
        why: String,
    },
    /// Sent, and no answer: it may or may not have happened.
    Unknown {
        /// The cause.
        why: String,
    },
}

impl Written {
    /// The wanted value stands, by this call or before it.
    pub fn stands(&self) -> bool {
        matches!(self, Self::Applied { .. } | Self::Already)
    }
}
