//! Whole commands in this process: fixed clock, counted ids, captured streams, a home of
//! their own. One snapshot pins stdout, stderr and the exit code.

mod config;
mod harness;
mod hostile;
mod usage;
