//! The regular expressions of Scheduler's model, as functions.
//!
//! All but a few are ARNs: `arn:aws(-[a-z]+)?:SERVICE:[a-z0-9\-]+:\d{12}:REST`.

use crate::rest::Pattern;

pub(super) static NAME: Pattern = Pattern { text: "^[0-9a-zA-Z-_.]+$", matches: is_name };
pub(super) static CLIENT_TOKEN: Pattern = Pattern {
    text: "^[a-zA-Z0-9-_]+$",
    matches: |text| all(text, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')),
};
pub(super) static DEAD_LETTER_ARN: Pattern = Pattern {
    text: r"^arn:aws(-[a-z]+)?:sqs:[a-z0-9\-]+:\d{12}:[a-zA-Z0-9\-_]+$",
    matches: |text| {
        arn(text, "sqs").is_some_and(|rest| all(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
    },
};
pub(super) static KMS_KEY_ARN: Pattern = Pattern {
    text: r"^arn:aws(-[a-z]+)?:kms:[a-z0-9\-]+:\d{12}:(key|alias)\/[0-9a-zA-Z-_]*$",
    matches: |text| {
        let rest = arn(text, "kms").and_then(|rest| rest.strip_prefix("key/").or_else(|| rest.strip_prefix("alias/")));
        rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
    },
};
pub(super) static ROLE_ARN: Pattern = Pattern {
    text: r"^arn:aws(-[a-z]+)?:iam::\d{12}:role\/[\w+=,.@\/-]+$",
    matches: |text| {
        let role = arn_of(text, "iam", str::is_empty).and_then(|rest| rest.strip_prefix("role/"));
        let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@/-".contains(c);
        role.is_some_and(|role| all(role, fits))
    },
};
pub(super) static TAG_RESOURCE_ARN: Pattern = Pattern {
    text: r"^arn:aws(-[a-z]+)?:scheduler:[a-z0-9\-]+:\d{12}:schedule-group\/[0-9a-zA-Z-_.]+$",
    matches: |text| arn(text, "scheduler").and_then(|rest| rest.strip_prefix("schedule-group/")).is_some_and(is_name),
};

fn all(text: &str, fits: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(fits)
}

fn is_name(text: &str) -> bool {
    all(text, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// What stands behind the account of an ARN of that service in some region.
fn arn<'a>(text: &'a str, service: &str) -> Option<&'a str> {
    arn_of(text, service, |region| all(region, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
}

fn arn_of<'a>(text: &'a str, service: &str, is_region: impl Fn(&str) -> bool) -> Option<&'a str> {
    let mut parts = text.splitn(6, ':');
    let (arn, partition, of, region) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (account, rest) = (parts.next()?, parts.next()?);
    let is_partition = match partition.strip_prefix("aws") {
        Some("") => true,
        Some(more) => more.strip_prefix('-').is_some_and(|more| all(more, |c| c.is_ascii_lowercase())),
        None => false,
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    (arn == "arn" && is_partition && of == service && is_region(region) && is_account).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_take_what_the_models_expressions_take() {
        for (pattern, fits, fits_not) in [
            (&NAME, &["a", "A-b_c.9", "."][..], &["", "a b", "ä", "a/b"][..]),
            (&CLIENT_TOKEN, &["0-_Z"], &["", "a.b"]),
            (
                &DEAD_LETTER_ARN,
                &["arn:aws:sqs:us-east-1:123456789012:q", "arn:aws-cn:sqs:cn-north-1:123456789012:Q_1-"],
                &[
                    "arn:aws:sqs:us-east-1:123456789012:q.fifo",
                    "arn:aws:sqs:us-east-1:12345678901:q",
                    "arn:aws:sqs::123456789012:q",
                    "arn:aws:sns:us-east-1:123456789012:q",
                    "arn:aws-:sqs:us-east-1:123456789012:q",
                    "arn:awsx:sqs:us-east-1:123456789012:q",
                    "arn:aws:sqs:us-east-1:123456789012",
                    " arn:aws:sqs:us-east-1:123456789012:q",
                ],
            ),
            (
                &KMS_KEY_ARN,
                &["arn:aws:kms:eu-west-1:123456789012:key/1-2", "arn:aws:kms:eu-west-1:123456789012:alias/"],
                &["arn:aws:kms:eu-west-1:123456789012:1-2"],
            ),
            (
                &ROLE_ARN,
                &["arn:aws:iam::123456789012:role/r", "arn:aws:iam::123456789012:role/path/of=r@x,y+z."],
                &[
                    "arn:aws:iam::123456789012:role/",
                    "arn:aws:iam:us-east-1:123456789012:role/r",
                    "arn:aws:iam::1:role/r",
                ],
            ),
            (
                &TAG_RESOURCE_ARN,
                &["arn:aws:scheduler:us-east-1:123456789012:schedule-group/default"],
                &["arn:aws:scheduler:us-east-1:123456789012:schedule/default/x"],
            ),
        ] {
            for text in fits {
                assert!((pattern.matches)(text), "{text:?} and {}", pattern.text);
            }
            for text in fits_not {
                assert!(!(pattern.matches)(text), "{text:?} and {}", pattern.text);
            }
        }
    }
}
