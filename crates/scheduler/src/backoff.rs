//! How long to wait before a call is tried again.

use crate::hash::hash;

const FIRST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 480_000;

/// The wait after a failed `attempt` (the first is 1) of an execution: it doubles each time, up to eight minutes, of which
/// at least half; how much more is the execution's own, so that what failed together does not come back together.
pub(crate) fn after_attempt_ms(execution_id: &str, attempt: u32) -> u64 {
    let longest_ms = FIRST_MS.checked_shl(attempt.saturating_sub(1)).unwrap_or(LONGEST_MS).min(LONGEST_MS);
    let longest_ms = if attempt > 32 { LONGEST_MS } else { longest_ms };
    let half_ms = longest_ms / 2;
    half_ms + hash(&[execution_id.as_bytes(), &attempt.to_le_bytes()]) % (half_ms + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_eight_minutes_and_differ_between_executions() {
        for (attempt, least_ms, most_ms) in [
            (1, 500, 1_000),
            (2, 1_000, 2_000),
            (5, 8_000, 16_000),
            (10, 240_000, 480_000),
            (185, 240_000, 480_000),
            (u32::MAX, 240_000, 480_000),
        ] {
            let waits: Vec<u64> = (0..100).map(|id| after_attempt_ms(&format!("{id:016x}"), attempt)).collect();
            assert!(waits.iter().all(|wait| (least_ms..=most_ms).contains(wait)), "{attempt}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "{attempt}");
        }
    }

    #[test]
    fn within_a_day_a_call_is_tried_some_two_hundred_times() {
        let (mut at_ms, mut attempt) = (0, 1);
        while at_ms < 86_400_000 {
            at_ms += after_attempt_ms("0123456789abcdef", attempt);
            attempt += 1;
        }
        assert!((186..300).contains(&attempt), "{attempt}");
    }
}
