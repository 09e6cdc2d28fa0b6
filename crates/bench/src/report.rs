//! The tables as Markdown, and their place in `BENCHMARKS.md`.

use crate::{
    lab::{Lab, Pace},
    machine::Machine,
    rows::{AT_LEAST_LIVE, Bound, LEFT, Order, Outcome, Shrinking, Use, Way, ceiling_lines, yardstick_lines},
    spread::figure,
    trouble::Trouble,
};
use std::{fmt::Write, fs, path::Path};

/// The table of the rows, measured at this pace.
pub fn rows(outcomes: &[Outcome], pace: &Pace) -> String {
    let mut text = String::from("| measure | must | aim | measured | absolute |\n| --- | --- | --- | --- | --- |\n");
    for (row, outcome) in outcomes {
        let (measured, absolute) = match outcome {
            Ok(figure) => (figure.measured.clone(), figure.absolute.clone()),
            Err(trouble) => ("–".to_owned(), cell(&trouble.to_string())),
        };
        let _ = writeln!(text, "| {} | {} | {} | {measured} | {absolute} |", row.measure_at(pace), row.must, row.aim);
    }
    text
}

/// The table of disk use.
pub fn disk_use(measured: &[(Order, Result<Shrinking, Trouble>)]) -> String {
    let left: Vec<String> = LEFT.iter().map(|left| format!("{left} % live")).collect();
    let mut text = String::new();
    if let Some(shrinking) = measured.iter().find_map(|(_, shrinking)| shrinking.as_ref().ok()) {
        let mib = figure(mib(shrinking.written_bytes));
        let _ = writeln!(text, "{mib} MiB of bodies, sent and received; then deleted in these orders.\n");
    }
    let worst = format!("worst at any moment with {} % live or more", 100 / AT_LEAST_LIVE);
    let _ =
        writeln!(text, "| deleted | {} | {worst} |\n| --- |{} --- |", left.join(" | "), " --- |".repeat(left.len()));
    for (order, shrinking) in measured {
        let _ = match shrinking {
            Ok(Shrinking { steps, worst, .. }) => {
                let steps: Vec<String> = steps.iter().map(multiple).collect();
                writeln!(text, "| {} | {} | {} |", order.name, steps.join(" | "), multiple(worst))
            }
            Err(trouble) => writeln!(text, "| {} | {} |", order.name, cell(&trouble.to_string())),
        };
    }
    text
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// `512 MiB, 1.33 ×`.
fn multiple(what: &Use) -> String {
    let mib = figure(mib(what.allocated_bytes));
    match what.live_bytes {
        0 => format!("{mib} MiB"),
        _ => format!("{mib} MiB, {} ×", figure(what.multiple())),
    }
}

/// The table of the yardstick.
pub fn yardstick(measured: &Result<Vec<Way>, Trouble>) -> String {
    let mut text = String::from(
        "| bare hyper on | 64 connections, against R | its CPU a request | 1 connection, against R's |\n\
         | --- | --- | --- | --- |\n",
    );
    match measured {
        Ok(ways) => {
            for line in yardstick_lines(ways) {
                let _ = writeln!(text, "| {} |", line.join(" | "));
            }
        }
        Err(trouble) => {
            let _ = writeln!(text, "| – | {} | | |", cell(&trouble.to_string()));
        }
    }
    text
}

/// The table of the pipeline's ceiling.
pub fn ceiling(measured: &Result<Vec<Bound>, Trouble>) -> String {
    let mut text = String::from(
        "| server | messages received and deleted | its CPU a message | the generator's | flushes a second |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    match measured {
        Ok(bounds) => {
            for line in ceiling_lines(bounds) {
                let _ = writeln!(text, "| {} |", line.join(" | "));
            }
        }
        Err(trouble) => {
            let _ = writeln!(text, "| – | {} | | | |", cell(&trouble.to_string()));
        }
    }
    text
}

/// A text that can stand in a table.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The lines above the tables: on what and how this was measured.
pub fn heading(machine: &Machine, lab: &Lab<'_>) -> String {
    let (pace, other) = (&lab.pace, lab.other_cores());
    let mut text = format!(
        "{machine}\n\n{} rounds of {} s each, medians with the smallest and the largest round. Other programs kept \
         {other} cores busy meanwhile.",
        pace.rounds,
        pace.times.counted.as_secs_f64()
    );
    if other.median > 0.3 {
        text.push_str(" That is too much for these figures to mean much.");
    }
    if pace.depth != Pace::FULL.depth || pace.times.counted < Pace::FULL.times.counted {
        text.push_str(" This was not a full run: less was measured, or other numbers of messages, than is usual here.");
    }
    text.push('\n');
    text
}

const BEGINS: &str = "<!-- measured: `cargo xtask bench --write` replaces what follows -->";
const ENDS: &str = "<!-- end of what was measured -->";

/// Puts `section` in its place in the document `path`.
///
/// # Errors
/// When the document can't be read or written, or has no such place.
pub fn write(path: &Path, section: &str) -> Result<(), Trouble> {
    let failed = || Trouble::because(path.display().to_string());
    let text = fs::read_to_string(path).map_err(failed())?;
    let text = replaced(&text, section).ok_or_else(|| {
        Trouble::new(format!("{} has no place for the tables between `{BEGINS}` and `{ENDS}`", path.display()))
    })?;
    fs::write(path, text).map_err(failed())
}

fn replaced(text: &str, section: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGINS)?;
    let (_, after) = rest.split_once(ENDS)?;
    Some(format!("{before}{BEGINS}\n\n{}\n\n{ENDS}{after}", section.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Figure, ROWS};

    #[test]
    fn the_place_is_replaced_and_the_rest_stays() {
        let text = format!("# Title\n\n{BEGINS}\n\nold\n\n{ENDS}\n\nthe rest\n");
        let once = replaced(&text, "new\n").unwrap();
        assert_eq!(once, format!("# Title\n\n{BEGINS}\n\nnew\n\n{ENDS}\n\nthe rest\n"));
        assert_eq!(replaced(&once, "new").unwrap(), once);
        assert_eq!(replaced("# Title", "new"), None);
    }

    #[test]
    fn a_figure_that_was_not_verified_is_not_shown() {
        let figure = Figure { measured: "0.5 R".into(), absolute: "50/s".into() };
        let table =
            rows(&[(ROWS[0], Ok(figure)), (ROWS[1], Err(Trouble::new("not verified: 1 lost | 2 found")))], &Pace::FULL);
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[2].ends_with("| 0.5 R | 50/s |"), "{}", lines[2]);
        assert!(lines[3].ends_with("| – | not verified: 1 lost \\| 2 found |"), "{}", lines[3]);
    }

    #[test]
    fn disk_use_is_shown_as_a_multiple_of_what_is_live() {
        let shown = |live_bytes, allocated_bytes| multiple(&Use { live_bytes, allocated_bytes });
        assert_eq!(shown(100 << 20, 150 << 20), "150 MiB, 1.50 ×");
        assert_eq!(shown(0, 64 << 20), "64.0 MiB");
    }
}
