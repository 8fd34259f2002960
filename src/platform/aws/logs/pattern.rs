//! What AWS is asked to look for.

/// A filter pattern has at most so many characters.
const MOST: usize = 1_024;

/// The pattern for lines that contain this text; `None`: AWS cannot be asked for it exactly,
/// and all lines are looked at here. In quotes everything but a quote or a backslash stands
/// for itself; without them a hyphen means "not".
pub(super) fn quoted(text: &str) -> Option<String> {
    let plain = |it: char| !it.is_control() && it != '"' && it != '\\';
    let fits = !text.trim().is_empty() && text.chars().count() + 2 <= MOST;
    Some(format!("\"{text}\"")).filter(|_| fits && text.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn an_id_with_hyphens_and_two_words_are_one_text() {
        assert_eq!(quoted("3f2a-77b1-9c").as_deref(), Some("\"3f2a-77b1-9c\""));
        assert_eq!(quoted("MemoryError OR OutOfMemory").unwrap(), "\"MemoryError OR OutOfMemory\"");
        assert_eq!(quoted(&"x".repeat(1_022)).unwrap().len(), 1_024);
    }

    #[test]
    fn what_cannot_be_asked_for_exactly_is_not_asked_for() {
        for text in ["", " ", "a \"b\"", "a\\b", "a\nb", "x".repeat(1_023).as_str()] {
            assert_eq!(quoted(text), None, "{text:?}");
        }
    }
}
