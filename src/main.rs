//! The thin binary: takes the process apart and hands it to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    let code = match tradectl::ctx::Ctx::from_process() {
        Ok(ctx) => tradectl::run(std::env::args_os(), ctx),
        Err(fault) => fault.exit,
    };
    ExitCode::from(code.code())
}
