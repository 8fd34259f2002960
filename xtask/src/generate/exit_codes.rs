//! The exit codes, from the type that the process returns.

use std::fmt::Write;

use trading_core::report::Exit;

/// The page.
pub(super) fn text() -> String {
    let mut page = String::from(
        "# Exit codes\n\n<!-- Written by `cargo xtask gen`. -->\n\n\
         They are a contract with scripts. A command that changes things and meets several \
         ends with the worst, in this order: 21, 22, 20, 24.\n\n\
         | code | meaning |\n|---|---|\n",
    );
    for exit in Exit::ALL {
        let _infallible = writeln!(page, "| {} | {} |", exit.code(), exit.meaning());
    }
    page
}
