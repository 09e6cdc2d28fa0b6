//! Days as dates of the Gregorian calendar, from 1970 on.
//!
//! Years are counted from a first of March, so that the day which leap years add is the year's last: then the lengths of
//! months follow the straight line `153 m + 2 over 5`, and 400 years are always 146,097 days.

/// Days from that start of counting to 1970-01-01.
const BEFORE_1970: i64 = 719_468;

/// The day, counted from 1970-01-01, of a year, month (1 to 12) and day of the month (from 1).
pub fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - BEFORE_1970
}

/// Year, month and day of the month of a day counted from 1970-01-01.
pub fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + BEFORE_1970;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_the_same_both_ways() {
        for (date, day) in [((1970, 1, 1), 0), ((2000, 2, 29), 11_016), ((2000, 3, 1), 11_017), ((2100, 3, 1), 47_541)]
        {
            assert_eq!(date_of(day), date);
        }
        for day in (0..2_932_896).step_by(97) {
            let (year, month, date) = date_of(day);
            assert_eq!(day_of(year, month, date), day);
        }
    }
}
