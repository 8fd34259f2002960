//! The only rooms that wait: the driver of procedures and the driver of engines.

pub mod act;
pub(crate) mod deadline;
pub mod drill;
pub mod engine;
pub mod journal;
mod owed;
mod patient;
pub mod read;
pub mod run;
pub mod signals;
