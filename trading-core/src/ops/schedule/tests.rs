use super::{Expression, next_after};
use crate::model::Utc;

fn utc(text: &str) -> Utc {
    text.parse().unwrap()
}

/// The next times, one after the other.
fn times(expression: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let parsed: Expression = expression.parse().unwrap();
    let anchor = utc(after);
    let mut at = anchor;
    let mut found = Vec::new();
    while found.len() < count {
        let Some(next) = next_after(&parsed, zone, anchor, at).unwrap() else { break };
        assert!(next > at, "{expression}: {next} is not after {at}");
        found.push(next.to_string());
        at = next;
    }
    found
}

#[test]
fn rates_count_from_their_anchor() {
    let rate: Expression = "rate(5 minutes)".parse().unwrap();
    let anchor = utc("2026-11-23T00:02:00Z");
    let next = |after: &str| next_after(&rate, "UTC", anchor, utc(after)).unwrap().unwrap();
    assert_eq!(next("2026-11-23T00:02:00Z"), utc("2026-11-23T00:07:00Z"));
    assert_eq!(next("2026-11-23T00:06:59.999Z"), utc("2026-11-23T00:07:00Z"));
    assert_eq!(next("2026-11-23T00:07:00Z"), utc("2026-11-23T00:12:00Z"));
    assert_eq!(next("2026-11-22T00:00:00Z"), utc("2026-11-23T00:07:00Z"));
    assert_eq!(
        times("rate(1 day)", "UTC", "2026-03-28T12:00:00Z", 2),
        ["2026-03-29T12:00:00Z", "2026-03-30T12:00:00Z"]
    );
}

#[test]
fn steps_lists_ranges_and_names() {
    assert_eq!(
        times("cron(0/20 9-10 ? * MON-FRI *)", "UTC", "2026-11-20T10:30:00Z", 3),
        ["2026-11-20T10:40:00Z", "2026-11-23T09:00:00Z", "2026-11-23T09:20:00Z"]
    );
    assert_eq!(
        times("cron(15 12 1,15 JAN,jul ? 2027)", "UTC", "2026-11-23T00:00:00Z", 9),
        [
            "2027-01-01T12:15:00Z",
            "2027-01-15T12:15:00Z",
            "2027-07-01T12:15:00Z",
            "2027-07-15T12:15:00Z"
        ],
        "and never again"
    );
    assert_eq!(
        times("cron(*/30 0 ? * 1 *)", "UTC", "2026-11-23T00:00:00Z", 2),
        ["2026-11-29T00:00:00Z", "2026-11-29T00:30:00Z"],
        "1 is Sunday"
    );
}

#[test]
fn last_days_and_workdays() {
    assert_eq!(
        times("cron(0 0 L * ? *)", "UTC", "2028-01-31T00:00:00Z", 3),
        ["2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z", "2028-04-30T00:00:00Z"]
    );
    // The last of January 2027 is a Sunday, the last of February one too.
    assert_eq!(
        times("cron(0 0 LW * ? *)", "UTC", "2027-01-01T00:00:00Z", 2),
        ["2027-01-29T00:00:00Z", "2027-02-26T00:00:00Z"]
    );
    // 1 August 2026 is a Saturday: the nearest workday of that month is Monday the 3rd.
    // 1 November 2026 is a Sunday.
    assert_eq!(
        times("cron(0 0 1W * ? *)", "UTC", "2026-07-31T00:00:00Z", 4),
        [
            "2026-08-03T00:00:00Z",
            "2026-09-01T00:00:00Z",
            "2026-10-01T00:00:00Z",
            "2026-11-02T00:00:00Z"
        ]
    );
    // 15 November 2026 is a Sunday, 15 August 2026 a Saturday.
    assert_eq!(
        times("cron(0 0 15W 8,11 ? 2026)", "UTC", "2026-01-01T00:00:00Z", 3),
        ["2026-08-14T00:00:00Z", "2026-11-16T00:00:00Z"]
    );
    // Only months that have a 31st.
    assert_eq!(
        times("cron(0 0 31 * ? *)", "UTC", "2026-01-31T00:00:00Z", 2),
        ["2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"]
    );
}

