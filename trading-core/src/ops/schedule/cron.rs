//! `cron(minutes hours day-of-month month day-of-week year)`: six fields, one of the two
//! day fields being `?`.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use super::first_coming;
use crate::model::Utc;

/// A parsed cron expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: Set,
    hours: Set,
    months: Set,
    days: Days,
    years: Set,
}

/// Numbers of one field, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Set(Vec<u16>);

/// Which days; the other of the two fields is `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Days {
    OfMonth(Vec<MonthDay>),
    OfWeek(Vec<WeekDay>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum MonthDay {
    /// These.
    Among(Set),
    /// The last of the month.
    Last,
    /// The last Monday to Friday of the month.
    LastWorkday,
    /// The Monday to Friday of the same month nearest to this day.
    Workday(u16),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum WeekDay {
    /// These; 1 is Sunday.
    Among(Set),
    /// The last one of the month.
    Last(u16),
    /// The n-th one of the month.
    Nth(u16, u16),
}

/// A field's name, its numbers and the words that stand for some of them.
struct Field {
    name: &'static str,
    least: u16,
    greatest: u16,
    words: &'static [&'static str],
}

const MINUTES: Field = Field { name: "minutes", least: 0, greatest: 59, words: &[] };
const HOURS: Field = Field { name: "hours", least: 0, greatest: 23, words: &[] };
const MONTH_DAYS: Field = Field { name: "day-of-month", least: 1, greatest: 31, words: &[] };
const MONTHS: Field = Field {
    name: "month",
    least: 1,
    greatest: 12,
    words: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
const WEEK_DAYS: Field = Field {
    name: "day-of-week",
    least: 1,
    greatest: 7,
    words: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
};
const YEARS: Field = Field { name: "year", least: 1970, greatest: 2199, words: &[] };

impl Field {
    fn wrong(&self, part: &str) -> String {
        format!("{}: `{part}` is not from {} to {}", self.name, self.least, self.greatest)
    }
    fn number(&self, text: &str) -> Result<u16, String> {
        let word = self.words.iter().zip(self.least..).find(|it| it.0.eq_ignore_ascii_case(text));
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        word.map(|it| it.1)
            .or_else(|| text.parse().ok().filter(|_| digits))
            .filter(|number| (self.least..=self.greatest).contains(number))
            .ok_or_else(|| self.wrong(text))
    }
    /// `*`, `5`, `1-5`, `*/15`, `0/15`, `1-31/2`.
    fn part(&self, text: &str) -> Result<Vec<u16>, String> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => {
                let step = step.parse().ok().filter(|it| *it > 0);
                (range, Some(step.ok_or_else(|| format!("{}: step of `{text}`", self.name))?))
            }
            None => (text, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.greatest),
            Some((first, last)) => (self.number(first)?, self.number(last)?),
            // A step without an end goes on to the field's end.
            None if step.is_some() => (self.number(range)?, self.greatest),
            None => (self.number(range)?, self.number(range)?),
        };
        if first > last {
            return Err(format!("{}: `{range}` ends before it begins", self.name));
        }
        Ok((first..=last).step_by(step.unwrap_or(1)).collect())
    }
    fn set(&self, text: &str) -> Result<Set, String> {
        let mut numbers = Vec::new();
        for part in text.split(',') {
            numbers.extend(self.part(part)?);
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(Set(numbers))
    }
}

impl Set {
    fn has(&self, number: i16) -> bool {
        u16::try_from(number).is_ok_and(|number| self.0.binary_search(&number).is_ok())
    }
}

impl Cron {
    /// Parses the six fields.
    pub fn parse(body: &str) -> Result<Self, String> {
        let fields: Vec<&str> = body.split_ascii_whitespace().collect();
        let [minutes, hours, month_day, month, week_day, year] = fields[..] else {
            return Err(format!(
                "expected six fields (minutes hours day-of-month month day-of-week year), found {}",
                fields.len()
            ));
        };
        let days = match (month_day, week_day) {
            ("?", "?") => return Err("both day fields are `?`".to_owned()),
            ("?", week_day) => {
                Days::OfWeek(week_day.split(',').map(week_day_part).collect::<Result<_, _>>()?)
            }
            (month_day, "?") => {
                Days::OfMonth(month_day.split(',').map(month_day_part).collect::<Result<_, _>>()?)
            }
            _ => return Err("one of day-of-month and day-of-week must be `?`".to_owned()),
        };
        Ok(Self {
            minutes: MINUTES.set(minutes)?,
            hours: HOURS.set(hours)?,
            months: MONTHS.set(month)?,
            days,
            years: YEARS.set(year)?,
        })
    }

    /// The first match after `after`.
    pub(super) fn next_after(&self, zone: &TimeZone, after: Utc) -> Option<Utc> {
        // A day earlier: at a change of the clocks the date itself may come twice.
        let mut date = zone.to_datetime(after).date().yesterday().ok()?;
        let last_year = i16::try_from(*self.years.0.last()?).ok()?;
        while date.year() <= last_year {
            if !self.years.has(date.year()) {
                date = Date::new(date.year().checked_add(1)?, 1, 1).ok()?;
            } else if !self.months.has(i16::from(date.month())) {
                date = date.last_of_month().tomorrow().ok()?;
            } else {
                if self.days.has(date)
                    && let Some(at) = self.first_of_day(zone, date, after)
                {
                    return Some(at);
                }
                date = date.tomorrow().ok()?;
            }
        }
        None
    }

    fn first_of_day(&self, zone: &TimeZone, date: Date, after: Utc) -> Option<Utc> {
        let narrow = |number: &u16| i8::try_from(*number).ok();
        let times = self.hours.0.iter().flat_map(|hour| {
            self.minutes
                .0
                .iter()
                .filter_map(move |minute| Time::new(narrow(hour)?, narrow(minute)?, 0, 0).ok())
        });
        times.filter_map(|time| first_coming(zone, date.to_datetime(time))).find(|at| *at > after)
    }
}

fn month_day_part(text: &str) -> Result<MonthDay, String> {
    Ok(match text {
        "L" => MonthDay::Last,
        "LW" => MonthDay::LastWorkday,
        _ => match text.strip_suffix('W') {
            Some(day) => MonthDay::Workday(MONTH_DAYS.number(day)?),
            None => MonthDay::Among(MONTH_DAYS.set(text)?),
        },
    })
}

fn week_day_part(text: &str) -> Result<WeekDay, String> {
    if text == "L" {
        return Ok(WeekDay::Among(Set(vec![7])));
    }
    if let Some((day, nth)) = text.split_once('#') {
        let nth = nth.parse().ok().filter(|it| (1..=5).contains(it));
        let nth = nth.ok_or_else(|| format!("day-of-week: `{text}` is not #1 to #5"))?;
        return Ok(WeekDay::Nth(WEEK_DAYS.number(day)?, nth));
    }
    Ok(match text.strip_suffix('L') {
        Some(day) => WeekDay::Last(WEEK_DAYS.number(day)?),
        None => WeekDay::Among(WEEK_DAYS.set(text)?),
    })
}

impl Days {
    fn has(&self, date: Date) -> bool {
        match self {
            Self::OfMonth(parts) => parts.iter().any(|part| part.has(date)),
            Self::OfWeek(parts) => parts.iter().any(|part| part.has(date)),
        }
    }
}

impl MonthDay {
    fn has(&self, date: Date) -> bool {
        match self {
            Self::Among(days) => days.has(i16::from(date.day())),
            Self::Last => date.day() == date.days_in_month(),
            Self::LastWorkday => nearest_workday(date.last_of_month()) == Some(date),
            Self::Workday(day) => i8::try_from(*day)
                .ok()
                .and_then(|day| Date::new(date.year(), date.month(), day).ok())
                .and_then(nearest_workday)
                .is_some_and(|it| it == date),
        }
    }
}

impl WeekDay {
    fn has(&self, date: Date) -> bool {
        let number = u16::try_from(date.weekday().to_sunday_one_offset()).unwrap_or(0);
        match self {
            Self::Among(days) => days.0.contains(&number),
            Self::Last(day) => *day == number && date.day() > date.days_in_month() - 7,
            Self::Nth(day, nth) => {
                *day == number && u16::try_from((date.day() - 1) / 7 + 1).is_ok_and(|it| it == *nth)
            }
        }
    }
}

/// The Monday to Friday nearest to a day, in the same month.
fn nearest_workday(day: Date) -> Option<Date> {
    let move_by = match day.weekday() {
        Weekday::Saturday if day.day() == 1 => 2,
        Weekday::Saturday => -1,
        Weekday::Sunday if day.day() == day.days_in_month() => -2,
        Weekday::Sunday => 1,
        _ => 0,
    };
    day.checked_add(jiff::Span::new().days(move_by)).ok()
}
