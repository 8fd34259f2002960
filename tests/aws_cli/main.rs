//! `docs/aws-cli-equivalents.md`, kept true: the real `aws` and the real `tradectl` side by side
//! on one AWS-compatible server, filled with a system like those that the commands come from.
//! Compared are facts, never texts; and what the page says that an `aws` command misses is seen
//! to be missed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod compute;
mod desk;
mod rows;
mod schedules;
mod stopping;
