//! The real binary, real engines, a real venue, and everything that can go wrong. Nothing
//! waits for time: what is awaited is seen.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test whose world cannot be made must fail loudly"
)]

#[path = "../contract/mod.rs"]
mod contract;
mod disk;
mod engines;
mod field;
mod matrix;
mod operators;
mod quiet;
mod rows;
