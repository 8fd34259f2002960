//! One row, one time: what its heartbeat says.

use crate::model::{
    Attr, Heartbeat, ServiceName, StatusReading, StrategyId, StrategyRow, StrategyStatus, Task,
    TaskState, Timings, Utc,
};
use crate::report::millis;
use serde::{Serialize, Serializer};
use std::cmp::Ordering;

/// A beat further ahead of the platform's clock than this, in milliseconds, is never fresh.
pub const FUTURE_MS: i64 = 5_000;

/// What a heartbeat says. Ordered: the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Pulse {
    /// It should beat, and its last beat is too old, missing, not a time, or in the future.
    Stale,
    /// Its status is not one that we know: whether it should beat cannot be told.
    Unparsed,
    /// It is starting, and has not been for longer than a start may take.
    Warming,
    /// It rests by order, its process lives, and nobody watches its beat.
    Unwatched,
    /// It beats.
    Fresh,
    /// It is not expected to beat.
    AtRest,
}

impl Pulse {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Unparsed => "unparsed",
            Self::Warming => "warming",
            Self::Unwatched => "unwatched",
            Self::Fresh => "fresh",
            Self::AtRest => "at rest",
        }
    }
    /// Somebody has to look at it.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Stale | Self::Unparsed)
    }
}

/// A time or an age that was read, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read<T> {
    /// It stands there.
    Known(T),
    /// It is missing or not what it should be; how.
    Unparsed(String),
}

impl<T> Read<T> {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unparsed(_) => None,
        }
    }
}

impl<T: Serialize> Serialize for Read<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Gap<'a> {
            state: &'static str,
            why: &'a str,
        }
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Unparsed(why) => Gap { state: "unparsed", why }.serialize(serializer),
        }
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Read<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Read_of_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let value = generator.subschema_for::<T>();
        schemars::json_schema!({"anyOf": [value, {
            "type": "object",
            "properties": {"state": {"const": "unparsed"}, "why": {"type": "string"}},
            "required": ["state", "why"],
        }]})
    }
}

/// A strategy's heartbeat at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Beat {
    /// Whose.
    pub strategy: StrategyId,
    /// The status as it is stored.
    pub status: Read<String>,
    /// What the heartbeat says.
    pub pulse: Pulse,
    /// When it beat last, by its owner's clock.
    pub last_heartbeat: Read<Utc>,
    /// How long ago that was, by the platform's clock, in milliseconds; negative: ahead.
    pub age_ms: Read<i64>,
    /// The platform's own check counts this read as stale. It looks only at rows whose
    /// status is exactly `warmup` or `running`, knows no start period, and takes a beat
    /// from the future for a good one.
    pub stale_to_alert: bool,
    /// The service that runs it, if the row says so.
    pub service: Option<ServiceName>,
    /// Why the pulse is what it is, where that is not plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What a row says at `now`, the time of the read by the platform's clock.
pub fn judge(row: &StrategyRow, now: Utc, timings: &Timings) -> Beat {
    let threshold = i64::try_from(timings.heartbeat_stale_ms).unwrap_or(i64::MAX);
    let (last_heartbeat, age_ms) = match row.heartbeat() {
        Heartbeat::At(at) => (Read::Known(at), Read::Known(age(at, now))),
        Heartbeat::Unparsed(error) => {
            (Read::Unparsed(error.to_string()), Read::Unparsed(error.to_string()))
        }
    };
    let late = late(&age_ms, threshold);
    let (pulse, why) = match row.status() {
        StatusReading::Unparsed(error) => (Pulse::Unparsed, Some(error.to_string())),
        StatusReading::Known(StrategyStatus::Paused) => {
            (Pulse::Unwatched, Some("paused: no alert looks at its beat".to_owned()))
        }
        StatusReading::Known(status) if !status.is_watched() => (Pulse::AtRest, None),
        StatusReading::Known(status) => match (late, starting(row, status, now, timings)) {
            (_, Some(starting)) => (Pulse::Warming, Some(starting)),
            (Some(late), None) => (Pulse::Stale, Some(late)),
            (None, None) => (Pulse::Fresh, None),
        },
    };
    Beat {
        strategy: row.id.clone(),
        status: status_text(row),
        pulse,
        stale_to_alert: alert_looks(row) && age_ms.value().is_none_or(|age| *age > threshold),
        last_heartbeat,
        age_ms,
        service: row.service(),
        why,
    }
}

