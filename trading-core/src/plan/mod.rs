//! Plans: data that says what will be done, why, under what condition, what proves it and
//! what takes it back. Execution decides nothing that is not written here.

mod act;
mod approval;
mod check;
mod digest;
mod machine;
mod record;
mod saved;
mod step;

#[cfg(test)]
mod tests;

pub use act::Act;
pub use approval::{Approval, Binding, Consent, NotApproved};
pub use check::{Complaint, Purpose, check};
pub(crate) use digest::hex;
pub use digest::{PlanDigest, digest};
pub use machine::{Executor, JournalRule, MachineAsk, Recorded, Settled};
pub use saved::{Moved, SavedPlan};
pub use step::{Rung, Step, StepId};
