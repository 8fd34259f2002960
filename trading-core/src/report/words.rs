//! Quantities in words.

use crate::model::Utc;

/// A time to the second, UTC, RFC 3339.
pub fn stamp(at: Utc) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A length of time in at most two units, cut and not rounded: `850 ms`, `41 s`,
/// `3 min 5 s`, `2 h`, `3 d 4 h`.
pub fn millis(ms: i64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    let Some(first) = UNITS.iter().position(|(size, _)| ms >= *size) else {
        return format!("{sign}{ms} ms");
    };
    let (size, unit) = UNITS[first];
    let mut text = format!("{sign}{} {unit}", ms / size);
    if let Some((next, unit)) = UNITS.get(first + 1)
        && ms % size / next > 0
    {
        text.push_str(&format!(" {} {unit}", ms % size / next));
    }
    text
}

/// How long ago that was, or how far ahead it lies.
pub fn ago(ms: i64) -> String {
    if ms < 0 {
        format!("{} ahead", millis(ms.saturating_neg()))
    } else {
        format!("{} ago", millis(ms))
    }
}

/// How many there are of something: `1 engine`, `2 engines`.
pub fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::{ago, counted, millis};

    #[test]
    fn one_is_not_spoken_of_as_several() {
        let words = [0, 1, 2].map(|count| counted(count, "engine", "engines"));
        assert_eq!(words, ["0 engines", "1 engine", "2 engines"]);
    }

    #[test]
    fn lengths_of_time_are_cut_to_two_units() {
        let words = [
            (0, "0 ms"),
            (999, "999 ms"),
            (41_999, "41 s"),
            (120_000, "2 min"),
            (185_000, "3 min 5 s"),
            (7_200_500, "2 h"),
            (273_600_000, "3 d 4 h"),
            (-5_000, "-5 s"),
            (i64::MIN, "-106751991167 d 7 h"),
        ];
        for (ms, text) in words {
            assert_eq!(millis(ms), text);
        }
        assert_eq!((ago(1_000), ago(-1_000)), ("1 s ago".to_owned(), "1 s ahead".to_owned()));
    }
}
