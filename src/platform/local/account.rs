//! On this machine there are no accounts, and no traffic that anybody would throttle.

use trading_core::model::Reading;

use crate::platform::{Account, Fut, Traffic};

pub(super) struct OwnMachine;

impl Account for OwnMachine {
    fn id(&self, _fresh: bool) -> Fut<'_, Reading<String>> {
        Box::pin(std::future::ready(Reading::absent("account", "the local platform has none")))
    }
    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}
