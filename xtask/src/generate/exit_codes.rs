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
    page.push_str(
        "\nA reading command that found something wrong ends with 1, also where it could not read \
         everything: what is known to be wrong is not less so for what is not known. Whether \
         everything was read is told by `complete` in its document, and by its findings; 23 says \
         that nothing wrong was seen, in what was read.\n",
    );
    page
}
