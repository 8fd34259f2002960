//! Text from outside, made safe to show: control and bidirectional characters become
//! visible `\u{…}`, so that no log line can move the cursor, colour the screen or turn
//! its own words around.

/// One line: line ends are escaped too.
pub fn line(text: &str) -> String {
    escaped(text, false)
}

/// Several lines: line ends stay.
pub fn lines(text: &str) -> String {
    escaped(text, true)
}

fn escaped(text: &str, keep_line_ends: bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_safe(c) || (keep_line_ends && c == '\n') {
            safe.push(c);
        } else {
            safe.extend(c.escape_unicode());
        }
    }
    safe
}

/// Shown as it is. Not shown: what acts on the terminal, reorders text or takes no room.
pub fn is_safe(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00ad}'
            | '\u{061c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::{is_safe, line, lines};
    use proptest::prelude::*;

    #[test]
    fn what_acts_on_the_terminal_becomes_visible() {
        assert_eq!(line("a\u{1b}[31mb\r\n"), "a\\u{1b}[31mb\\u{d}\\u{a}");
        assert_eq!(line("evil\u{202e}txt"), "evil\\u{202e}txt");
        assert_eq!(lines("one\ntwo\u{7}"), "one\ntwo\\u{7}");
        assert_eq!(line("größe ≤ 5 µ日本"), "größe ≤ 5 µ日本");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_gets_through(text in "\\PC*|.*|[\\x00-\\x9f\u{200b}-\u{206f}]*") {
            prop_assert!(line(&text).chars().all(is_safe));
            prop_assert!(lines(&text).chars().all(|c| is_safe(c) || c == '\n'));
        }
    }
}
