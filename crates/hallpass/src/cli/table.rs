//! Rows for people: columns that line up, times that can be read.
//!
//! Never the form for programs: those ask for `--json`.

use crate::text::plain;

/// Lines up `rows` under `titles`.
pub(crate) fn lined_up<const COLUMNS: usize>(titles: [&str; COLUMNS], rows: Vec<[String; COLUMNS]>) -> String {
    let rows: Vec<[String; COLUMNS]> = [titles.map(str::to_owned)]
        .into_iter()
        .chain(rows.into_iter().map(|row| row.map(|cell| plain(&cell))))
        .collect();
    let mut widths = [0; COLUMNS];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; COLUMNS]| {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A moment in UTC, as RFC 3339 writes it.
pub(crate) fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |moment| moment.to_string())
}