#[test]
fn weekdays_of_a_month() {
    assert_eq!(
        times("cron(0 0 ? * 6#3 *)", "UTC", "2026-11-01T00:00:00Z", 2),
        ["2026-11-20T00:00:00Z", "2026-12-18T00:00:00Z"],
        "third Fridays"
    );
    assert_eq!(
        times("cron(0 0 ? * FRI#5 *)", "UTC", "2026-11-01T00:00:00Z", 2),
        ["2027-01-29T00:00:00Z", "2027-04-30T00:00:00Z"],
        "months with five Fridays"
    );
    assert_eq!(
        times("cron(0 0 ? * 2L *)", "UTC", "2026-11-01T00:00:00Z", 2),
        ["2026-11-30T00:00:00Z", "2026-12-28T00:00:00Z"],
        "last Mondays"
    );
    assert_eq!(
        times("cron(0 0 ? * L *)", "UTC", "2026-11-23T00:00:00Z", 1),
        ["2026-11-28T00:00:00Z"]
    );
}

#[test]
fn a_time_left_out_by_the_clocks_is_skipped() {
    // New York: 02:00 becomes 03:00 on 8 March 2026.
    assert_eq!(
        times("cron(30 2 * * ? *)", "America/New_York", "2026-03-07T00:00:00Z", 3),
        ["2026-03-07T07:30:00Z", "2026-03-09T06:30:00Z", "2026-03-10T06:30:00Z"]
    );
}

#[test]
fn a_time_that_comes_twice_is_due_once() {
    // New York: 02:00 becomes 01:00 on 1 November 2026.
    assert_eq!(
        times("cron(30 1 * * ? *)", "America/New_York", "2026-10-31T12:00:00Z", 2),
        ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]
    );
    let cron: Expression = "cron(0/30 * * * ? *)".parse().unwrap();
    let inside = utc("2026-11-01T06:10:00Z");
    assert_eq!(
        next_after(&cron, "America/New_York", inside, inside).unwrap(),
        Some(utc("2026-11-01T07:00:00Z")),
        "the second 01:30 is not due"
    );
}

#[test]
fn a_day_that_ends_twice_and_a_zone_that_skips_a_day() {
    // Asuncion fell back at midnight in 2024: 23:00 to 24:00 of 23 March came twice.
    assert_eq!(
        times("cron(30 23 * * ? *)", "America/Asuncion", "2024-03-23T00:00:00Z", 3),
        ["2024-03-23T02:30:00Z", "2024-03-24T02:30:00Z", "2024-03-25T03:30:00Z"]
    );
    // Apia had no 30 December 2011.
    assert_eq!(
        times("cron(0 12 * * ? *)", "Pacific/Apia", "2011-12-29T00:00:00Z", 2),
        ["2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z"]
    );
}

#[test]
fn once_means_once() {
    assert_eq!(
        times("at(2026-11-23T09:30:00)", "Europe/Berlin", "2026-11-23T00:00:00Z", 5),
        ["2026-11-23T08:30:00Z"]
    );
    assert!(
        times("at(2026-03-08T02:30:00)", "America/New_York", "2026-01-01T00:00:00Z", 1).is_empty()
    );
}

#[test]
fn what_never_comes_ends() {
    assert!(times("cron(0 0 30 2 ? *)", "UTC", "2026-01-01T00:00:00Z", 1).is_empty());
    assert!(times("cron(0 0 1 1 ? 2020)", "UTC", "2026-01-01T00:00:00Z", 1).is_empty());
    assert_eq!(
        times("cron(0 0 29 2 ? *)", "UTC", "2096-03-01T00:00:00Z", 1),
        ["2104-02-29T00:00:00Z"]
    );
}

#[test]
fn what_is_wrong_is_said() {
    for bad in [
        "",
        "rate()",
        "rate(5)",
        "rate(0 minutes)",
        "rate(-5 minutes)",
        "rate(5 weeks)",
        "rate(9223372036854775807 days)",
        "cron()",
        "cron(* * * * *)",
        "cron(0 12 * * * *)",
        "cron(0 12 ? * ? *)",
        "cron(60 12 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 32 * ? *)",
        "cron(0 0 1 13 ? *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * 2#6 *)",
        "cron(0 0 1 1 ? 2200)",
        "cron(0/0 * * * ? *)",
        "cron(5-1 * * * ? *)",
        "cron(+5 * * * ? *)",
        "cron(0 0 W * ? *)",
        "cron(, * * * ? *)",
        "cron(0 0 ? * FOO *)",
        "at(tomorrow)",
        "at(2026-13-01T00:00:00)",
        "every 5 minutes",
        "rate(5 minutes",
    ] {
        assert!(bad.parse::<Expression>().is_err(), "{bad:?} was taken");
    }
    let good: Expression = "cron(0 0 * * ? *)".parse().unwrap();
    let at = utc("2026-01-01T00:00:00Z");
    assert!(next_after(&good, "Mars/Olympus", at, at).is_err());
}
