//! From acts to the ports that do them. Rows go out together; whatever else is asked for in
//! one ask is done one after the other: the executor asks for it alone.

use std::time::Duration;

use trading_core::model::{OrderState, Reading, StatusWrite, Utc, Written};
use trading_core::plan::{Act, StepId};

use crate::platform::{Notice, Platform, RowUpdate};
use crate::venue::Submitted;

/// Does acts that are answered together, and gives one answer for each. `timeout` is that of
/// one request, to which comes what an act waits for its turn; none takes longer than `limit`.
pub async fn acts(
    platform: &Platform,
    acts: Vec<(StepId, Act)>,
    timeout: Duration,
    limit: Duration,
) -> Vec<(StepId, Written)> {
    let mut statuses: Vec<(StepId, StatusWrite)> = Vec::new();
    let mut answers = Vec::new();
    for (id, act) in acts {
        if let Act::SetStatus(write) = act {
            statuses.push((id, write));
        } else {
            let written = bounded(platform, &act, timeout, limit).await;
            answers.push((id, written));
        }
    }
    if !statuses.is_empty() {
        // Where each row is a request of its own, those of other batches come before it.
        let timeout = statuses
            .first()
            .map_or(timeout, |(_, it)| longest(platform, &Act::SetStatus(it.clone()), timeout))
            .min(limit);
        answers.extend(set_statuses(platform, statuses, timeout).await);
    }
    answers
}

async fn set_statuses(
    platform: &Platform,
    statuses: Vec<(StepId, StatusWrite)>,
    timeout: Duration,
) -> Vec<(StepId, Written)> {
    let updates: Vec<RowUpdate> = statuses.iter().map(|(_, write)| write.into()).collect();
    let written = tokio::time::timeout(timeout, platform.state.update_strategies(&updates)).await;
    let written = written.unwrap_or_else(|_| vec![timed_out(timeout); statuses.len()]);
    let mut written = written.into_iter();
    let missing = || Written::Unknown { why: "the platform gave no answer for it".to_owned() };
    statuses.into_iter().map(|(id, _)| (id, written.next().unwrap_or_else(missing))).collect()
}

/// How long an act may take. What has to wait for its turn is not cut off while it does: its
/// outcome would not be known, although nothing was sent.
pub(super) fn longest(platform: &Platform, act: &Act, timeout: Duration) -> Duration {
    match act {
        Act::SetSchedule { .. }
        | Act::SetAutoscaling { .. }
        | Act::SetDesired { .. }
        | Act::SetStatus(_)
        | Act::StopTask { .. } => platform.account.longest_change(timeout),
        Act::WriteLatch { .. }
        | Act::Notify { .. }
        | Act::CancelOrder { .. }
        | Act::ClosePosition { .. }
        | Act::EnsureSupervised
        | Act::HandOver { .. } => timeout,
    }
}

async fn bounded(platform: &Platform, act: &Act, timeout: Duration, limit: Duration) -> Written {
    let timeout = longest(platform, act, timeout).min(limit);
    match tokio::time::timeout(timeout, one(platform, act)).await {
        Ok(written) => written,
        Err(_) => timed_out(timeout),
    }
}

fn timed_out(timeout: Duration) -> Written {
    Written::Unknown { why: format!("no answer within {timeout:?}") }
}

async fn one(platform: &Platform, act: &Act) -> Written {
    let (state, compute) = (&platform.state, &platform.compute);
    match act {
        Act::WriteLatch { expected_epoch, latch } => {
            state.write_latch(*expected_epoch, latch).await
        }
        Act::Notify { message_id, subject, body } => {
            let notice = Notice {
                message_id: message_id.clone(),
                subject: subject.clone(),
                body: body.clone(),
            };
            platform.notify.publish(&notice).await
        }
        Act::SetSchedule { schedule, enabled } => {
            platform.schedules.set_enabled(schedule, *enabled).await
        }
        Act::SetStatus(write) => {
            let answers = state.update_strategies(&[write.into()]).await;
            let missing = || Written::Unknown { why: "no answer".to_owned() };
            answers.into_iter().next().unwrap_or_else(missing)
        }
        Act::CancelOrder { venue, order } => match platform.venues.get(venue) {
            Some(venue) => venue.cancel(order).await,
            None => no_venue(venue.as_str()),
        },
        Act::ClosePosition { venue, order } => match platform.venues.get(venue) {
            Some(venue) => close(venue.as_ref(), order).await,
            None => no_venue(venue.as_str()),
        },
        Act::SetAutoscaling { service, expected, value } => {
            compute.set_autoscaling(service, *expected, *value).await
        }
        Act::SetDesired { service, expected, desired } => {
            compute.set_desired(service, *expected, *desired).await
        }
        Act::StopTask { task, reason } => compute.stop_task(task, reason).await,
        Act::EnsureSupervised => compute.ensure_supervised().await,
        Act::HandOver { chunk } => state.put_restore_chunk(chunk).await,
    }
}

fn no_venue(name: &str) -> Written {
    Written::Unreachable { why: format!("this platform has no venue {name}") }
}

/// Whether an order that a venue knows has done something or still may.
fn has_effect(state: OrderState) -> bool {
    !matches!(state, OrderState::Cancelled | OrderState::Rejected | OrderState::Expired)
}

/// Sends a closing order once. If its outcome is unknown, the venue is asked for it, never
/// sent it again.
async fn close(venue: &dyn crate::venue::Venue, order: &trading_core::model::NewOrder) -> Written {
    let applied = |at: Utc| Written::Applied { at };
    match venue.submit(order).await {
        Submitted::Accepted(accepted) => applied(accepted.received_at),
        Submitted::Rejected(rejected) => Written::Refused {
            expected: "a reduce-only close that the venue takes on".to_owned(),
            found: rejected.reject_reason.unwrap_or_else(|| "rejected".to_owned()),
        },
        Submitted::NotSent { why } => Written::Unreachable { why },
        Submitted::Unknown { why } => match venue.order(&order.client_order_id).await {
            Reading::Known { value, .. } if has_effect(value.state) => applied(value.received_at),
            Reading::Known { value, .. } => Written::Refused {
                expected: "a close that has an effect".to_owned(),
                found: value.reject_reason.unwrap_or_else(|| format!("{:?}", value.state)),
            },
            Reading::Gap(gap) => Written::Unknown { why: format!("{why}; asked again: {gap}") },
        },
    }
}
