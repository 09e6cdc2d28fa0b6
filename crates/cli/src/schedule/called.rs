//! What a schedule calls, in few words. Universal targets have an ARN that says only which action: what it is about stands
//! in the input.

use crate::target::queue_name;
use afterward::scheduler::Target;
use serde::Deserialize;

/// `arn:aws:sqs:us-east-1:000000000000:jobs`, `sqs:sendMessage → jobs`, `POST https://example.com/hook`.
pub(super) fn called(target: &Target) -> String {
    let arn = target.arn.as_str();
    let scheme = arn.split_once("://").map_or("", |(scheme, _)| scheme);
    if ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web)) {
        return format!("POST {arn}");
    }
    let Some((_, universal)) = arn.split_once(":scheduler:::") else { return arn.to_owned() };
    let input = target.input.as_deref().and_then(|input| serde_json::from_str(input).ok()).unwrap_or_default();
    match (universal, universal.strip_prefix("aws-sdk:"), input) {
        ("afterward:http", _, Input { url: Some(url), method, .. }) => {
            format!("{} {url}", method.as_deref().unwrap_or("POST"))
        }
        (_, Some(action), Input { queue_url: Some(queue), .. }) => format!("{action} → {}", queue_name(&queue)),
        (_, Some(action), _) => action.to_owned(),
        _ => arn.to_owned(),
    }
}

/// What of an input says what the call is about.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    queue_url: Option<String>,
    url: Option<String>,
    method: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_says_what_is_called() {
        let send = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";
        let http = "arn:aws:scheduler:::afterward:http";
        let queue = "arn:aws:sqs:us-east-1:000000000000:jobs";
        for (arn, input, expected) in [
            (queue, Some(r#"{"QueueUrl":"x","Url":"y"}"#), queue),
            (
                send,
                Some(r#"{"QueueUrl":"http://q:4566/000000000000/jobs","MessageBody":"b"}"#),
                "sqs:sendMessage → jobs",
            ),
            (
                "arn:aws-cn:scheduler:::aws-sdk:sqs:sendMessage",
                Some(r#"{"QueueUrl":"a/b.fifo"}"#),
                "sqs:sendMessage → b.fifo",
            ),
            (send, Some("no JSON"), "sqs:sendMessage"),
            ("arn:aws:scheduler:::aws-sdk:lambda:invoke", Some(r#"{"FunctionName":"f"}"#), "lambda:invoke"),
            (http, Some(r#"{"Url":"https://example.com/a"}"#), "POST https://example.com/a"),
            (
                http,
                Some(r#"{"Url":"https://example.com/a","Method":"DELETE","Body":[1]}"#),
                "DELETE https://example.com/a",
            ),
            (http, None, http),
            ("https://example.com/hook", Some("{}"), "POST https://example.com/hook"),
            ("HTTP://example.com/hook", None, "POST HTTP://example.com/hook"),
        ] {
            let target = Target { arn: arn.into(), input: input.map(Into::into), ..Target::default() };
            assert_eq!(called(&target), expected, "{arn} {input:?}");
        }
    }
}
