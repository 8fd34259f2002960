//! The paper venue: a process of its own with durable state (an order book that outlives
//! every engine), and the client that engines and operators' commands reach it with.
//!
//! What is acknowledged is committed; a commit covers a batch of requests. Its rules live
//! in `trading_core::sim`.

mod client;
mod desk;
mod horizon;
mod retain;
mod server;
mod socket;
mod store;
mod wire;

pub use client::{PaperClient, connect};
pub use horizon::Records;
pub use server::{Notes, Options, serve};

#[cfg(test)]
mod tests;
