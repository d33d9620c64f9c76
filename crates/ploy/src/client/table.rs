//! Tables for people: aligned columns, numbers to the right, colour only where somebody looks.

use super::failure::clean;
use std::{fmt::Write as _, io::IsTerminal as _};

/// The gap between two columns.
const GAP: &str = "  ";

/// A column: its head, and whether it holds numbers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    Text(&'static str),
    Number(&'static str),
    /// A word that says how something stands.
    State(&'static str),
}

impl Column {
    const fn head(self) -> &'static str {
        match self {
            Self::Text(head) | Self::Number(head) | Self::State(head) => head,
        }
    }
}

/// Rows under heads.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    colours: bool,
}

impl Table {
    /// A table for the standard output.
    pub(super) fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
            colours: std::io::stdout().is_terminal(),
        }
    }

    /// Adds a row with a cell for each column.
    pub(super) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.rows.push(cells.map(clean).into());
    }

    /// The whole table, or `nothing` when it has no rows.
    pub(super) fn render(&self, nothing: &str) -> String {
        if self.rows.is_empty() {
            return format!("{nothing}\n");
        }
        let widths: Vec<_> = (0..self.columns.len()).map(|at| self.width(at)).collect();
        let mut text = String::new();
        let heads: Vec<_> = self.columns.iter().map(|column| column.head()).collect();
        self.line(&mut text, &heads, &widths, true);
        for row in &self.rows {
            let cells: Vec<_> = row.iter().map(String::as_str).collect();
            self.line(&mut text, &cells, &widths, false);
        }
        text
    }

    fn width(&self, at: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(at));
        let widest = cells.map(|cell| cell.chars().count()).max();
        widest
            .unwrap_or_default()
            .max(self.columns[at].head().len())
    }

    fn line(&self, text: &mut String, cells: &[&str], widths: &[usize], is_head: bool) {
        let from = text.len();
        for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
            if at > 0 {
                text.push_str(GAP);
            }
            let padding = " ".repeat(width - cell.chars().count());
            let (before, after) = match self.columns[at] {
                Column::Number(_) => (padding.as_str(), ""),
                Column::Text(_) | Column::State(_) => ("", padding.as_str()),
            };
            let painted = self.paint(self.columns[at], cell, is_head);
            // Writing to a text never fails.
            let _ = write!(text, "{before}{painted}{after}");
        }
        let end = text[from..].trim_end().len() + from;
        text.truncate(end);
        text.push('\n');
    }

    fn paint(&self, column: Column, cell: &str, is_head: bool) -> String {
        let colour = match column {
            _ if !self.colours => None,
            _ if is_head => Some("2"),
            Column::State(_) => colour(cell),
            Column::Text(_) | Column::Number(_) => None,
        };
        match colour {
            Some(colour) => format!("\u{1b}[{colour}m{cell}\u{1b}[0m"),
            None => cell.to_owned(),
        }
    }
}

/// Green for well, red for trouble, yellow for on the way.
fn colour(word: &str) -> Option<&'static str> {
    match word {
        "up" | "healthy" | "good" | "running" | "active" | "accepted" | "filled" | "ready" => {
            Some("32")
        }
        "down" | "unhealthy" | "disconnected" | "halted" | "denied" | "rejected" | "unknown"
        | "stopped" | "not ready" => Some("31"),
        "cancelled" | "expired" | "-" => None,
        _ => Some("33"),
    }
}

/// A value that may be missing.
pub(super) fn or_dash(value: Option<&String>) -> &str {
    value.map_or("-", String::as_str)
}

/// An instant without what people do not read: `2025-01-01 00:00:00`.
pub(super) fn short(instant: &str) -> String {
    let seconds: String = instant.chars().take(19).collect();
    seconds.replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(colours: bool) -> Table {
        let columns = [
            Column::Text("NAME"),
            Column::Number("QUANTITY"),
            Column::State("STATE"),
        ];
        Table {
            colours,
            ..Table::new(&columns)
        }
    }

    #[test]
    fn numbers_stand_right_and_lines_end_without_blanks() {
        let mut table = table(false);
        table.row(["a", "1.5", "filled"]);
        table.row(["abcdef", "-1000.25", "-"]);
        let lines = [
            "NAME    QUANTITY  STATE",
            "a            1.5  filled",
            "abcdef  -1000.25  -",
            "",
        ];
        assert_eq!(table.render("nothing"), lines.join("\n"));
    }

    #[test]
    fn an_empty_table_says_so() {
        assert_eq!(table(true).render("no orders"), "no orders\n");
    }

    #[test]
    fn colour_does_not_move_columns_and_control_characters_do_nothing() {
        let mut table = table(true);
        table.row(["a\u{1b}[2J", "1", "halted"]);
        let text = table.render("");
        assert!(text.contains("a\u{b7}[2J"), "{text:?}");
        assert!(text.contains("\u{1b}[31mhalted\u{1b}[0m"), "{text:?}");
    }
}
