//! The deadline of a command that only reads. Who acts keeps its own: a procedure that is
//! cut off could not say what it has done.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::time::Duration;

use trading_core::report::Exit;

use crate::error::Fault;
use crate::settings::{Access, Environment};

/// When a command must have answered, and what it does with its environment once that is
/// known.
pub(crate) struct DeadlineWatch {
    pub(crate) deadline: Option<Duration>,
    pub(crate) resolved: Rc<OnceCell<(Environment, Access)>>,
    /// The command looks, and will answer at the deadline with what it has seen by then.
    pub(crate) answers: Rc<Cell<bool>>,
}

/// Ends with the fault of a reading command that has passed its deadline; else never.
pub(crate) async fn overdue(watch: DeadlineWatch) -> Fault {
    let Some(deadline) = watch.deadline else { return std::future::pending().await };
    tokio::time::sleep(deadline).await;
    if watch.answers.get() {
        return std::future::pending().await;
    }
    match watch.resolved.get() {
        None | Some((_, Access::Read)) => Fault::new(
            Exit::Deadline,
            "deadline",
            format!("the deadline of {deadline:?} passed before there was an answer; nothing was changed"),
        )
        .hint("ask again with a longer --deadline"),
        Some((_, Access::Mutate | Access::Local)) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes first: the deadline, or a moment that is later for sure.
    fn first(access: Option<Access>, answers: bool) -> Option<Fault> {
        let resolved = Rc::new(OnceCell::new());
        if let Some(access) = access {
            let environment = crate::settings::tests::named("local");
            assert!(resolved.set((environment, access)).is_ok());
        }
        let watch = DeadlineWatch {
            deadline: Some(Duration::ZERO),
            resolved,
            answers: Rc::new(Cell::new(answers)),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            tokio::select! {
                biased;
                fault = overdue(watch) => Some(fault),
                () = tokio::time::sleep(Duration::from_millis(20)) => None,
            }
        })
    }

    #[test]
    fn only_who_reads_is_cut_off() {
        for access in [None, Some(Access::Read)] {
            assert_eq!(first(access, false).map(|fault| fault.exit), Some(Exit::Deadline));
        }
        assert!(first(Some(Access::Read), true).is_none(), "it answers with what it has seen");
        for access in [Access::Mutate, Access::Local] {
            assert!(first(Some(access), false).is_none(), "{access:?} must say what it has done");
        }
    }
}
