//! What the demo shows: bars that move on a terminal, plain lines where output is piped.

use super::standing::Standing;
use crate::output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io,
    time::{Duration, Instant},
};

/// Where things are shown.
pub(super) enum Show {
    /// A person watches.
    Live { jobs: u64, bar: Option<ProgressBar> },
    /// A file or a program reads.
    Plain { last: Option<(Standing, Instant)> },
}

/// Lines of plain output come at most so often.
const PLAIN_EVERY: Duration = Duration::from_millis(500);

impl Show {
    pub(super) fn new(jobs: u64) -> Show {
        if output::is_terminal() { Show::Live { jobs, bar: None } } else { Show::Plain { last: None } }
    }

    /// A line of the story.
    pub(super) fn line(&self, text: &str) -> io::Result<()> {
        output::say(text)
    }

    /// How the jobs stand now.
    pub(super) fn standing(&mut self, standing: &Standing) -> io::Result<()> {
        match self {
            Show::Live { jobs, bar } => {
                let bar = bar.get_or_insert_with(|| bar_of(*jobs));
                bar.set_position(standing.succeeded);
                bar.set_message(format!("{} of {jobs} succeeded · {}", standing.succeeded, told(standing)));
                Ok(())
            }
            Show::Plain { last } => {
                let worth_a_line = last.is_none_or(|(before, at)| before != *standing && at.elapsed() >= PLAIN_EVERY);
                if !worth_a_line {
                    return Ok(());
                }
                *last = Some((*standing, Instant::now()));
                output::say(&format!("   {} succeeded · {}", standing.succeeded, told(standing)))
            }
        }
    }

    /// The part that is being shown is over.
    pub(super) fn done(&mut self) -> io::Result<()> {
        match self {
            Show::Live { bar, .. } => {
                if let Some(bar) = bar.take() {
                    bar.abandon();
                    // A finished bar leaves the cursor at its end.
                    return output::say("");
                }
            }
            Show::Plain { last } => *last = None,
        }
        Ok(())
    }
}

fn told(standing: &Standing) -> String {
    format!("{} waiting · {} active · {} dead", standing.waiting, standing.active, standing.dead)
}

/// A bar that takes what room the numbers leave: a line that breaks can't be drawn over.
fn bar_of(jobs: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("   {wide_bar:.green} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    let target = ProgressDrawTarget::stdout_with_hz(15);
    ProgressBar::with_draw_target(Some(jobs), target).with_style(style.progress_chars("━╸─"))
}
