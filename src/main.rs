//! The thin binary: takes the process apart and hands it to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    tradectl::ui::install_panic_hook();
    let exit = match tradectl::ctx::Ctx::from_process() {
        Ok(ctx) => tradectl::run(std::env::args_os(), ctx),
        Err(fault) => {
            tradectl::ui::last_words(&fault.message);
            fault.exit
        }
    };
    ExitCode::from(exit.code())
}
