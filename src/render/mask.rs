//! Hides what must not be read over a shoulder: account ids, and addresses that carry a
//! secret.

/// All but the last four digits of an account id.
pub fn account(id: &str) -> String {
    let count = id.chars().count();
    let shown = if count > 4 { 4 } else { 0 };
    let tail: String = id.chars().skip(count - shown).collect();
    format!("{}{tail}", "*".repeat(count - shown))
}

/// The text with every account id inside an ARN or beside a word boundary masked: a run
/// of exactly twelve digits that no letter, digit, point or dash touches.
pub fn text(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    let mut before: Option<char> = None;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (head, tail) = rest.split_at(start);
        let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let (digits, after) = tail.split_at(end);
        let touches = |c: Option<char>| {
            c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
        };
        let left = head.chars().next_back().or(before);
        let right = after.chars().next();
        masked.push_str(head);
        if digits.len() == 12 && !touches(left) && !touches(right) {
            masked.push_str(&account(digits));
        } else {
            masked.push_str(digits);
        }
        before = digits.chars().next_back();
        rest = after;
    }
    masked.push_str(rest);
    masked
}

/// Every text inside a JSON value, masked.
pub fn json(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::String(it) => *it = text(it),
        Value::Array(items) => items.iter_mut().for_each(json),
        Value::Object(map) => map.values_mut().for_each(json),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A web address without what may be secret in it: only scheme and host stay.
pub fn url(address: &str) -> String {
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}/…")
        }
        None => "…".to_owned(),
    }
}

/// Every web address inside a text, reduced to scheme and host.
pub fn urls(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let start = rest[..at]
            .rfind(|c: char| !c.is_ascii_alphanumeric())
            .map_or(0, |i| i + rest[i..].chars().next().map_or(1, char::len_utf8));
        let end = rest[at..]
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | ')'))
            .map_or(rest.len(), |i| at + i);
        masked.push_str(&rest[..start]);
        masked.push_str(&url(&rest[start..end]));
        rest = &rest[end..];
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::{account, text, url, urls};

    #[test]
    fn account_ids_are_masked_wherever_they_stand_alone() {
        assert_eq!(account("123456789012"), "********9012");
        assert_eq!(account("12"), "**");
        assert_eq!(
            text("arn:aws:ecs:eu-central-1:123456789012:task/tradai-dev/0a1b"),
            "arn:aws:ecs:eu-central-1:********9012:task/tradai-dev/0a1b"
        );
        assert_eq!(
            text("account 123456789012, not 210987654321"),
            "account ********9012, not ********4321"
        );
        assert_eq!(text("123456789012"), "********9012");
        for kept in ["1234567890123", "12345678901", "a123456789012", "0.123456789012", "ß"] {
            assert_eq!(text(kept), kept);
        }
    }

    #[test]
    fn of_an_address_only_scheme_and_host_stay() {
        assert_eq!(
            url("https://user:pw@hooks.example.com/T0/B0/secret?x=y"),
            "https://hooks.example.com/…"
        );
        assert_eq!(
            urls("sent to \"https://h.example/s3cr3t\" in 3 ms"),
            "sent to \"https://h.example/…\" in 3 ms"
        );
        assert_eq!(urls("größe→https://h.example/s3cr3t"), "größe→https://h.example/…");
        assert_eq!(urls("none here"), "none here");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken_and_what_is_masked_stays_masked(it in "(?s)(.|[0-9]{12}|https?://[a-z/]{0,9}){0,20}") {
            let masked = text(&it);
            proptest::prop_assert_eq!(text(&masked), masked.clone());
            let bare = urls(&it);
            proptest::prop_assert_eq!(urls(&bare), bare.clone());
        }

        #[test]
        fn an_account_id_never_gets_through(before in "[ :/\"=(]?", id in "[0-9]{12}", after in "[ :/\",)]?") {
            let masked = text(&format!("{before}{id}{after}"));
            proptest::prop_assert!(!masked.contains(&id));
        }

        #[test]
        fn a_path_never_gets_through(host in "[a-z]{1,9}", secret in "[A-Za-z0-9]{12,20}") {
            let masked = urls(&format!("to https://{host}/x/{secret}?a={secret} now"));
            proptest::prop_assert!(!masked.contains(&secret), "{}", masked);
            proptest::prop_assert!(masked.ends_with(" now"));
        }
    }
}
