//! Attributes between the SDK's form, ours, and JSON.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::base64;
use serde_json::{Map, Number, Value};
use trading_core::model::{Attr, Row};

/// An item as the SDK gives it, whatever kind of map it uses.
pub(super) fn row<'a>(item: impl IntoIterator<Item = (&'a String, &'a AttributeValue)>) -> Row {
    map_of(item).into()
}

fn map_of<'a>(
    item: impl IntoIterator<Item = (&'a String, &'a AttributeValue)>,
) -> BTreeMap<String, Attr> {
    item.into_iter().map(|(name, value)| (name.clone(), attr(value))).collect()
}

/// How a type that this SDK does not know stands in a row: a map with this one key. It is
/// never taken for a status or a time, and no update of ours names it.
const UNKNOWN: &str = "__unknown_type__";

fn attr(value: &AttributeValue) -> Attr {
    match value {
        AttributeValue::S(text) => Attr::S(text.clone()),
        AttributeValue::N(number) => Attr::N(number.clone()),
        AttributeValue::Bool(truth) => Attr::Bool(*truth),
        AttributeValue::Null(null) => Attr::Null(*null),
        AttributeValue::L(list) => Attr::L(list.iter().map(attr).collect()),
        AttributeValue::M(map) => Attr::M(map_of(map)),
        AttributeValue::Ss(texts) => Attr::Ss(texts.clone()),
        AttributeValue::Ns(numbers) => Attr::Ns(numbers.clone()),
        AttributeValue::B(blob) => Attr::B(base64::encode(blob.as_ref())),
        AttributeValue::Bs(blobs) => {
            Attr::Bs(blobs.iter().map(|blob| base64::encode(blob.as_ref())).collect())
        }
        _ => Attr::M(BTreeMap::from([(UNKNOWN.to_owned(), Attr::Null(true))])),
    }
}

/// As the SDK sends it; nothing if it holds bytes that are not in base 64.
pub(in crate::platform::aws) fn value(attr: &Attr) -> Option<AttributeValue> {
    let blob = |text: &String| base64::decode(text).ok().map(Blob::new);
    Some(match attr {
        Attr::S(text) => AttributeValue::S(text.clone()),
        Attr::N(number) => AttributeValue::N(number.clone()),
        Attr::Bool(truth) => AttributeValue::Bool(*truth),
        Attr::Null(null) => AttributeValue::Null(*null),
        Attr::L(list) => AttributeValue::L(list.iter().map(value).collect::<Option<_>>()?),
        Attr::M(map) => AttributeValue::M(
            map.iter()
                .map(|(name, attr)| Some((name.clone(), value(attr)?)))
                .collect::<Option<_>>()?,
        ),
        Attr::Ss(texts) => AttributeValue::Ss(texts.clone()),
        Attr::Ns(numbers) => AttributeValue::Ns(numbers.clone()),
        Attr::B(text) => AttributeValue::B(blob(text)?),
        Attr::Bs(texts) => AttributeValue::Bs(texts.iter().map(blob).collect::<Option<_>>()?),
    })
}

/// JSON as attributes.
pub(super) fn of_json(json: &Value) -> Attr {
    match json {
        Value::Null => Attr::Null(true),
        Value::Bool(truth) => Attr::Bool(*truth),
        Value::Number(number) => Attr::N(number.to_string()),
        Value::String(text) => Attr::S(text.clone()),
        Value::Array(list) => Attr::L(list.iter().map(of_json).collect()),
        Value::Object(map) => {
            Attr::M(map.iter().map(|(name, json)| (name.clone(), of_json(json))).collect())
        }
    }
}

/// Attributes as JSON; nothing for what JSON has no form for (sets, bytes).
pub(super) fn to_json(attr: &Attr) -> Option<Value> {
    Some(match attr {
        Attr::Null(_) => Value::Null,
        Attr::Bool(truth) => Value::Bool(*truth),
        Attr::N(number) => Value::Number(serde_json::from_str::<Number>(number).ok()?),
        Attr::S(text) => Value::String(text.clone()),
        Attr::L(list) => Value::Array(list.iter().map(to_json).collect::<Option<_>>()?),
        Attr::M(map) => Value::Object(
            map.iter()
                .map(|(name, attr)| Some((name.clone(), to_json(attr)?)))
                .collect::<Option<Map<_, _>>>()?,
        ),
        Attr::Ss(_) | Attr::Ns(_) | Attr::B(_) | Attr::Bs(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_goes_there_and_back() {
        let all = Attr::L(vec![
            Attr::text("ß\u{202e}"),
            Attr::N("3.1400".to_owned()),
            Attr::Bool(true),
            Attr::Null(true),
            Attr::M([("k".to_owned(), Attr::L(vec![]))].into()),
            Attr::Ss(vec!["a".to_owned(), "b".to_owned()]),
            Attr::Ns(vec!["1".to_owned()]),
            Attr::B("AAEC".to_owned()),
            Attr::Bs(vec!["AAEC".to_owned()]),
        ]);
        assert_eq!(attr(&value(&all).unwrap()), all);
        assert_eq!(value(&Attr::B("no base 64".to_owned())), None);
    }

    #[test]
    fn json_goes_there_and_back_and_what_it_cannot_say_is_left_out() {
        let json = serde_json::json!({"a": [1, 2.5, null, true, "x"], "b": {"c": 18446744073709551615_u64}});
        assert_eq!(to_json(&of_json(&json)), Some(json));
        assert_eq!(to_json(&Attr::L(vec![Attr::B("AA==".to_owned())])), None);
    }
}
