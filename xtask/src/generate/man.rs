//! One man page per command.

use clap_mangen::Man;

use super::{Files, walk};
use crate::sh::Outcome;

/// Adds the pages.
pub(super) fn add(cli: &clap::Command, files: &mut Files) -> Outcome {
    let mut pages = Vec::new();
    walk(cli, "", &mut |way, command| pages.push((way.replace(' ', "-"), command.clone())));
    for (name, command) in pages {
        let mut page = Vec::new();
        // No date: the same sources give the same page.
        Man::new(command)
            .title(name.clone())
            .date("")
            .manual("tradectl")
            .render(&mut page)
            .map_err(|error| format!("{name}: {error}"))?;
        let text = String::from_utf8(page).map_err(|error| format!("{name}: {error}"))?;
        files.insert(format!("docs/man/{name}.1"), text);
    }
    Ok(())
}
