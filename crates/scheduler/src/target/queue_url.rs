//! The queue that a `QueueUrl` in an input means.

use afterward_names::{QueueAddress, ScheduleAddress};

/// Reads `SCHEME://HOST/ACCOUNT/NAME`, or a bare `NAME`. What it doesn't say is as the schedule's: its account and its
/// region, unless the host is Amazon's and names one (`sqs.REGION.amazonaws.com`).
pub(super) fn queue(url: &str, schedule: &ScheduleAddress) -> Option<QueueAddress> {
    let (host, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?,
        None => ("", url),
    };
    let (account, name) = match path.split_once('/') {
        Some((account, name)) => (account.parse().ok()?, name),
        None => (schedule.group.account, path),
    };
    let region = host.strip_prefix("sqs.").and_then(|host| host.split_once(".amazonaws.com"));
    let region = match region {
        Some((region, _)) => region.parse().ok()?,
        None => schedule.group.region.clone(),
    };
    Some(QueueAddress { account, region, name: name.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use afterward_names::ScheduleArn;

    #[test]
    fn a_queue_url_is_read_with_the_schedule_for_what_it_leaves_out() {
        let ScheduleArn(schedule) = "arn:aws:scheduler:eu-west-1:000000000007:schedule/g/s".parse().unwrap();
        for (url, arn) in [
            ("http://127.0.0.1:4566/000000000000/jobs", "arn:aws:sqs:eu-west-1:000000000000:jobs"),
            ("https://sqs.us-west-2.amazonaws.com/123456789012/a.fifo", "arn:aws:sqs:us-west-2:123456789012:a.fifo"),
            ("jobs", "arn:aws:sqs:eu-west-1:000000000007:jobs"),
        ] {
            assert_eq!(queue(url, &schedule).unwrap().arn().to_string(), arn, "{url}");
        }
        for wrong in
            ["", "http://localhost", "http://localhost/", "http://localhost/a/b/c", "http://localhost/x/jobs", "a b"]
        {
            assert_eq!(queue(wrong, &schedule), None, "{wrong}");
        }
    }
}
