//! The deciding half of tradectl.
//!
//! Everything here is *sans-IO*: events and the time come in as arguments, and what is
//! wanted goes out as data. There is no clock, no file, no socket, no randomness and no
//! printing, so the same code runs live, in a drill, under the simulator and from a
//! recorded journal.
//!
//! | room | what it holds |
//! |---|---|
//! | [`engine`] | the trading engine: one step function, its order table, its log |
//! | [`journal`] | what an operator's command intended, did and saw; its chain of hashes |
//! | [`model`] | the nouns: ids, readings, rows, orders, services, schedules, the latch |
//! | [`ops`] | one room per procedure |
//! | [`plan`] | steps, the second opinion, the sealed approval, the executor |
//! | [`report`] | view models: what every renderer gets; exit codes |
//! | [`sim`] | the paper venue's rules and its markets |

pub mod engine;
pub mod journal;
pub mod model;
pub mod ops;
pub mod plan;
pub mod report;
pub mod sim;
