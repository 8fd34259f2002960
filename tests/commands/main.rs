//! Whole commands in this process: fixed clock, counted ids, captured streams, a home of
//! their own. One snapshot pins stdout, stderr and the exit code.

#![expect(clippy::expect_used, reason = "a test whose world cannot be made must fail loudly")]

mod config;
#[path = "../contract/mod.rs"]
mod contract;
mod doctor;
mod engine;
mod every;
mod harness;
mod hostile;
mod local;
mod observe;
mod permissions;
mod schemas;
mod stops;
mod usage;
