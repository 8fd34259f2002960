//! Durations that bind, and what is kept.

use trading_core::model::{Retention, Timings};

use super::Context;
use crate::error::Fault;
use crate::settings::origin::Sourced;
use crate::settings::schema::{LayeredRetention, LayeredTimings, PlatformWord, Span};

/// The two last complete reads of a stop are never closer than this: HALTED means it.
const LEAST_REREAD_GAP_MS: u64 = 2_000;
/// Far above what the proof of a stop and the reconciliation of an engine reach back.
const LEAST_RECORDS_KEPT_MS: u64 = 86_400_000;
/// A budget above this is a slip of the pen.
const LARGEST_BUDGET: u64 = 1_000_000;

impl Context<'_> {
    pub(super) fn timings(&mut self, timings: LayeredTimings) -> Result<Timings, Fault> {
        let LayeredTimings {
            latch_poll,
            latch_max_age,
            ack_wait,
            reread_gap,
            heartbeat_stale,
            start_period,
        } = timings;
        let default = Timings::default();
        let mut ms = |key: &str, set: Option<Sourced<Span>>, default: u64| {
            let set = set.map(|it| {
                let ms = u64::try_from(it.value.0.as_millis()).unwrap_or(u64::MAX);
                Sourced::new(ms, it.origin)
            });
            self.take(&format!("timings.{key}"), set, default, |ms| written_ms(*ms))
        };
        let timings = Timings {
            latch_poll_ms: ms("latch_poll", latch_poll, default.latch_poll_ms),
            latch_max_age_ms: ms("latch_max_age", latch_max_age, default.latch_max_age_ms),
            ack_wait_ms: ms("ack_wait", ack_wait, default.ack_wait_ms),
            reread_gap_ms: ms("reread_gap", reread_gap, default.reread_gap_ms),
            heartbeat_stale_ms: ms("heartbeat_stale", heartbeat_stale, default.heartbeat_stale_ms),
            start_period_ms: ms("start_period", start_period, default.start_period_ms),
        };
        if timings.latch_poll_ms == 0 || timings.latch_poll_ms >= timings.latch_max_age_ms {
            return Err(self.fault(
                "settings.latch",
                "`latch_poll` must be above 0 and below `latch_max_age`: an engine would \
                 refuse its own orders",
            ));
        }
        if timings.reread_gap_ms < LEAST_REREAD_GAP_MS {
            return Err(self.fault(
                "settings.reread_gap",
                "`reread_gap` must be at least 2s: HALTED means that",
            ));
        }
        Ok(timings)
    }

    /// What the local platform keeps. AWS keeps what it is told elsewhere.
    pub(super) fn retention(&mut self, set: LayeredRetention) -> Result<Retention, Fault> {
        let default = Retention::default();
        if self.platform != PlatformWord::Local {
            self.refuse(&[("retention", set.is_set())], "only the local platform has one")?;
            return Ok(default);
        }
        let LayeredRetention { event_log_max_gb, logs_max_mb, records_kept } = set;
        let records_kept = records_kept.map(|it| {
            let ms = u64::try_from(it.value.0.as_millis()).unwrap_or(u64::MAX);
            Sourced::new(ms, it.origin)
        });
        let mut number = |key: &str, set: Option<Sourced<u64>>, default: u64| {
            self.take(&format!("retention.{key}"), set, default, ToString::to_string)
        };
        let event_log_max_gb =
            number("event_log_max_gb", event_log_max_gb, default.event_log_max_gb);
        let logs_max_mb = number("logs_max_mb", logs_max_mb, default.logs_max_mb);
        let records_kept_ms =
            self.take("retention.records_kept", records_kept, default.records_kept_ms, |ms| {
                written_ms(*ms)
            });
        for (key, value) in [("event_log_max_gb", event_log_max_gb), ("logs_max_mb", logs_max_mb)] {
            if !(1..=LARGEST_BUDGET).contains(&value) {
                let why = format!("`{key}` must be from 1 to {LARGEST_BUDGET}");
                return Err(self.fault("settings.retention", why));
            }
        }
        if records_kept_ms < LEAST_RECORDS_KEPT_MS {
            return Err(self.fault(
                "settings.retention",
                "`records_kept` must be at least 1d: a stop is proved by them",
            ));
        }
        Ok(Retention { event_log_max_gb, logs_max_mb, records_kept_ms })
    }
}

/// A number of milliseconds as a settings file writes it.
fn written_ms(ms: u64) -> String {
    match ms {
        0 => "0s".to_owned(),
        _ if ms.is_multiple_of(86_400_000) => format!("{}d", ms / 86_400_000),
        _ if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        _ => format!("{ms}ms"),
    }
}
