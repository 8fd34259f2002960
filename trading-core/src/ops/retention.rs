//! What may go and what stays: budgets of logs, horizons of records. Decided here, carried
//! out by whoever keeps the files.

use std::collections::BTreeMap;

use std::time::Duration;

use crate::model::{LATCH_FORMAT, Latch, OrderRow, Utc};

/// What is known of the end of a log stream's writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It still writes, or may.
    Running,
    /// It ended as it was asked to, or by itself with exit code 0.
    Ended,
    /// It crashed, or nobody remembers how it ended: evidence.
    Evidence,
}

/// One stream of a log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStream {
    /// The group (a service).
    pub group: String,
    /// What all its files take up on the disk.
    pub bytes: u64,
    /// When it was last written to.
    pub last: Utc,
    /// What became of its writer.
    pub fate: Fate,
}

/// Which streams go, the first first, so that the rest takes up at most `max_bytes`: the
/// oldest that ended well, then the oldest evidence. Those of running writers and each
/// group's newest that has ended stay whatever they take up.
pub fn streams_to_prune(streams: &[LogStream], max_bytes: u64) -> Vec<usize> {
    let mut newest: BTreeMap<&str, usize> = BTreeMap::new();
    let ended = || streams.iter().enumerate().filter(|(_, it)| it.fate != Fate::Running);
    for (index, stream) in ended() {
        let slot = newest.entry(stream.group.as_str()).or_insert(index);
        if streams.get(*slot).is_some_and(|other| other.last <= stream.last) {
            *slot = index;
        }
    }
    let mut may_go: Vec<(usize, &LogStream)> =
        ended().filter(|(index, it)| newest.get(it.group.as_str()) != Some(index)).collect();
    may_go.sort_by_key(|(index, it)| (it.fate, it.last, *index));
    let mut total = streams.iter().fold(0_u64, |sum, it| sum.saturating_add(it.bytes));
    let mut go = Vec::new();
    for (index, stream) in may_go {
        if total <= max_bytes {
            break;
        }
        total = total.saturating_sub(stream.bytes);
        go.push(index);
    }
    go
}

/// What is kept beyond a moment that may be needed: clocks differ, and reads begin a little
/// before what they are about.
const MARGIN: Duration = Duration::from_secs(60);

/// Since when receipts, fills and orders at rest must stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// Records at or after this stay.
    pub since: Utc,
    /// What keeps them longer than the setting says, if something does.
    pub because: Option<String>,
}

