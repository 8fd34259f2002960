//! Where there is no latch: stops of this machine that are not over beside this one. Each has a
//! record of its own, and the resume of one puts back nothing of another.

use super::ladder::EmergencyStop;
use crate::model::{Reading, RestoreItem, StopId};
use crate::ops::Query;
use crate::ops::resume::open_items;
use crate::report::{Finding, Severity, counted};

impl EmergencyStop {
    /// What is asked for them, until it is known.
    pub(super) fn earlier_query(&self) -> Option<Query> {
        let unknown = self.world.stops.as_ref().is_none_or(|it| it.value().is_none());
        (!self.site.capabilities.strategies && unknown).then_some(Query::Stops)
    }

    /// What nobody has seen to of such stops: how much, and of which.
    fn earlier(&self) -> Vec<(&StopId, usize)> {
        let stops = self.world.stops.as_ref().and_then(Reading::value);
        let stops = stops.into_iter().flat_map(|it| &it.stops);
        let others = stops.filter(|it| it.hold.stop_id != self.stop_id);
        // The journals were read before this stop had written in its own.
        let ours: Vec<&RestoreItem> =
            self.run.executor.may_stand().filter_map(|it| it.restore.as_ref()).collect();
        let open = |it| open_items(&self.world, it, &ours, |_| true);
        let others = others.map(|it| (&it.hold.stop_id, open(it)));
        others.filter(|(_, items)| *items > 0).collect()
    }

    pub(super) fn earlier_findings(&self) -> Vec<Finding> {
        if self.site.capabilities.strategies {
            return Vec::new();
        }
        let env = &self.site.environment;
        let told = |(id, items): (&StopId, usize)| {
            let items = counted(items as u64, "value", "values");
            let message = format!(
                "it is not over: {items} that it changed are not put back, and stand in its \
                 record alone; resume it too, after this one"
            );
            Finding::new("stop.earlier_open", Severity::Warning, id, message)
                .next(format!("tradectl resume {id} --env {env} --reason …"))
        };
        self.earlier().into_iter().map(told).collect()
    }
}
