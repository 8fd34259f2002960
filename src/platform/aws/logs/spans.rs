//! Which spans of time are looked through for the newest lines. AWS gives the oldest of a span
//! first, so short spans come first, the newest before the others.

/// The first span, in milliseconds.
const FIRST_MS: i64 = 60_000;
/// Each one is so many times longer than the one before: whoever comes to the next one has found few lines a minute.
const LONGER: i64 = 32;

/// A span of time in milliseconds, both ends in it; without an end: what comes is in it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: Option<i64>,
}

/// Spans that follow one another back to `floor`, without a hole and without overlap.
#[derive(Clone, Debug)]
pub(super) struct Spans {
    floor: i64,
    /// Where the next one ends, if there is a next one.
    next: Option<Option<i64>>,
    now: i64,
    length: i64,
}

impl Spans {
    /// All of the time at once, for who wants all lines.
    pub(super) fn whole(floor: i64, until: Option<i64>, now: i64) -> Self {
        Self { floor, next: Some(until), now, length: i64::MAX }
    }
    /// Growing spans, for who stops as soon as there are enough lines.
    pub(super) fn newest_first(floor: i64, until: Option<i64>, now: i64) -> Self {
        Self { length: FIRST_MS, ..Self::whole(floor, until, now) }
    }
}

impl Iterator for Spans {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let end = self.next.take()?;
        if end.is_some_and(|end| end < self.floor) {
            return None;
        }
        let start = end.unwrap_or(self.now).saturating_sub(self.length).max(self.floor);
        self.length = self.length.saturating_mul(LONGER);
        self.next = Some(Some(start - 1)).filter(|_| start > self.floor);
        Some(Span { start, end })
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, Spans};

    const NOW: i64 = 1_800_000_000_000;

    #[test]
    fn the_newest_minute_comes_first_and_the_first_span_is_open() {
        let spans: Vec<Span> = Spans::newest_first(NOW - 3_000_000, None, NOW).collect();
        let span = |start: i64, end: i64| Span { start: NOW - start, end: Some(NOW - end) };
        assert_eq!(
            spans,
            [
                Span { start: NOW - 60_000, end: None },
                span(1_980_001, 60_001),
                span(3_000_000, 1_980_002)
            ]
        );
        let ended: Vec<Span> = Spans::newest_first(NOW - 30_000, Some(NOW), NOW).collect();
        assert_eq!(ended, [span(30_000, 0)]);
    }

    #[test]
    fn all_of_it_is_one_span_and_nothing_is_none() {
        let whole: Vec<Span> = Spans::whole(5, None, NOW).collect();
        assert_eq!(whole, [Span { start: 5, end: None }]);
        assert_eq!(Spans::newest_first(NOW, Some(NOW - 1), NOW).count(), 0);
        assert_eq!(Spans::newest_first(NOW, Some(NOW), NOW).count(), 1, "both ends are in it");
    }

    proptest::proptest! {
        #[test]
        fn every_moment_lies_in_exactly_one(
            floor in 0..NOW, until in proptest::option::of(0..NOW), at in 0..NOW,
        ) {
            let spans: Vec<Span> = Spans::newest_first(floor, until, NOW).collect();
            let within = |it: &&Span| at >= it.start && it.end.is_none_or(|end| at <= end);
            let wanted = at >= floor && until.is_none_or(|until| at <= until);
            proptest::prop_assert_eq!(spans.iter().filter(within).count(), usize::from(wanted));
            proptest::prop_assert!(spans.len() < 8, "few questions reach back to the start");
        }
    }
}
