//! Market calendars: when a system's market is open, by rule.

use super::{Calendar, Utc};
use jiff::civil::{Date, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};

/// Whether a market is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Market {
    /// At all times.
    AlwaysOpen,
    /// Open, until then.
    Open {
        /// The end of the session.
        closes_at: Utc,
        /// The session ends early today.
        half_day: bool,
    },
    /// Closed, until then if the calendar knows.
    Closed {
        /// The start of the next session.
        opens_at: Option<Utc>,
    },
    /// The calendar does not know.
    Unknown {
        /// The cause.
        why: String,
    },
}

/// The first and last year whose holidays and half days were compared with the list that
/// the exchange published.
const TESTED_YEARS: std::ops::RangeInclusive<i16> = 2020..=2028;
/// Closures that no rule gives: days of mourning.
const SPECIAL_CLOSURES: [Date; 1] = [date(2025, 1, 9)];
/// Longer than any run of days without a session.
const DAYS_AHEAD: i16 = 8;

/// A day of the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    Closed,
    Half,
    Full,
}

impl Calendar {
    /// The market at a time.
    pub fn market(self, at: Utc) -> Market {
        match self {
            Self::Always => Market::AlwaysOpen,
            Self::UsEquities => us_equities(at)
                .unwrap_or_else(|error| Market::Unknown { why: format!("calendar: {error}") }),
        }
    }
}

impl std::fmt::Display for Market {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const TIME: &str = "%Y-%m-%dT%H:%MZ";
        match self {
            Self::AlwaysOpen => f.write_str("always open"),
            Self::Open { closes_at, half_day } => {
                let half = if *half_day { " (half day)" } else { "" };
                write!(f, "open until {}{half}", closes_at.strftime(TIME))
            }
            Self::Closed { opens_at: Some(at) } => {
                write!(f, "closed until {}", at.strftime(TIME))
            }
            Self::Closed { opens_at: None } => f.write_str("closed"),
            Self::Unknown { why } => write!(f, "unknown: {why}"),
        }
    }
}

/// New York's regular session: 09:30 to 16:00, on half days to 13:00, local time.
fn us_equities(at: Utc) -> Result<Market, jiff::Error> {
    let zone = TimeZone::get("America/New_York")?;
    let here = Zoned::new(at, zone.clone());
    let Some(today) = us_equities_day(here.date()) else {
        let (first, last) = (TESTED_YEARS.start(), TESTED_YEARS.end());
        return Ok(Market::Unknown {
            why: format!("the calendar is tested for {first} to {last}, not for {}", here.year()),
        });
    };
    if let Some((opens, closes)) = session(here.date(), today, &zone)? {
        if opens <= at && at < closes {
            return Ok(Market::Open { closes_at: closes, half_day: today == Day::Half });
        }
        if at < opens {
            return Ok(Market::Closed { opens_at: Some(opens) });
        }
    }
    for ahead in 1..=DAYS_AHEAD {
        let then = here.date().checked_add(ahead.days())?;
        match us_equities_day(then) {
            None => return Ok(Market::Closed { opens_at: None }),
            Some(day) => {
                if let Some((opens, _)) = session(then, day, &zone)? {
                    return Ok(Market::Closed { opens_at: Some(opens) });
                }
            }
        }
    }
    Ok(Market::Closed { opens_at: None })
}

/// Start and end of a day's session.
fn session(on: Date, day: Day, zone: &TimeZone) -> Result<Option<(Utc, Utc)>, jiff::Error> {
    let end = match day {
        Day::Closed => return Ok(None),
        Day::Half => 13,
        Day::Full => 16,
    };
    let opens = on.at(9, 30, 0, 0).to_zoned(zone.clone())?.timestamp();
    let closes = on.at(end, 0, 0, 0).to_zoned(zone.clone())?.timestamp();
    Ok(Some((opens, closes)))
}

/// What kind of day it is; nothing outside the tested years.
fn us_equities_day(on: Date) -> Option<Day> {
    if !TESTED_YEARS.contains(&on.year()) {
        return None;
    }
    let weekend = matches!(on.weekday(), Weekday::Saturday | Weekday::Sunday);
    if weekend || is_holiday(on) || SPECIAL_CLOSURES.contains(&on) {
        return Some(Day::Closed);
    }
    Some(if is_half_day(on) { Day::Half } else { Day::Full })
}

/// Whether the exchange keeps a holiday on this weekday.
fn is_holiday(on: Date) -> bool {
    let nth = |month, nth, weekday| nth_weekday(on, month, nth, weekday);
    // A feast on a Saturday is kept on the Friday before, on a Sunday on the Monday after;
    // but a new year that begins on a Saturday is not kept: the books of the old one are
    // closed on that Friday.
    let kept = |month, day| match date(on.year(), month, day).weekday() {
        Weekday::Saturday => (month != 1).then(|| date(on.year(), month, day - 1)),
        Weekday::Sunday => Some(date(on.year(), month, day + 1)),
        _ => Some(date(on.year(), month, day)),
    };
    kept(1, 1) == Some(on)
        || nth(1, 3, Weekday::Monday) == Some(on)
        || nth(2, 3, Weekday::Monday) == Some(on)
        || easter(on.year()).checked_sub(2.days()).ok() == Some(on)
        || nth(5, -1, Weekday::Monday) == Some(on)
        || (on.year() >= 2022 && kept(6, 19) == Some(on))
        || kept(7, 4) == Some(on)
        || nth(9, 1, Weekday::Monday) == Some(on)
        || nth(11, 4, Weekday::Thursday) == Some(on)
        || kept(12, 25) == Some(on)
}

/// Whether the session of this weekday, which is no holiday, ends at 13:00: the day after
/// Thanksgiving, and the day before a feast that is kept on its own day.
fn is_half_day(on: Date) -> bool {
    let thanksgiving = nth_weekday(on, 11, 4, Weekday::Thursday);
    let eve = |month, day| {
        let feast = date(on.year(), month, day);
        let on_its_day = !matches!(feast.weekday(), Weekday::Saturday | Weekday::Sunday);
        on_its_day && feast.checked_sub(1.day()).ok() == Some(on)
    };
    thanksgiving.and_then(|it| it.checked_add(1.day()).ok()) == Some(on) || eve(7, 4) || eve(12, 25)
}

/// The nth weekday of a month of the same year; -1: the last.
fn nth_weekday(on: Date, month: i8, nth: i8, weekday: Weekday) -> Option<Date> {
    date(on.year(), month, 1).nth_weekday_of_month(nth, weekday).ok()
}

/// Easter Sunday of the Gregorian calendar (the anonymous computus).
fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let golden = y % 19;
    let (century, of_century) = (y / 100, y % 100);
    let moon =
        (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
    let sunday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - moon - of_century % 4) % 7;
    let late = (golden + 11 * moon + 22 * sunday) / 451;
    let days = moon + sunday - 7 * late + 114;
    // Month 3 or 4, day 1 to 31: both fit.
    let (month, day) = (days / 31, days % 31 + 1);
    date(year, i8::try_from(month).unwrap_or(4), i8::try_from(day).unwrap_or(1))
}

#[cfg(test)]
mod tests;
