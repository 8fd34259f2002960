//! What stands above every answer: which environment, seen from when.

use std::borrow::Cow;

use serde::Serialize;
use trading_core::model::Utc;
use trading_core::report::{Block, Finding, Problem, Report};

use super::mask;

/// Where a stop's document holds the restore records that nothing else could take.
const RECORD: &str = "restore_record";

/// A fact of the header, or why there is none. In JSON a text, or an object with `state`
/// and `why`; never null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Fact<T = String> {
    /// It is so.
    Known(T),
    /// There is none, or it is not known.
    Missing {
        /// `none`: there cannot be one; `unknown`: nobody has asked; `unverified`: nobody
        /// has answered.
        state: &'static str,
        /// The cause, in one line.
        why: String,
    },
}

impl<T> Fact<T> {
    /// There cannot be one.
    pub fn none(why: impl Into<String>) -> Self {
        Self::Missing { state: "none", why: why.into() }
    }
}

impl Fact {
    /// Nobody has asked, or nobody knows.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Missing { state: "unknown", why: why.into() }
    }
    /// As it may be shown: account ids masked unless asked for whole.
    pub(crate) fn masked(&self, whole: bool) -> Self {
        match self {
            _ if whole => self.clone(),
            Self::Known(text) => Self::Known(mask::text(text)),
            Self::Missing { state, why } => Self::Missing { state, why: mask::text(why) },
        }
    }
    /// The fact, if there is one.
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(text) => Some(text),
            Self::Missing { .. } => None,
        }
    }
}

/// The environment as every answer shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnvironmentView {
    /// Its full name.
    pub name: Fact,
    /// `local` or `aws`.
    pub platform: Fact,
    /// The account that answered, or else the one that is expected; masked unless asked for
    /// whole.
    pub account: Fact,
    /// The platform itself has named `account`.
    pub account_verified: bool,
    /// The region.
    pub region: Fact,
    /// Where requests go.
    pub endpoint: Fact,
    /// Where `endpoint` was set.
    pub endpoint_origin: Fact,
    /// The folder of a local platform.
    pub directory: Fact,
    /// Stopping the wrong one costs real money.
    pub production: Fact<bool>,
    /// `open`, `closed` or why that is not known, at `observed_at`.
    pub market: Fact,
    /// The project's settings file that was read.
    pub project_file: Fact,
}

impl EnvironmentView {
    /// An answer that is about no environment, or that came to none.
    pub fn nowhere(why: &str) -> Self {
        let none = || Fact::none(why);
        Self {
            name: none(),
            platform: none(),
            account: none(),
            account_verified: false,
            region: none(),
            endpoint: none(),
            endpoint_origin: none(),
            directory: none(),
            production: Fact::none(why),
            market: none(),
            project_file: none(),
        }
    }
}

/// What stands above every answer.
#[derive(Clone, Debug)]
pub struct Header {
    /// The environment.
    pub environment: EnvironmentView,
    /// When the answer was made, by this machine's clock.
    pub observed_at: Utc,
    /// Account ids stay whole.
    pub show_account: bool,
}

impl Header {
    /// The report as it may be shown: account ids masked unless asked for whole.
    pub(super) fn masked<'a>(&self, report: &'a Report) -> Cow<'a, Report> {
        if self.show_account {
            return Cow::Borrowed(report);
        }
        let mut report = report.clone();
        let hide = |text: &mut String| *text = mask::text(text);
        for finding in &mut report.findings {
            let Finding { id: _, severity: _, subject, message, evidence, next } = finding;
            [subject, message].into_iter().chain(evidence).chain(next).for_each(hide);
        }
        for problem in &mut report.errors {
            let Problem { code: _, message, hint } = problem;
            [message].into_iter().chain(hint).for_each(hide);
        }
        for block in &mut report.body {
            match block {
                Block::Heading(text) | Block::Foreign(text) => hide(text),
                Block::Verbatim(_) => {}
                Block::Line(cell) => hide(&mut cell.text),
                Block::Table { columns: _, rows } => {
                    rows.iter_mut().flatten().for_each(|cell| hide(&mut cell.text));
                }
            }
        }
        // Whoever resumes gives the record back to us, and it may be the only copy.
        let record = report.data.get_mut(RECORD).map(serde_json::Value::take);
        mask::json(&mut report.data);
        if let (Some(place), Some(record)) = (report.data.get_mut(RECORD), record) {
            *place = record;
        }
        Cow::Owned(report)
    }
}

#[cfg(test)]
mod tests {
    use super::{EnvironmentView, Header};
    use serde_json::json;
    use trading_core::model::Utc;
    use trading_core::report::{Exit, Report};

    #[test]
    fn account_ids_are_masked_and_a_record_that_is_given_back_to_us_is_not() {
        let mut report = Report::new("emergency-stop", "HALTED", Exit::Ok);
        let record = json!([{"chunk": {"items": ["123456789012"]}}]);
        report.data = json!({"seen": "of 123456789012", "restore_record": record});
        let header = Header {
            environment: EnvironmentView::nowhere("a test"),
            observed_at: Utc::UNIX_EPOCH,
            show_account: false,
        };
        let shown = header.masked(&report);
        assert_eq!(shown.data["seen"], "of ********9012");
        assert_eq!(shown.data["restore_record"], record);
    }
}
