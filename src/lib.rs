//! tradectl: an operations CLI and runbook automation tool for trading systems.
//!
//! | room | what it holds |
//! |---|---|
//! | [`platform`] | the ports to the world and the platforms behind them |
//! | [`venue`] | the port to trading venues and the venues behind it |
//!
//! Everything that decides lives in the crate `trading_core`.

pub mod platform;
pub mod venue;
