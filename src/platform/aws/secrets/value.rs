//! One value out of a secret. What is said of a secret that is not as expected never holds a
//! part of it.

use serde_json::{Map, Value};
use trading_core::model::{Reading, Utc};

use crate::platform::SecretValue;

/// The text under a key of a secret, which is a JSON object.
pub(super) fn of(source: &str, secret: Option<&str>, key: &str, now: Utc) -> Reading<SecretValue> {
    let Some(secret) = secret else {
        return Reading::unparsed(source, "it holds bytes and no text");
    };
    // The parser's own message could quote the text.
    let Ok(mut object) = serde_json::from_str::<Map<String, Value>>(secret) else {
        return Reading::unparsed(source, "it is no JSON object of names and texts");
    };
    match object.remove(key) {
        Some(Value::String(text)) => Reading::known(SecretValue::new(text), source, now),
        Some(Value::Number(number)) => {
            Reading::known(SecretValue::new(number.to_string()), source, now)
        }
        Some(_) => Reading::unparsed(source, format!("its `{key}` is no text")),
        None => Reading::absent(source, format!("it has no `{key}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use trading_core::model::{GapKind, Utc};

    const PLANTED: &str = "planted-5d21";

    #[test]
    fn a_key_is_found_and_what_is_not_there_is_absent() {
        let secret = format!(r#"{{"api_key": "{PLANTED}", "port": 5432}}"#);
        let value = |key: &str| of("secret s", Some(&secret), key, Utc::UNIX_EPOCH);
        assert_eq!(value("api_key").value().unwrap().reveal(), PLANTED);
        assert_eq!(value("port").value().unwrap().reveal(), "5432");
        assert!(value("other").is_absent());
        assert!(!format!("{:?}", value("api_key")).contains(PLANTED));
    }

    #[test]
    fn a_secret_of_another_shape_is_not_quoted() {
        for secret in [
            Some(format!("\"{PLANTED}\"")),
            Some(format!("{{\"key\": {PLANTED}")),
            Some(format!("{{\"key\": [\"{PLANTED}\"]}}")),
            Some(PLANTED.to_owned()),
            None,
        ] {
            let found = of("secret s", secret.as_deref(), "key", Utc::UNIX_EPOCH);
            assert_eq!(found.as_gap().unwrap().kind, GapKind::Unparsed, "{secret:?}");
            assert!(!format!("{found:?}").contains(PLANTED), "{found:?}");
        }
    }
}
