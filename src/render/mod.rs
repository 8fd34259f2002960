//! From a report to text: the human page and the JSON document, both made from the same
//! report and the same header.

pub mod escape;
mod header;
mod human;
mod json;
pub(crate) mod layout;
pub mod mask;
mod table;

pub use header::{EnvironmentView, Fact, Header};
pub use human::{banner, faults, page};
pub use json::document;
#[cfg(feature = "schema")]
pub(crate) use json::document_schema;

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns.
    pub width: usize,
    /// Colour is welcome; everything is understandable without it.
    pub color: bool,
}
