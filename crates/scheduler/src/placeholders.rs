//! The keywords in an input that stand for what is known when the schedule runs.
//!
//! Source: EventBridge Scheduler User Guide, "Adding context attributes".

use afterward_names::ScheduleAddress;

/// What the keywords stand for in one call of a target. All of it can stand in a JSON string and in a URL as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Placeholders {
    /// `<aws.scheduler.schedule-arn>`.
    pub(crate) schedule_arn: String,
    /// `<aws.scheduler.scheduled-time>`: the schedule's time, such as `2022-03-22T18:59:43Z`.
    pub(crate) scheduled_time: String,
    /// `<aws.scheduler.execution-id>`: 16 hexadecimal digits, of one run.
    pub(crate) execution_id: String,
    /// `<aws.scheduler.attempt-number>`: 1 at first.
    pub(crate) attempt: u32,
}

const OPENING: &str = "<aws.scheduler.";

impl Placeholders {
    /// Something of the right shape, to try a text with before anything has run.
    pub(crate) fn any() -> Placeholders {
        Placeholders {
            schedule_arn: "arn:aws:scheduler:us-east-1:000000000000:schedule/default/any".to_owned(),
            scheduled_time: "2022-03-22T18:59:43Z".to_owned(),
            execution_id: "0123456789abcdef".to_owned(),
            attempt: 1,
        }
    }

    /// The same for that schedule: for texts that may be only so long.
    pub(crate) fn of(schedule: &ScheduleAddress) -> Placeholders {
        Placeholders { schedule_arn: schedule.arn().to_string(), ..Placeholders::any() }
    }

    /// The text with what its keywords stand for. What only looks like a keyword stays.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(OPENING) {
            let (before, keyword) = rest.split_at(at);
            filled.push_str(before);
            let name = keyword[OPENING.len()..].split('>').next().unwrap_or_default();
            match self.value(name).filter(|_| keyword.len() > OPENING.len() + name.len()) {
                Some(value) => {
                    filled.push_str(&value);
                    rest = &keyword[OPENING.len() + name.len() + 1..];
                }
                None => {
                    filled.push_str(OPENING);
                    rest = &keyword[OPENING.len()..];
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    fn value(&self, name: &str) -> Option<String> {
        match name {
            "schedule-arn" => Some(self.schedule_arn.clone()),
            "scheduled-time" => Some(self.scheduled_time.clone()),
            "execution-id" => Some(self.execution_id.clone()),
            "attempt-number" => Some(self.attempt.to_string()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_filled_in_and_all_else_stays() {
        let placeholders = Placeholders {
            schedule_arn: "ARN".into(),
            scheduled_time: "TIME".into(),
            execution_id: "ID".into(),
            attempt: 7,
        };
        for (text, filled) in [
            ("", ""),
            ("plain <b>text</b>", "plain <b>text</b>"),
            ("<aws.scheduler.schedule-arn>", "ARN"),
            ("a<aws.scheduler.scheduled-time>b<aws.scheduler.execution-id>", "aTIMEbID"),
            ("{\"n\":<aws.scheduler.attempt-number>}", "{\"n\":7}"),
            ("<aws.scheduler.unknown>", "<aws.scheduler.unknown>"),
            ("<aws.scheduler.attempt-number", "<aws.scheduler.attempt-number"),
            ("<aws.scheduler.<aws.scheduler.attempt-number>", "<aws.scheduler.7"),
            ("<aws.scheduler.", "<aws.scheduler."),
            ("ä<aws.scheduler.attempt-number>ö", "ä7ö"),
        ] {
            assert_eq!(placeholders.fill(text), filled, "{text}");
        }
    }
}
