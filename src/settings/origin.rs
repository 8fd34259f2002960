//! A value and where it was set. Precedence: flag, environment variable, file, default.

use std::fmt;
use std::path::PathBuf;

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// On the command line (`--env`).
    Flag(&'static str),
    /// By an environment variable.
    Variable(&'static str),
    /// In a settings file.
    File(PathBuf),
    /// In a built-in profile.
    Profile(String),
    /// Nowhere: the built-in default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Profile(name) => write!(f, "profile {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it was set.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// A value that was set somewhere.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
    /// The built-in default.
    pub fn default_value(value: T) -> Self {
        Self::new(value, Origin::Default)
    }
}
