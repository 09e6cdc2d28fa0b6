//! Schedule expressions, and definitions of schedules as they are stored.
//!
//! The first line is an expression and a time zone between tabs; the rest is a definition's bytes. What is accepted has
//! times that rise, none of them before the one asked for, and a definition that is read is stored as the same.

use afterward_names::{ScheduleAddress, ScheduleArn};
use afterward_scheduler::{AfterCompletion, Definition, Schedule};
use afterward_timetable::{Expression, Timetable, Zone};

/// 2026-11-22T05:34:00Z.
const FROM_MS: u64 = 1_795_325_640_000;

/// Any bytes.
pub fn run(input: &[u8]) {
    let line = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (line, rest) = input.split_at(line);
    if let Ok(line) = std::str::from_utf8(line) {
        let (expression, zone) = line.split_once('\t').unwrap_or((line, "UTC"));
        let zone = Zone::named(zone).unwrap_or(Zone::UTC);
        let expressions = [expression.parse::<Expression>(), Expression::unix_cron(expression)];
        for expression in expressions.into_iter().flatten() {
            times(Timetable { expression, zone: zone.clone(), anchor_ms: FROM_MS, start_ms: None, end_ms: None });
        }
    }
    if let (Ok(definition), Some(address)) = (Definition::decode(rest.get(1..).unwrap_or_default()), address()) {
        assert_eq!(Definition::decode(&definition.encode()).ok().as_ref(), Some(&definition));
        if let Ok(schedule) = Schedule::of(&address, &definition) {
            let due_ms = schedule.first_due_ms(FROM_MS);
            // One whose times are over and that deletes itself is due at once, for that alone.
            let is_over = definition.after_completion == AfterCompletion::Delete && due_ms == Some(0);
            assert!(is_over || due_ms.is_none_or(|due_ms| due_ms >= FROM_MS - 60_000), "{due_ms:?}");
        }
    }
}

fn times(timetable: Timetable) {
    for from_ms in [0, FROM_MS, u64::MAX] {
        let times: Vec<u64> = timetable.occurrences_from(from_ms).take(5).collect();
        assert!(times.iter().all(|ms| *ms >= from_ms), "{timetable:?} from {from_ms}: {times:?}");
        assert!(times.is_sorted_by(|one, next| one < next), "{timetable:?} from {from_ms}: {times:?}");
        let again = times.first().and_then(|ms| timetable.first_from(*ms));
        assert_eq!(again, times.first().copied(), "{timetable:?}: a time is the first from itself on");
    }
}

fn address() -> Option<ScheduleAddress> {
    let ScheduleArn(address) = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/s".parse().ok()?;
    Some(address)
}