/// Since when records must stay: for as long as the setting says, since each stop that still
/// holds (its proof counts receipts, and it may be run again), and since each order whose
/// row is not at rest (its engine has yet to hear what became of it). Where one of these
/// cannot be told, nothing may go, and that is the error.
pub fn records_horizon(
    now: Utc,
    kept_ms: u64,
    latch: &Latch,
    open_orders: &[OrderRow],
) -> Result<Horizon, String> {
    if latch.format > LATCH_FORMAT || !latch.unknown.is_empty() {
        return Err("the latch says more than this binary understands".to_owned());
    }
    let kept = Duration::from_millis(kept_ms);
    let since = now.checked_sub(kept).map_err(|error| error.to_string())?;
    let mut horizon = Horizon { since, because: None };
    let mut hold_back = |at: Utc, because: String| {
        let at = at.checked_sub(MARGIN).unwrap_or(Utc::MIN);
        if at < horizon.since {
            horizon = Horizon { since: at, because: Some(because) };
        }
    };
    for hold in &latch.holds {
        hold_back(hold.at, format!("stop {} still holds", hold.stop_id));
    }
    for order in open_orders {
        let at = order.row.time("created_at").map_err(|_| {
            format!(
                "the row of order {} is not at rest and does not say since when it is",
                order.id
            )
        })?;
        hold_back(at, format!("order {} is not at rest", order.id));
    }
    Ok(horizon)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stream() -> impl Strategy<Value = LogStream> {
        let fate = prop_oneof![Just(Fate::Running), Just(Fate::Ended), Just(Fate::Evidence)];
        ("[ab]", 0_u64..100, 0_i64..50, fate).prop_map(|(group, bytes, second, fate)| LogStream {
            group,
            bytes,
            last: Utc::from_second(second).unwrap(),
            fate,
        })
    }

    proptest! {
        #[test]
        fn the_newest_the_running_and_the_evidence_outlive_the_rest(
            streams in prop::collection::vec(stream(), 0..12),
            max_bytes in 0_u64..500,
        ) {
            let go = streams_to_prune(&streams, max_bytes);
            let stays: Vec<&LogStream> = streams
                .iter()
                .enumerate()
                .filter(|(index, _)| !go.contains(index))
                .map(|(_, it)| it)
                .collect();
            prop_assert!(go.iter().all(|index| streams[*index].fate != Fate::Running));
            for gone in go.iter().map(|index| &streams[*index]) {
                let newer = |it: &&&LogStream| {
                    it.group == gone.group && it.fate != Fate::Running && it.last >= gone.last
                };
                prop_assert!(stays.iter().any(|it| newer(&it)), "the newest of {}", gone.group);
            }
            // Evidence goes only once nothing else can, and nothing goes without need.
            let last = go.last().map(|index| &streams[*index]);
            let total: u64 = stays.iter().map(|it| it.bytes).sum();
            if let Some(last) = last {
                prop_assert!(total + last.bytes > max_bytes);
            }
            if total > max_bytes {
                let spare = stays.iter().filter(|it| it.fate != Fate::Running).count();
                let groups: std::collections::BTreeSet<_> =
                    streams.iter().filter(|it| it.fate != Fate::Running).map(|it| &it.group).collect();
                prop_assert_eq!(spare, groups.len(), "more could have gone");
            }
            let first_evidence = go.iter().position(|index| streams[*index].fate == Fate::Evidence);
            if let Some(at) = first_evidence {
                prop_assert!(go[at..].iter().all(|index| streams[*index].fate == Fate::Evidence));
            }
        }
    }

    fn at(day: i64) -> Utc {
        Utc::from_second(day * 86_400).unwrap()
    }

    fn open_order(created: Option<Utc>) -> OrderRow {
        let mut row = crate::model::Row::default().with_text(OrderRow::STATUS, "live");
        if let Some(at) = created {
            row = row.with_text("created_at", at.to_string());
        }
        OrderRow { id: "s.1.1".into(), row }
    }

    fn held(day: i64) -> Latch {
        Latch::released().next(vec![crate::model::Hold {
            stop_id: "stop-1".into(),
            level: crate::model::Level::Halt,
            scope: crate::model::Scope::All,
            reason: String::new(),
            actor: String::new(),
            at: at(day),
            phase: crate::model::Phase::Held,
            misplaced: Vec::new(),
            overtook_resume: false,
            unknown: serde_json::Map::new(),
        }])
    }

    #[test]
    fn what_a_stop_or_an_open_order_may_still_need_stays() {
        let week = 7 * 86_400_000;
        let ask = |latch: &Latch, orders: &[OrderRow]| records_horizon(at(30), week, latch, orders);
        let free = Latch::released();
        let plain = Horizon { since: at(23), because: None };
        assert_eq!(ask(&free, &[]).unwrap(), plain);
        assert_eq!(ask(&held(29), &[open_order(Some(at(25)))]).unwrap(), plain, "younger anyway");
        let stop = ask(&held(10), &[open_order(Some(at(15)))]).unwrap();
        assert!(stop.since < at(10) && stop.because.unwrap().contains("stop-1"));
        let order = ask(&held(29), &[open_order(Some(at(3))), open_order(Some(at(8)))]).unwrap();
        assert!(order.since < at(3) && order.because.unwrap().contains("s.1.1"));
    }

    #[test]
    fn where_it_cannot_be_told_nothing_may_go() {
        let newer = Latch { format: LATCH_FORMAT + 1, ..Latch::released() };
        assert!(records_horizon(at(30), 1, &newer, &[]).is_err());
        assert!(records_horizon(at(30), 1, &Latch::released(), &[open_order(None)]).is_err());
        assert!(records_horizon(at(0), u64::MAX, &Latch::released(), &[]).is_err());
    }
}
