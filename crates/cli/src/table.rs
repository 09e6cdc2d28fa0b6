//! Tables for people: columns as wide as what is in them, numbers to the right.

use std::io;

/// Rows under headings.
#[derive(Debug)]
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[&'static str]) -> Table {
        Table { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; it has a cell for each heading.
    pub(crate) fn row(&mut self, cells: impl Into<Vec<String>>) {
        let cells = cells.into();
        debug_assert_eq!(cells.len(), self.headings.len());
        self.rows.push(cells);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, without a line break at its end.
    pub(crate) fn render(&self) -> String {
        let headings: Vec<String> = self.headings.iter().map(|&heading| heading.to_owned()).collect();
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| &row[column]).chain([&headings[column]]);
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..headings.len()).map(width).collect();
        let right: Vec<bool> = (0..headings.len()).map(|column| self.is_numeric(column)).collect();
        let line = |cells: &[String]| {
            let cells = cells.iter().zip(&widths).zip(&right);
            let padded = cells.map(|((cell, &width), &right)| {
                let blank = " ".repeat(width - cell.chars().count());
                if right { format!("{blank}{cell}") } else { format!("{cell}{blank}") }
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        std::iter::once(line(&headings)).chain(self.rows.iter().map(|row| line(row))).collect::<Vec<_>>().join("\n")
    }

    /// Prints the table.
    pub(crate) fn print(&self) -> io::Result<()> {
        crate::output::say(&self.render())
    }

    fn is_numeric(&self, column: usize) -> bool {
        let number = |cell: &String| !cell.is_empty() && cell.chars().all(|c| c.is_ascii_digit());
        !self.rows.is_empty() && self.rows.iter().all(|row| number(&row[column]) || row[column] == "–")
    }
}

/// `text` on one line, at most `width` characters long.
pub(crate) fn clipped(text: &str, width: usize) -> String {
    let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if one_line.chars().count() <= width {
        return one_line;
    }
    let kept: String = one_line.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_their_widest_cell_and_numbers_stand_to_the_right() {
        let mut table = Table::new(&["NAME", "VISIBLE", "NOTE"]);
        table.row(["jobs".into(), "7".into(), String::new()]);
        table.row(["jobs-dlq-ü".into(), "1200".into(), "a note".into()]);
        assert_eq!(table.render(), "NAME        VISIBLE  NOTE\njobs              7\njobs-dlq-ü     1200  a note");
    }

    #[test]
    fn long_texts_are_clipped_to_one_line() {
        assert_eq!(clipped("a\nb", 10), "a b");
        assert_eq!(clipped("abcdefgh", 5), "abcd…");
        assert_eq!(clipped("abcde", 5), "abcde");
    }
}
