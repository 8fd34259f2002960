//! The real binary, real engines, a real venue, and everything that can go wrong. Nothing
//! waits for time: what is awaited is seen.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test whose world cannot be made must fail loudly"
)]

#[cfg(feature = "aws")]
mod account;
#[cfg(feature = "aws")]
mod aws;
mod beats;
#[path = "../contract/mod.rs"]
mod contract;
mod disk;
mod engines;
mod field;
mod matrix;
#[cfg(feature = "webhook")]
mod notices;
mod operators;
mod quiet;
mod ran;
mod rows;
