//! The AWS-compatible server that tests talk to: prepared once below the target folder, started
//! for one run of the tests on free ports, ended with it.

use std::process::Command;

use aws_sandbox::start::{Python, Server};
use aws_sandbox::{CLI, PROXY, SERVER};

use crate::sh::{self, Outcome};

/// No run of the tests takes this long.
const LIFETIME_S: u32 = 2 * 3600;

/// The server's Python environment.
pub(crate) fn prepare() -> Outcome<Python> {
    Python::prepare(&sh::root(), &sh::target_dir()?, |text| sh::say(&format!("==> {text}")))
}

/// The server's own tests.
pub(crate) fn own_tests(python: &Python) -> Outcome {
    let mut tests = python.command(["-m", "unittest", "discover", "-q", "-s", "tests", "-t", "."]);
    sh::run("the AWS test server's own tests", &mut tests)
}

/// Starts the server, and tells a command where it is. It ends with the value.
pub(crate) fn start(python: &Python, tests: &mut Command) -> Outcome<Server> {
    let server = python.start(LIFETIME_S)?;
    let at = server.addresses();
    sh::say(&format!("==> AWS test server {} (proxy {})", at.server, at.proxy));
    tests.env(SERVER, &at.server).env(PROXY, &at.proxy).env(CLI, python.aws());
    Ok(server)
}
