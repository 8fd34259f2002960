use super::*;

/// The exchange's own lists: holidays, then half days.
const PUBLISHED: [(i16, &[&str], &[&str]); 9] = [
    (
        2020,
        &["01-01", "01-20", "02-17", "04-10", "05-25", "07-03", "09-07", "11-26", "12-25"],
        &["11-27", "12-24"],
    ),
    (
        2021,
        &["01-01", "01-18", "02-15", "04-02", "05-31", "07-05", "09-06", "11-25", "12-24"],
        &["11-26"],
    ),
    (
        2022,
        &["01-17", "02-21", "04-15", "05-30", "06-20", "07-04", "09-05", "11-24", "12-26"],
        &["11-25"],
    ),
    (
        2023,
        &["01-02", "01-16", "02-20", "04-07", "05-29", "06-19", "07-04", "09-04", "11-23", "12-25"],
        &["07-03", "11-24"],
    ),
    (
        2024,
        &["01-01", "01-15", "02-19", "03-29", "05-27", "06-19", "07-04", "09-02", "11-28", "12-25"],
        &["07-03", "11-29", "12-24"],
    ),
    (
        2025,
        &[
            "01-01", "01-09", "01-20", "02-17", "04-18", "05-26", "06-19", "07-04", "09-01",
            "11-27", "12-25",
        ],
        &["07-03", "11-28", "12-24"],
    ),
    (
        2026,
        &["01-01", "01-19", "02-16", "04-03", "05-25", "06-19", "07-03", "09-07", "11-26", "12-25"],
        &["11-27", "12-24"],
    ),
    (
        2027,
        &["01-01", "01-18", "02-15", "03-26", "05-31", "06-18", "07-05", "09-06", "11-25", "12-24"],
        &["11-26"],
    ),
    (
        2028,
        &["01-17", "02-21", "04-14", "05-29", "06-19", "07-04", "09-04", "11-23", "12-25"],
        &["07-03", "11-24"],
    ),
];

fn at(text: &str) -> Market {
    Calendar::UsEquities.market(text.parse().expect("a time"))
}

fn time(text: &str) -> Utc {
    text.parse().expect("a time")
}

#[test]
fn holidays_and_half_days_are_those_that_the_exchange_published() {
    for (year, holidays, half_days) in PUBLISHED {
        let weekdays = (0..366)
            .filter_map(|n| date(year, 1, 1).checked_add(n.days()).ok())
            .filter(|on| on.year() == year)
            .filter(|on| !matches!(on.weekday(), Weekday::Saturday | Weekday::Sunday));
        let mut closed = Vec::new();
        let mut half = Vec::new();
        for on in weekdays {
            match us_equities_day(on) {
                Some(Day::Closed) => closed.push(on.strftime("%m-%d").to_string()),
                Some(Day::Half) => half.push(on.strftime("%m-%d").to_string()),
                Some(Day::Full) => {}
                None => panic!("{on} is in a tested year"),
            }
        }
        assert_eq!(closed, holidays, "holidays of {year}");
        assert_eq!(half, half_days, "half days of {year}");
    }
}

#[test]
fn the_session_follows_new_york_through_both_changes_of_the_clock() {
    // Winter: 09:30 is 14:30 UTC. Summer: 13:30 UTC.
    assert_eq!(
        at("2026-03-06T14:29:59Z"),
        Market::Closed { opens_at: Some(time("2026-03-06T14:30:00Z")) }
    );
    assert!(matches!(at("2026-03-06T14:30:00Z"), Market::Open { half_day: false, .. }));
    assert!(
        matches!(at("2026-03-09T13:30:00Z"), Market::Open { .. }),
        "the Monday after the change"
    );
    assert!(matches!(at("2026-10-30T13:30:00Z"), Market::Open { .. }));
    assert!(matches!(at("2026-11-02T13:30:00Z"), Market::Closed { .. }), "back to winter");
    assert_eq!(
        at("2026-01-27T17:40:00Z"),
        Market::Open { closes_at: time("2026-01-27T21:00:00Z"), half_day: false },
        "17:40 UTC is 12:40 in New York: open"
    );
}

#[test]
fn a_half_day_closes_at_one_and_a_closed_market_says_when_it_opens() {
    assert_eq!(
        at("2026-11-27T17:00:00Z"),
        Market::Open { closes_at: time("2026-11-27T18:00:00Z"), half_day: true }
    );
    assert_eq!(
        at("2026-11-27T18:00:00Z"),
        Market::Closed { opens_at: Some(time("2026-11-30T14:30:00Z")) },
        "over the weekend"
    );
    assert_eq!(
        at("2026-12-24T20:00:00Z"),
        Market::Closed { opens_at: Some(time("2026-12-28T14:30:00Z")) },
        "over Christmas and the weekend"
    );
}

#[test]
fn outside_the_tested_years_it_is_unknown() {
    for text in ["2019-12-30T15:00:00Z", "2029-01-03T15:00:00Z"] {
        let market = at(text);
        assert!(matches!(market, Market::Unknown { .. }), "{text}: {market}");
    }
    // The last session of the last tested year knows no next one.
    assert_eq!(at("2028-12-29T22:00:00Z"), Market::Closed { opens_at: None });
}

#[test]
fn always_is_always() {
    assert_eq!(Calendar::Always.market(time("2026-12-25T00:00:00Z")), Market::AlwaysOpen);
}

proptest::proptest! {
    #[test]
    fn at_any_time_the_next_change_lies_ahead(seconds in 1_500_000_000_i64..1_950_000_000) {
        let now = Utc::from_second(seconds).expect("a time");
        match Calendar::UsEquities.market(now) {
            Market::Open { closes_at, .. } => {
                proptest::prop_assert!(closes_at > now);
                let just_before = closes_at - jiff::SignedDuration::from_secs(1);
                let open = matches!(Calendar::UsEquities.market(just_before), Market::Open { .. });
                proptest::prop_assert!(open, "closes at {closes_at}");
                let closed = matches!(Calendar::UsEquities.market(closes_at), Market::Closed { .. });
                proptest::prop_assert!(closed, "at {closes_at} it is closed");
            }
            Market::Closed { opens_at: Some(opens_at) } => {
                proptest::prop_assert!(opens_at > now);
                let open = matches!(Calendar::UsEquities.market(opens_at), Market::Open { .. });
                proptest::prop_assert!(open, "opens at {opens_at}");
            }
            Market::Closed { opens_at: None } | Market::Unknown { .. } => {
                let year = now.to_zoned(TimeZone::UTC).year();
                proptest::prop_assert!(!(2021..=2027).contains(&year), "{now} is known");
            }
            Market::AlwaysOpen => proptest::prop_assert!(false, "not this market"),
        }
    }
}
