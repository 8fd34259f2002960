//! Figures of the commands on AWS: both sides in one run, on one AWS-compatible server, without
//! the proxy.
//!
//! That server is one Python process that answers one request at a time. What it takes for an
//! answer says nothing about AWS and is the greatest part of every time here; so nothing is
//! measured alone. Beside `tradectl` stands the `aws` command, or a bare loop that sends the
//! same requests. The two take turns, so that a busy machine slows both, and the middle of the
//! runs counts.
//!
//! | room | what it holds |
//! |---|---|
//! | [`desk`] | an account with a system in it, and commands with what they cost |
//! | [`wire`] | requests as bytes: written down on their way, and sent again |
//! | [`question`] | one question |
//! | [`stop`] | an emergency stop |
//! | [`status`] | a wide reading |

mod desk;
mod question;
mod status;
mod stop;
mod wire;

use std::path::{Path, PathBuf};

use super::{Figure, about, machine};
use crate::aws;
use crate::sh::{self, Outcome};

/// No measurement takes this long.
const LIFETIME_S: u32 = 30 * 60;

/// Measures `binary`, or else the product built as it is shipped.
pub(super) fn run(binary: Option<&str>) -> Outcome {
    let binary = match binary {
        Some(path) => std::path::absolute(path).map_err(about(Path::new(path)))?,
        None => super::release_build()?,
    };
    let python = aws::prepare()?;
    let server = python.start(LIFETIME_S)?;
    let folder = std::env::temp_dir().join(format!("tradectl-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(about(&folder))?;
    let bench = Bench { binary, python, server: server.addresses().server.clone(), folder };
    let measured = bench.measure();
    std::fs::remove_dir_all(&bench.folder).map_err(about(&bench.folder))?;
    super::verdict(measured?)
}

/// What all measurements need.
struct Bench {
    binary: PathBuf,
    python: aws_sandbox::start::Python,
    /// The server's address.
    server: String,
    /// For what is thrown away afterwards.
    folder: PathBuf,
}

impl Bench {
    fn measure(&self) -> Outcome<usize> {
        sh::say(&machine::describe(&self.folder)?);
        let mut missed = 0;
        for measure in [question::measure, status::measure, stop::measure] {
            let figures = measure(self)?;
            figures.iter().for_each(Figure::say);
            missed += figures.iter().filter(|figure| !figure.held()).count();
        }
        Ok(missed)
    }
}
