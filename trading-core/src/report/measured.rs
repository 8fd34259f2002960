//! A value of a JSON document that may not be there. It is never null, which could be taken
//! for zero: what is not there says why.

use crate::model::GapKind;
use serde::Serialize;

/// A value, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Measured_of_{T}"))]
#[serde(untagged)]
pub enum Measured<T> {
    /// The value.
    Is(T),
    /// None.
    Not(Missing),
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Missing {
    /// `absent`: it did not happen; anything else: it is not known.
    pub state: GapKind,
    /// The cause, in one line.
    pub why: String,
}

impl<T> Measured<T> {
    /// The value, or that it did not happen.
    pub fn or_absent(value: Option<T>, why_not: &str) -> Self {
        let missing = || Missing { state: GapKind::Absent, why: why_not.to_owned() };
        value.map_or_else(|| Self::Not(missing()), Self::Is)
    }
    /// It is not known.
    pub fn unread(why: impl Into<String>) -> Self {
        Self::Not(Missing { state: GapKind::Unreachable, why: why.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::Measured;
    use serde_json::{json, to_value};

    #[test]
    fn what_is_not_there_is_an_object_that_says_why_and_never_null() {
        assert_eq!(to_value(Measured::Is(0)).unwrap(), json!(0));
        let absent = Measured::<u64>::or_absent(None, "it was not lowered");
        assert_eq!(
            to_value(absent).unwrap(),
            json!({"state": "absent", "why": "it was not lowered"})
        );
        let unread = Measured::<u64>::unread("no venue is configured");
        assert_eq!(to_value(unread).unwrap()["state"], "unreachable");
    }
}
