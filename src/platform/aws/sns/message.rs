//! A notice as SNS takes it. What would be refused is changed and said: an alarm that is not
//! quite as written arrives, one that is refused does not.

use crate::platform::Notice;

/// Fewer than 100 characters.
const MOST_SUBJECT: usize = 99;
/// Of the 256 KB that a message may have, the rest is for what goes along with the text.
const MOST_BYTES: usize = 256 * 1_024 - 4_096;
const CUT: &str = "...";

/// What is sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) subject: String,
    pub(super) body: String,
}

impl Message {
    pub(super) fn of(notice: &Notice) -> Self {
        let subject = subject(&notice.subject);
        let mut body: String = notice.body.chars().map(sendable).collect();
        if subject != notice.subject {
            let whole: String = notice.subject.chars().map(sendable).collect();
            body = format!("Subject in full: {whole}\n\n{body}");
        }
        if body.is_empty() {
            body.clone_from(&subject);
        }
        Self { subject, body: cut(body, &notice.message_id) }
    }
}

/// Printable ASCII on one line, not empty, beginning with no space.
fn subject(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|it| match it {
            ' '..='~' => it,
            _ if it.is_control() => ' ',
            _ => '?',
        })
        .collect();
    let mut plain = plain.trim().to_owned();
    if plain.is_empty() {
        "tradectl".clone_into(&mut plain);
    }
    if plain.len() > MOST_SUBJECT {
        plain.truncate(MOST_SUBJECT - CUT.len());
        plain.truncate(plain.trim_end().len());
        plain.push_str(CUT);
    }
    plain
}

/// What may not stand in a message stands there as the sign for a character that is none.
fn sendable(it: char) -> char {
    match it {
        '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'.. => it,
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// At most as long as SNS takes, and what is missing is said at the end.
fn cut(mut body: String, message_id: &str) -> String {
    let bytes = body.len();
    if bytes > MOST_BYTES {
        let said = |left_out: usize| {
            format!("\n[cut: {left_out} of {bytes} bytes are missing here; message {message_id}]")
        };
        let mut kept = MOST_BYTES - said(bytes).len();
        while !body.is_char_boundary(kept) {
            kept -= 1;
        }
        body.truncate(kept);
        body.push_str(&said(bytes - kept));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::{MOST_BYTES, Message};
    use crate::platform::Notice;

    fn message(subject: &str, body: &str) -> Message {
        let id = "stop-1/outcome".to_owned();
        Message::of(&Notice { message_id: id, subject: subject.into(), body: body.into() })
    }

    #[test]
    fn what_fits_goes_as_it_is() {
        let found = message("tradai-dev: HALTED", "line one\n\tline two, böse");
        assert_eq!(found.subject, "tradai-dev: HALTED");
        assert_eq!(found.body, "line one\n\tline two, böse");
    }

    #[test]
    fn a_subject_that_does_not_fit_stands_in_full_in_the_text() {
        let found = message(" HALT\u{e9}D\n\u{1b}[2Jnow ", "text");
        assert_eq!(found.subject, "HALT?D  [2Jnow");
        assert_eq!(
            found.body, "Subject in full:  HALT\u{e9}D\n\u{fffd}[2Jnow \n\ntext",
            "an escape may not stand in a message"
        );
        let long = "x".repeat(97) + " and more";
        let found = message(&long, "text");
        assert_eq!(found.subject, "x".repeat(96) + "...");
        assert_eq!(found.body, format!("Subject in full: {long}\n\ntext"));
        let of_99 = "y".repeat(99);
        assert_eq!(message(&of_99, "text"), Message { subject: of_99, body: "text".into() });
    }

    #[test]
    fn nothing_is_never_sent_as_nothing() {
        assert_eq!(message("HALTED", "").body, "HALTED");
        assert_eq!(message("\n", "text").subject, "tradectl");
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_where_it_says_so() {
        let fits = "x".repeat(MOST_BYTES);
        assert_eq!(message("s", &fits).body, fits);
        // Three bytes each: the cut may not fall within one.
        let long = "€".repeat(MOST_BYTES);
        let found = message("s", &long).body;
        assert!(found.len() <= MOST_BYTES, "{}", found.len());
        let (kept, said) = found.split_once('\n').unwrap();
        assert!(kept.chars().all(|it| it == '€'));
        let missing = long.len() - kept.len();
        let bytes = long.len();
        let wanted = format!("[cut: {missing} of {bytes} bytes are missing here; message ");
        assert_eq!(said, wanted + "stop-1/outcome]");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_written_can_be_sent(
            subject in proptest::prelude::any::<String>(),
            body in proptest::prelude::any::<String>(),
        ) {
            let found = message(&subject, &body);
            proptest::prop_assert!((1..100).contains(&found.subject.len()));
            proptest::prop_assert!(found.subject.bytes().all(|it| (b' '..=b'~').contains(&it)));
            proptest::prop_assert!(!found.subject.starts_with(' '));
            proptest::prop_assert!((1..=MOST_BYTES).contains(&found.body.len()));
            let control = |it: char| it < ' ' && !matches!(it, '\t' | '\n' | '\r');
            proptest::prop_assert!(!found.body.contains(control));
        }
    }
}
