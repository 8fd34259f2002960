//! What stands against HALTED, and what would end it.

use super::ladder::Word;
use crate::model::{Gap, GapKind, Reading, ServiceName};
use serde::Serialize;
use std::collections::BTreeSet;

/// What ends something that this stop leaves: decided where the cause is known, and told as what
/// to type next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// A scope that names something.
    Scope,
    /// The same stop, which then ends processes too.
    Harder,
    /// The stop of a service.
    Service(ServiceName),
    /// The stop of everything.
    All,
    /// The same stop, which takes in what has no role.
    Include(String),
    /// No stop: by its role it does not trade.
    Role,
}

/// One thing that stands against HALTED.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Standing {
    /// Where it belongs.
    pub(super) rung: &'static str,
    /// What it is about.
    pub(super) subject: String,
    /// What was seen.
    pub(super) message: String,
    /// What ends it; `None`: this stop yet may.
    #[serde(skip)]
    pub(super) ends: Option<Ends>,
    /// Why it was not read.
    #[serde(skip)]
    pub(super) gap: Option<GapKind>,
}

impl Standing {
    /// Nothing that this stop does or waits for changes it.
    pub(super) fn lasts(&self) -> bool {
        self.ends.is_some() || self.gap.is_some_and(lasts)
    }
}

/// Whether waiting does not make known what was not read.
pub(super) fn lasts(gap: GapKind) -> bool {
    matches!(gap, GapKind::Denied | GapKind::Absent)
}

/// What the last reads say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Seen still trading, or able to.
    pub(super) trading: Vec<Standing>,
    /// Could not be read.
    pub(super) unknown: Vec<Standing>,
    /// No means are configured, or it is confirmed not to exist.
    pub(super) not_covered: BTreeSet<(String, String)>,
}

impl Verdict {
    /// The outcome that more waiting does not change; `None`: it may yet.
    pub(super) fn word(&self) -> Option<Word> {
        let last = self.trading.iter().chain(&self.unknown).all(Standing::lasts);
        last.then_some(match (self.trading.is_empty(), self.unknown.is_empty()) {
            (false, _) => Word::Partial,
            (true, false) => Word::Unknown,
            (true, true) => Word::Halted,
        })
    }
    /// One that this stop yet may end.
    pub(super) fn trading(
        &mut self,
        rung: &'static str,
        subject: impl ToString,
        message: impl Into<String>,
    ) {
        self.trades(rung, subject, message, None);
    }
    /// One that goes on however long is waited, if something else is what `ends` it.
    pub(super) fn trades(
        &mut self,
        rung: &'static str,
        subject: impl ToString,
        message: impl Into<String>,
        ends: Option<Ends>,
    ) {
        let (subject, message) = (subject.to_string(), message.into());
        self.trading.push(Standing { rung, subject, message, ends, gap: None });
    }
    pub(super) fn unknown(
        &mut self,
        rung: &'static str,
        subject: impl ToString,
        message: impl Into<String>,
    ) {
        let (subject, message) = (subject.to_string(), message.into());
        self.unknown.push(Standing { rung, subject, message, ends: None, gap: None });
    }
    /// What waiting does not make known, if it is denied or not there.
    pub(super) fn unread(
        &mut self,
        rung: &'static str,
        subject: impl ToString,
        message: impl Into<String>,
        kind: GapKind,
    ) {
        let (subject, message) = (subject.to_string(), message.into());
        self.unknown.push(Standing { rung, subject, message, ends: None, gap: Some(kind) });
    }
    /// What was not read of a list of which the rest was.
    pub(super) fn unlisted<'a>(
        &mut self,
        rung: &'static str,
        gaps: impl IntoIterator<Item = &'a Gap>,
    ) {
        for gap in gaps {
            self.unread(rung, &gap.source, gap.to_string(), gap.kind);
        }
    }
    /// The value of a reading; a gap is entered where it belongs.
    pub(super) fn need<'a, T>(
        &mut self,
        rung: &'static str,
        what: &str,
        reading: Option<&'a Reading<T>>,
    ) -> Option<&'a T> {
        match reading {
            Some(Reading::Known { value, .. }) => Some(value),
            Some(Reading::Gap(gap)) if gap.kind == GapKind::Absent => {
                self.not_covered.insert((what.to_owned(), format!("not deployed: {}", gap.why)));
                None
            }
            Some(Reading::Gap(gap)) => {
                self.unread(rung, what, gap.to_string(), gap.kind);
                None
            }
            None => {
                self.unknown(rung, what, "was not read");
                None
            }
        }
    }
}
