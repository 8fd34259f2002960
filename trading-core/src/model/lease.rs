//! Leases: who may trade a strategy. Two engines never trade one.

use super::{EngineId, StrategyId, Utc};
use serde::{Deserialize, Serialize};

/// The right to trade one strategy. Whoever takes a lease raises `generation`, and a
/// holder that sees a generation other than its own must not send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// What is leased.
    pub strategy: StrategyId,
    /// Who holds it.
    pub owner: EngineId,
    /// The fencing token.
    pub generation: u64,
    /// Until when, by the state store's clock, nobody else may take it.
    pub expires_at: Utc,
}
