//! The paper venue: its rules and its markets, without any IO. The process that serves it
//! over a socket and a backtest use the same code.

mod book;
mod market;
mod spent;
mod venue;

pub use book::{Account, Lot};
pub use market::{Market, MarketError, Series};
pub use spent::SpentId;
pub use venue::{Cancelled, Change, PaperVenue, Rules};

#[cfg(test)]
mod tests;
