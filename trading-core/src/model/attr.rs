//! Rows as the strategies', positions' and orders' tables hold them: a map of typed
//! attributes in the shapes of DynamoDB, kept whole. What we do not know we carry along.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// One attribute value, in DynamoDB's own JSON shape (`{"S": "…"}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attr {
    /// Text.
    S(String),
    /// A number, as its exact decimal text.
    N(String),
    /// A truth value.
    #[serde(rename = "BOOL")]
    Bool(bool),
    /// Explicitly nothing.
    #[serde(rename = "NULL")]
    Null(bool),
    /// A list.
    L(Vec<Attr>),
    /// A map.
    M(BTreeMap<String, Attr>),
    /// A set of texts.
    #[serde(rename = "SS")]
    Ss(Vec<String>),
    /// A set of numbers.
    #[serde(rename = "NS")]
    Ns(Vec<String>),
    /// Bytes, in base 64.
    B(String),
    /// A set of bytes, each in base 64.
    #[serde(rename = "BS")]
    Bs(Vec<String>),
}

impl Attr {
    /// A text attribute.
    pub fn text(text: impl Into<String>) -> Self {
        Self::S(text.into())
    }
    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::S(text) => Some(text),
            _ => None,
        }
    }
}

/// As an operator would read it: text in quotes, numbers bare, the rest as JSON.
impl fmt::Display for Attr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S(text) => write!(f, "{text:?}"),
            Self::N(number) => f.write_str(number),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Null(_) => f.write_str("null"),
            other => f.write_str(&serde_json::to_string(other).map_err(|_| fmt::Error)?),
        }
    }
}

/// A stored row: every attribute, known to us or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Row(pub BTreeMap<String, Attr>);

/// Why an attribute could not be read as what was wanted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttrError {
    /// The row does not have it.
    #[error("`{name}` is missing")]
    Missing {
        /// The attribute's name.
        name: String,
    },
    /// The row has it in another type or spelling.
    #[error("`{name}` should be {expected}, found {found}")]
    Odd {
        /// The attribute's name.
        name: String,
        /// What was wanted.
        expected: &'static str,
        /// What stands there.
        found: Attr,
    },
}

impl Row {
    /// An attribute, if the row has it.
    pub fn get(&self, name: &str) -> Option<&Attr> {
        self.0.get(name)
    }
    /// Sets an attribute and leaves all others alone.
    pub fn set(&mut self, name: &str, value: Attr) {
        self.0.insert(name.to_owned(), value);
    }
    /// The same row with one attribute set; for building rows.
    #[must_use]
    pub fn with(mut self, name: &str, value: Attr) -> Self {
        self.set(name, value);
        self
    }
    /// The same row with one text attribute set; for building rows.
    #[must_use]
    pub fn with_text(self, name: &str, text: impl Into<String>) -> Self {
        self.with(name, Attr::S(text.into()))
    }
    /// A text attribute.
    pub fn text(&self, name: &str) -> Result<&str, AttrError> {
        let attr = self.need(name)?;
        attr.as_text().ok_or_else(|| odd(name, "text", attr))
    }
    /// A text attribute, or nothing if it is missing or of another type. Only for what is
    /// shown as a courtesy; decisions use [`Row::text`].
    pub fn text_opt(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Attr::as_text)
    }
    /// An exact decimal, from a number or from text that spells one.
    pub fn decimal(&self, name: &str) -> Result<Decimal, AttrError> {
        let attr = self.need(name)?;
        let (Attr::N(text) | Attr::S(text)) = attr else {
            return Err(odd(name, "a number", attr));
        };
        Decimal::from_str_exact(text).map_err(|_| odd(name, "a number", attr))
    }
    /// A point in time, ISO 8601 with `Z` or an offset.
    pub fn time(&self, name: &str) -> Result<super::Utc, AttrError> {
        let attr = self.need(name)?;
        let text = attr.as_text().ok_or_else(|| odd(name, "an ISO 8601 time", attr))?;
        text.parse().map_err(|_| odd(name, "an ISO 8601 time", attr))
    }
    fn need(&self, name: &str) -> Result<&Attr, AttrError> {
        self.get(name).ok_or_else(|| AttrError::Missing { name: name.to_owned() })
    }
}

fn odd(name: &str, expected: &'static str, found: &Attr) -> AttrError {
    AttrError::Odd { name: name.to_owned(), expected, found: found.clone() }
}
