//! From a report to text: the human page and the JSON document.

use std::io::{self, Write};

use trading_core::report::{Block, Report};

/// Writes the human page.
pub fn human(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for block in &report.body {
        if let Block::Line(cell) = block {
            writeln!(out, "{}", cell.text)?;
        }
    }
    Ok(())
}
