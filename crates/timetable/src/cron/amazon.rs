//! A crontab's line as one of Amazon's cron expressions.

use super::{Cron, DAY_BOUNDS, HOURS, MINUTES, MONTH, WEEKDAY_BOUNDS, days::Days, list::Bounds, numbers::Numbers};

impl Cron {
    /// The same minutes as `cron(…)` of EventBridge Scheduler, for a line of Unix's crontab; `None` where Amazon has no way
    /// to say it: one that gives both days of the month and days of the week. Also `None` for an expression that was Amazon's.
    pub fn to_amazon(&self) -> Option<String> {
        let (Days::Either(of_month, of_week) | Days::Both(of_month, of_week)) = &self.days else { return None };
        let (of_month, of_week) = (of_month.plain()?, of_week.plain()?);
        let every_date = of_month == DAY_BOUNDS.all();
        let every_weekday = of_week == WEEKDAY_BOUNDS.all();
        let either = matches!(self.days, Days::Either(..));
        let (of_month, of_week) = match (every_date, every_weekday) {
            (true, true) => ("*".to_owned(), "?".to_owned()),
            (true, _) | (_, true) if either => ("*".to_owned(), "?".to_owned()),
            (true, false) => ("?".to_owned(), list(&of_week, &WEEKDAY_BOUNDS)),
            (false, true) => (list(&of_month, &DAY_BOUNDS), "?".to_owned()),
            (false, false) => return None,
        };
        let (minutes, hours) = (list(&self.minutes, &MINUTES), list(&self.hours, &HOURS));
        Some(format!("cron({minutes} {hours} {of_month} {} {of_week} *)", list(&self.months, &MONTH)))
    }
}

/// Numbers as a field: `*`, or numbers and ranges between commas.
fn list(numbers: &Numbers, bounds: &Bounds) -> String {
    if *numbers == bounds.all() {
        return "*".to_owned();
    }
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for number in numbers.from(bounds.first) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let text = |(first, last): (u16, u16)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.into_iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use crate::{Expression, Timetable, Zone};

    #[test]
    fn a_line_of_a_crontab_says_the_same_in_amazons_words() {
        for (line, amazon) in [
            ("0 8 * * MON-FRI", Some("cron(0 8 ? * 2-6 *)")),
            ("*/15 * * * *", Some("cron(0,15,30,45 * * * ? *)")),
            ("0 0 1,15 * *", Some("cron(0 0 1,15 * ? *)")),
            ("5 4 * 1-3,12 0", Some("cron(5 4 ? 1-3,12 1 *)")),
            ("5 4 * * 7", Some("cron(5 4 ? * 1 *)")),
            ("0 22-2 */2 * *", Some("cron(0 0-2,22-23 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31 * ? *)")),
            ("0 0 1 * MON", None),
            ("0 0 1-31 * MON", Some("cron(0 0 * * ? *)")),
            ("0 0 */2 * MON", None),
        ] {
            let Ok(Expression::Cron(cron)) = Expression::unix_cron(line) else { panic!("{line}") };
            assert_eq!(cron.to_amazon().as_deref(), amazon, "{line}");
            let Some(amazon) = amazon else { continue };
            let times = |expression: Expression| {
                let (zone, anchor_ms) = (Zone::named("Europe/Vienna").unwrap(), 0);
                let timetable = Timetable { expression, zone, anchor_ms, start_ms: None, end_ms: None };
                timetable.occurrences_from(1_764_547_200_000).take(300).collect::<Vec<_>>()
            };
            assert_eq!(times(Expression::Cron(cron)), times(amazon.parse().unwrap()), "{line}");
        }
    }

    #[test]
    fn the_longest_is_no_longer_than_amazon_takes() {
        let line = "1-59/2 1-23/2 1-31/2 1-11/2 *";
        let Ok(Expression::Cron(cron)) = Expression::unix_cron(line) else { panic!("{line}") };
        assert!(cron.to_amazon().unwrap().len() <= 256);
    }
}