/// Why a last beat of this age is none; `None`: it is one.
fn late(age_ms: &Read<i64>, threshold: i64) -> Option<String> {
    match age_ms {
        Read::Unparsed(why) => Some(why.clone()),
        Read::Known(age) if *age < -FUTURE_MS => Some(format!(
            "its last beat lies {} in the future: a clock is wrong",
            millis(age.saturating_neg())
        )),
        Read::Known(age) if *age > threshold => {
            Some(format!("its last beat is {} old, more than {}", millis(*age), millis(threshold)))
        }
        Read::Known(_) => None,
    }
}

/// How many strategies are to beat, those that are still starting included, and how many of them
/// do: have beaten since the service that runs them began to run. A beat of one that has ended
/// says nothing. `now` is the time of the read by the platform's clock.
pub fn beating(
    rows: &[StrategyRow],
    tasks: &[Task],
    now: Utc,
    timings: &Timings,
) -> (usize, usize) {
    let threshold = i64::try_from(timings.heartbeat_stale_ms).unwrap_or(i64::MAX);
    let beats = rows.iter().map(|row| judge(row, now, timings));
    let watched = |beat: &Beat| matches!(beat.pulse, Pulse::Stale | Pulse::Warming | Pulse::Fresh);
    let watched: Vec<Beat> = beats.filter(watched).collect();
    let beat = watched.iter().filter(|beat| {
        let at = beat.last_heartbeat.value();
        late(&beat.age_ms, threshold).is_none()
            && at.is_some_and(|at| since(beat.service.as_ref(), tasks).is_some_and(|it| *at >= it))
    });
    (watched.len(), beat.count())
}

/// Since when a service runs without a break; of a strategy that names none, any may run it.
fn since(service: Option<&ServiceName>, tasks: &[Task]) -> Option<Utc> {
    let own = |task: &&Task| match service {
        Some(service) => task.service.as_ref() == Some(service),
        None => task.service.is_some(),
    };
    let running = tasks.iter().filter(|task| task.state == TaskState::Running);
    running.filter(own).filter_map(|task| task.started_at).min()
}

/// The status as stored, in whatever spelling.
fn status_text(row: &StrategyRow) -> Read<String> {
    match (row.status_attr(), row.status()) {
        (Some(Attr::S(text)), _) => Read::Known(text.clone()),
        (_, StatusReading::Unparsed(error)) => Read::Unparsed(error.to_string()),
        (_, StatusReading::Known(status)) => Read::Known(status.to_string()),
    }
}

/// Still within the time that a start may take.
fn starting(
    row: &StrategyRow,
    status: StrategyStatus,
    now: Utc,
    timings: &Timings,
) -> Option<String> {
    let started = row.row.time(StrategyRow::STARTED_AT).ok()?;
    let since = age(started, now);
    let period = i64::try_from(timings.start_period_ms).unwrap_or(i64::MAX);
    let within = status == StrategyStatus::Warmup && (-FUTURE_MS..=period).contains(&since);
    within.then(|| format!("starting for {} of at most {}", millis(since.max(0)), millis(period)))
}

/// The platform's own check asks for exactly these spellings.
fn alert_looks(row: &StrategyRow) -> bool {
    let watched = |status: &StrategyStatus| status.is_watched();
    let text = row.status_attr().and_then(Attr::as_text);
    text.is_some_and(|text| {
        StrategyStatus::ALL.iter().filter(|it| watched(it)).any(|it| it.as_str() == text)
    })
}

fn age(at: Utc, now: Utc) -> i64 {
    i64::try_from(now.duration_since(at).as_millis()).unwrap_or(if at < now {
        i64::MAX
    } else {
        i64::MIN
    })
}

impl Beat {
    /// The order of lists: the worst pulse first, in it the longest silence, then the name.
    pub fn worse_first(a: &Self, b: &Self) -> Ordering {
        // No time at all is the longest silence; one in the future is as bad.
        let silence = |beat: &Self| match beat.age_ms {
            Read::Known(age) if age >= -FUTURE_MS => age,
            Read::Known(_) | Read::Unparsed(_) => i64::MAX,
        };
        a.pulse
            .cmp(&b.pulse)
            .then_with(|| silence(b).cmp(&silence(a)))
            .then_with(|| a.strategy.cmp(&b.strategy))
    }
    /// Its last beat lies in the future.
    pub fn is_ahead(&self) -> bool {
        self.age_ms.value().is_some_and(|age| *age < -FUTURE_MS)
    }
}
