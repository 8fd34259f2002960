//! Tables that fit. Wide enough: columns side by side, cells wrapped. Too narrow to be
//! read so: one record after the other, a line per value.

use trading_core::report::{Cell, Tone};

use super::layout::{bold, columns, hanging, is_command, toned, words, wrap};
use super::{Style, escape};

/// What separates two columns.
const GAP: usize = 2;
/// A column is squeezed so that words up to the first are cut only where there is no other way
/// to set columns side by side, and those up to the second, which ids of runs and stops are,
/// never: names can be copied whole.
const LONGEST_WORDS: [usize; 2] = [64, 32];

/// The table's lines.
pub(super) fn table(names: &[&str], rows: &[Vec<Cell>], style: Style) -> Vec<String> {
    if rows.is_empty() {
        return vec!["(none)".to_owned()];
    }
    let rows: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|cell| Cell::toned(escape::line(cell.text.trim_end()), cell.tone))
                .collect()
        })
        .collect();
    let fitting = LONGEST_WORDS.into_iter().find_map(|it| widths(names, &rows, style.width, it));
    match fitting {
        Some(widths) => grid(names, &rows, &widths, style),
        None => records(names, &rows, style),
    }
}

/// A width per column so that all fit and no word up to `longest` is cut, the widest squeezed
/// first; nothing if they cannot.
fn widths(names: &[&str], rows: &[Vec<Cell>], width: usize, longest: usize) -> Option<Vec<usize>> {
    let natural = |i: usize| {
        let cells = rows.iter().filter_map(|row| row.get(i)).map(|cell| columns(&cell.text));
        cells.max().unwrap_or(0).max(columns(names[i]))
    };
    let mut widths: Vec<usize> = (0..names.len()).map(natural).collect();
    let longest_word = |i: usize| {
        let cells = rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.text.as_str());
        let kept = |word| columns(word).min(if is_command(word) { usize::MAX } else { longest });
        cells.flat_map(words).map(kept).max().unwrap_or(0)
    };
    let least: Vec<usize> =
        (0..names.len()).map(|i| longest_word(i).max(columns(names[i]))).collect();
    let gaps = GAP * names.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        let squeezable = (0..widths.len()).filter(|i| widths[*i] > least[*i]);
        let widest = squeezable.max_by_key(|i| widths[*i])?;
        widths[widest] -= 1;
    }
    Some(widths)
}

fn grid(names: &[&str], rows: &[Vec<Cell>], widths: &[usize], style: Style) -> Vec<String> {
    let heading = names.iter().zip(widths).map(|(name, width)| {
        let pad = " ".repeat(width.saturating_sub(columns(name)));
        format!("{}{pad}", bold(name, style.color))
    });
    let mut lines = vec![heading.collect::<Vec<_>>().join("  ").trim_end().to_owned()];
    for row in rows {
        let wrapped: Vec<(Vec<String>, Tone)> = widths
            .iter()
            .enumerate()
            .map(|(i, width)| match row.get(i) {
                Some(cell) => (wrap(&cell.text, *width), cell.tone),
                None => (Vec::new(), Tone::Plain),
            })
            .collect();
        let height = wrapped.iter().map(|(lines, _)| lines.len()).max().unwrap_or(0);
        for at in 0..height {
            let cells = wrapped.iter().zip(widths).map(|((lines, tone), width)| {
                let text = lines.get(at).map_or("", String::as_str);
                let pad = " ".repeat(width.saturating_sub(columns(text)));
                format!("{}{pad}", toned(text, *tone, style.color))
            });
            lines.push(cells.collect::<Vec<_>>().join("  ").trim_end().to_owned());
        }
    }
    lines
}

fn records(names: &[&str], rows: &[Vec<Cell>], style: Style) -> Vec<String> {
    let label = names.iter().map(|name| columns(name)).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            lines.push("-".repeat(style.width.min(20)));
        }
        for (name, cell) in names.iter().zip(row).filter(|(_, cell)| !cell.text.is_empty()) {
            let pad = " ".repeat(label - columns(name) + GAP);
            let text = hanging(&format!("{name}{pad}"), label + GAP, &cell.text, style.width);
            lines.extend(text.iter().map(|line| toned(line, cell.tone, style.color)));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::layout::columns;
    use super::{Style, table};
    use proptest::prelude::*;
    use trading_core::report::Cell;

    #[test]
    fn a_narrow_page_gets_records() {
        let rows = vec![
            vec![Cell::plain("live-trading"), Cell::plain("RUNNING"), Cell::plain("41 s")],
            vec![Cell::plain("dry-run-trading-of-a-long-name"), Cell::plain(""), Cell::plain("?")],
        ];
        let names = ["service", "state", "heartbeat_age"];
        let plain = |width| table(&names, &rows, Style { width, color: false }).join("\n");
        insta::assert_snapshot!(plain(80), @r"
        service                         state    heartbeat_age
        live-trading                    RUNNING  41 s
        dry-run-trading-of-a-long-name           ?
        ");
        // A name is not cut while there is another way.
        insta::assert_snapshot!(plain(50), @r"
        service        live-trading
        state          RUNNING
        heartbeat_age  41 s
        --------------------
        service        dry-run-trading-of-a-long-name
        heartbeat_age  ?
        ");
        insta::assert_snapshot!(plain(30), @r"
        service        live-trading
        state          RUNNING
        heartbeat_age  41 s
        --------------------
        service        dry-run-trading
                       -of-a-long-name
        heartbeat_age  ?
        ");
    }

    proptest! {
        #[test]
        fn a_table_never_grows_past_its_width(
            cells in proptest::collection::vec(proptest::collection::vec("\\PC{0,40}", 4), 1..5),
            width in 40_usize..120,
        ) {
            let rows: Vec<Vec<Cell>> =
                cells.into_iter().map(|row| row.into_iter().map(Cell::plain).collect()).collect();
            for line in table(&["name", "state", "age_s", "why"], &rows, Style { width, color: false }) {
                prop_assert!(columns(&line) <= width, "{} > {width}: {line:?}", columns(&line));
            }
        }
    }
}
