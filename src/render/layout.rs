//! Words into lines of a width, and how a tone looks.

use trading_core::report::Tone;
use unicode_width::UnicodeWidthStr;

/// The columns that a text takes.
pub(super) fn columns(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Breaks a text into lines of at most `width` columns, at blanks where there are any. Only a
/// command may stand out: it is there to be pasted.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in words(paragraph) {
            let gap = usize::from(!line.is_empty());
            if columns(&line) + gap + columns(word) <= width {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(word);
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
            }
            if is_command(word) {
                line.push_str(word);
                continue;
            }
            let mut pieces = cut(word, width);
            line = pieces.pop().unwrap_or_default();
            lines.append(&mut pieces);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// How a command begins: one of ours, or what a next line may name besides.
const COMMANDS: [&str; 3] = ["tradectl ", "kill -CONT ", "TRADECTL_HOME="];

/// The words of a text. A command is one word: to the end of the text where it begins one or
/// follows a colon, or as far as its quotes go.
pub(super) fn words(text: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), Some(text));
    while let Some(text) = rest {
        let begins = words.last().is_none_or(|before: &&str| before.ends_with(':'));
        let quoted = text.strip_prefix('`').filter(|it| is_command(it));
        let end = match quoted.and_then(|it| it.find('`')) {
            Some(closed) => text.match_indices(' ').map(|it| it.0).find(|at| *at > closed),
            None if begins && quoted.is_none() && is_command(text) => None,
            None => text.find(' '),
        };
        let (word, after) = end.and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""));
        words.push(word);
        rest = after.strip_prefix(' ');
    }
    words
}

/// Whether a word is a command, in quotes or not.
pub(super) fn is_command(word: &str) -> bool {
    let word = word.strip_prefix('`').unwrap_or(word);
    COMMANDS.iter().any(|it| word.starts_with(it))
}

/// A word too long for any line, cut where it must be.
fn cut(word: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for c in word.chars() {
        let wide = columns(c.encode_utf8(&mut [0; 4]));
        if used > 0 && used + wide > width {
            pieces.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

/// The text with `hang` blanks before every line but the first, which begins with `lead`.
pub(super) fn hanging(lead: &str, hang: usize, text: &str, width: usize) -> Vec<String> {
    let room = width.saturating_sub(hang.max(columns(lead))).max(8);
    let blanks = " ".repeat(hang);
    let lines = wrap(text, room).into_iter().enumerate();
    lines
        .map(|(i, line)| if i == 0 { format!("{lead}{line}") } else { format!("{blanks}{line}") })
        .collect()
}

/// The text in the tone's colour, if colour is welcome.
pub(super) fn toned(text: &str, tone: Tone, color: bool) -> String {
    let code = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Good => "32",
        Tone::Warn => "33",
        Tone::Bad => "31",
        Tone::Dim => "2",
    };
    if color && !text.is_empty() {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// The text in bold, if colour is welcome.
pub(super) fn bold(text: &str, color: bool) -> String {
    if color { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{columns, hanging, wrap};
    use proptest::prelude::*;

    #[test]
    fn lines_break_at_blanks_and_long_words_are_cut() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrap("a\nb", 10), ["a", "b"]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        assert_eq!(hanging("seen: ", 6, "one two", 14), ["seen: one two"]);
        assert_eq!(hanging("seen: ", 6, "one two and", 14), ["seen: one two", "      and"]);
    }

    #[test]
    fn a_command_is_never_broken() {
        let next = "tradectl heartbeat recover demo-001 --env local --reason …";
        assert_eq!(hanging("next: ", 6, next, 20), [format!("next: {next}")]);
        assert_eq!(wrap(&format!("to resume: {next}"), 20), ["to resume:", next]);
        assert_eq!(
            wrap("it goes on; `tradectl local down` ends it", 20),
            ["it goes on;", "`tradectl local down`", "ends it"]
        );
        assert_eq!(wrap("kill -CONT 42", 4), ["kill -CONT 42"]);
        assert_eq!(wrap("a `tradectl of old", 9), ["a", "`tradectl", "of old"]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_no_word_is_lost(text in "[a-z日 ]{0,80}", width in 2_usize..30) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| columns(line) <= width));
            let kept: String = lines.concat().chars().filter(|c| *c != ' ').collect();
            let given: String = text.chars().filter(|c| *c != ' ').collect();
            prop_assert_eq!(kept, given);
        }
    }
}
