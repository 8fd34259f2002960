//! Settings: profiles, files, variables and flags, resolved once, each value with its
//! origin.

mod environment;
mod load;
mod origin;
mod profile;
mod read;
mod reference;
mod resolve;
mod schema;
#[cfg(test)]
pub(crate) mod tests;
mod values;

pub use environment::{Access, Environment, PlatformKind, Setting, Webhook};
pub use load::{FileKind, Paths, Settings, VARIABLES, problems};
pub use origin::{Origin, Sourced};
pub use reference::markdown as reference;
