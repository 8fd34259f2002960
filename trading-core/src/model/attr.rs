//! Rows as the strategies', positions' and orders' tables hold them: a map of typed
//! attributes in the shapes of DynamoDB, kept whole. What we do not know we carry along.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One attribute value, in DynamoDB's own JSON shape (`{"S": "…"}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Whether two attributes hold the same value: numbers are compared as numbers, sets
    /// without regard to order. A store may write `1.50` as `1.5`.
    pub fn is_same(&self, other: &Self) -> bool {
        let sorted = |texts: &[String]| {
            let mut texts = texts.to_vec();
            texts.sort();
            texts
        };
        match (self, other) {
            (Self::N(one), Self::N(two)) => same_number(one, two),
            (Self::L(one), Self::L(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(a, b)| a.is_same(b))
            }
            (Self::M(one), Self::M(two)) => {
                let pairs = || one.iter().zip(two);
                one.len() == two.len() && pairs().all(|((k, a), (l, b))| k == l && a.is_same(b))
            }
            (Self::Ss(one), Self::Ss(two)) | (Self::Bs(one), Self::Bs(two)) => {
                sorted(one) == sorted(two)
            }
            (Self::Ns(one), Self::Ns(two)) => {
                one.len() == two.len() && one.iter().all(|a| two.iter().any(|b| same_number(a, b)))
            }
            _ => self == other,
        }
    }
    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::S(text) => Some(text),
            _ => None,
        }
    }
}

/// Whether two decimal texts say the same number: sign, digits and power of ten. Beyond the
/// range of `Decimal`, which DynamoDB's 38 digits are, the digits are compared.
fn same_number(one: &str, two: &str) -> bool {
    match (Digits::of(one), Digits::of(two)) {
        (Some(one), Some(two)) => one == two,
        _ => one == two,
    }
}

/// A number without the freedom of its spelling.
#[derive(PartialEq, Eq)]
struct Digits {
    negative: bool,
    /// Without zeroes at either end.
    digits: String,
    /// The power of ten of the last digit.
    power: i64,
}

impl Digits {
    fn of(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (negative, unsigned) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = format!("{whole}{part}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let kept = digits.trim_end_matches('0');
        let dropped = i64::try_from(digits.len() - kept.len()).ok()?;
        let part = i64::try_from(part.len()).ok()?;
        let kept = kept.trim_start_matches('0');
        if kept.is_empty() {
            return Some(Self { negative: false, digits: String::new(), power: 0 });
        }
        let power = exponent.checked_sub(part)?.checked_add(dropped)?;
        Some(Self { negative, digits: kept.to_owned(), power })
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

/// A stored row: every attribute, known to us or not. Copies share what nobody changes: most
/// rows are the same at every look, and hundreds of them are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row(Arc<BTreeMap<String, Attr>>);

impl From<BTreeMap<String, Attr>> for Row {
    fn from(attributes: BTreeMap<String, Attr>) -> Self {
        Self(Arc::new(attributes))
    }
}

impl FromIterator<(String, Attr)> for Row {
    fn from_iter<I: IntoIterator<Item = (String, Attr)>>(attributes: I) -> Self {
        Self::from(attributes.into_iter().collect::<BTreeMap<_, _>>())
    }
}

impl Serialize for Row {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from)
    }
}

/// Why an attribute could not be read as what was wanted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttrError {
    /// The row does not have it.
    #[error("`{name}` is missing")]
    Missing {
        /// The attribute's name.
        name: String,
    },
    /// What is stored is no row, and so has no attributes at all.
    #[error("the row is no JSON object; it begins `{begins}`")]
    NoRow {
        /// How it begins.
        begins: String,
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

/// How much of a stored text that is no row is shown.
const SHOWN_CHARS: usize = 40;

impl Row {
    /// The attribute under which a platform keeps a stored text that is no row, whole.
    pub const WHOLE: &'static str = "__document__";

    /// An attribute, if the row has it.
    pub fn get(&self, name: &str) -> Option<&Attr> {
        self.0.get(name)
    }
    /// All attributes.
    pub fn attributes(&self) -> &BTreeMap<String, Attr> {
        &self.0
    }
    /// Sets an attribute and leaves all others alone.
    pub fn set(&mut self, name: &str, value: Attr) {
        Arc::make_mut(&mut self.0).insert(name.to_owned(), value);
    }
    /// Takes an attribute away, if the row has it.
    pub fn remove(&mut self, name: &str) -> Option<Attr> {
        Arc::make_mut(&mut self.0).remove(name)
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
        self.get(name).ok_or_else(|| match self.text_opt(Self::WHOLE) {
            Some(stored) => {
                let mut begins: String = stored.chars().take(SHOWN_CHARS).collect();
                if begins.len() < stored.len() {
                    begins.push('…');
                }
                AttrError::NoRow { begins }
            }
            None => AttrError::Missing { name: name.to_owned() },
        })
    }
}

fn odd(name: &str, expected: &'static str, found: &Attr) -> AttrError {
    AttrError::Odd { name: name.to_owned(), expected, found: found.clone() }
}

#[cfg(test)]
mod tests {
    use super::{Attr, Row};

    fn number(text: &str) -> Attr {
        Attr::N(text.to_owned())
    }

    #[test]
    fn what_is_no_row_is_not_told_as_a_row_that_lacks_something() {
        let said = |row: &Row| row.text("status").unwrap_err().to_string();
        let stored = |text: &str| Row::default().with_text(Row::WHOLE, text).with_text("id", "a");
        assert_eq!(said(&stored("{not json")), "the row is no JSON object; it begins `{not json`");
        let long = said(&stored(&"é".repeat(50)));
        assert!(long.ends_with(&format!("`{}…`", "é".repeat(40))), "{long}");
        assert_eq!(said(&Row::default()), "`status` is missing");
        assert_eq!(stored("x").text("id"), Ok("a"), "what there is is still read");
    }

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        for (one, two) in [
            ("1.50", "1.5"),
            ("1e3", "1000"),
            ("-0.0", "0"),
            ("+7", "7"),
            ("007", "7"),
            ("12300E-2", "123"),
            (
                "99999999999999999999999999999999999999",
                "9.9999999999999999999999999999999999999E37",
            ),
        ] {
            assert!(number(one).is_same(&number(two)), "{one} {two}");
        }
        for (one, two) in [("1", "-1"), ("1", "10"), ("0.1", "0.10000000000000000001"), ("a", "b")]
        {
            assert!(!number(one).is_same(&number(two)), "{one} {two}");
        }
        assert!(!number("1").is_same(&Attr::text("1")), "a text is no number");
    }

    #[test]
    fn what_holds_others_is_compared_by_what_it_holds() {
        let map = |text: &str| Attr::M([("a".to_owned(), Attr::L(vec![number(text)]))].into());
        assert!(map("1.0").is_same(&map("1")));
        assert!(!map("1.0").is_same(&map("2")));
        let set = |texts: &[&str]| Attr::Ns(texts.iter().map(|it| (*it).to_owned()).collect());
        assert!(set(&["1", "2.0"]).is_same(&set(&["2", "1"])));
        assert!(!set(&["1", "2"]).is_same(&set(&["1", "3"])));
        let texts = |texts: [&str; 2]| Attr::Ss(texts.map(str::to_owned).to_vec());
        assert!(texts(["a", "b"]).is_same(&texts(["b", "a"])));
        assert!(!texts(["a", "b"]).is_same(&texts(["a", "c"])));
    }
}
