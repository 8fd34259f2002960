//! Whether a system stands still, told by what the platform shows alone.

use super::emergency_stop::Site;
use super::seen::World;
use super::starts::Starts;
use crate::model::{Listing, Reading, Role, Service, TaskState};

/// Nothing that trades is up, nor comes up by itself: every trading service is at 0, runs
/// nothing and is not seen to be lifted, no trading task runs, and no schedule that starts one is
/// enabled. A system of which something was not read, or in which nothing trades at all, is not
/// said to be still.
pub(crate) fn is_still(site: &Site, world: &World) -> bool {
    fn whole<T>(reading: Option<&Reading<Listing<T>>>) -> Option<&Listing<T>> {
        reading.and_then(Reading::value).filter(|list| list.is_whole())
    }
    let (Some(services), Some(tasks), Some(schedules)) = (
        whole(world.services.as_ref()),
        whole(world.tasks.as_ref()),
        whole(world.schedules.as_ref()),
    ) else {
        return false;
    };
    let trades = |role: Option<Role>| role.is_some_and(Role::trades);
    let ours = || services.found.iter().filter(|it| trades(site.service_role(it)));
    let starting =
        || schedules.found.iter().filter(|it| trades(site.schedule_role(it, Some(services))));
    // That what lifts one may not be read says nothing of whoever brought it to 0.
    let goes_on = |it: &Service| !matches!(Starts::of(it), None | Some(Starts::Unread(_)));
    let mut tasks = tasks
        .found
        .iter()
        .filter(|it| it.state != TaskState::Stopped && trades(site.task_role(it)));
    let something_trades = ours().next().is_some() || starting().next().is_some();
    something_trades
        && !ours().any(goes_on)
        && starting().all(|it| !it.enabled)
        && tasks.next().is_none()
}
