//! Pages of lists: how many results, and where to go on.

use super::refusal::invalid;
use afterward_aws::{Error, scheduler::Timestamp};
use afterward_names::{ScheduleGroupName, ScheduleName};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// How many results there are on a page of which nothing is said; the most that can be asked for.
const SIZE: usize = 100;

/// Where a page of a list begins, and how much it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page<T> {
    pub(super) size: usize,
    /// After this one; `None`: at the beginning.
    pub(super) after: Option<T>,
}

impl<T> Page<T> {
    pub(super) fn asked_for(
        max_results: Option<i64>,
        next_token: Option<&str>,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Page<T>, Error> {
        // The model has let nothing through but 1 to 100.
        let size = max_results.and_then(|size| usize::try_from(size).ok()).unwrap_or(SIZE).clamp(1, SIZE);
        let Some(token) = next_token else { return Ok(Page { size, after: None }) };
        let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        match text.and_then(|text| read(&text)) {
            Some(after) => Ok(Page { size, after: Some(after) }),
            None => Err(invalid("The NextToken you specify is not valid: it was not given out by this action.")),
        }
    }
}

/// A token says after which schedule to go on, and gives nobody more than they could have asked for.
pub(super) fn schedule_token((group, name): &(ScheduleGroupName, ScheduleName)) -> String {
    URL_SAFE_NO_PAD.encode(format!("{group}/{name}"))
}

pub(super) fn read_schedule(text: &str) -> Option<(ScheduleGroupName, ScheduleName)> {
    let (group, name) = text.split_once('/')?;
    Some((group.parse().ok()?, name.parse().ok()?))
}

pub(super) fn group_token(name: &ScheduleGroupName) -> String {
    URL_SAFE_NO_PAD.encode(name.as_str())
}

pub(super) fn read_group(text: &str) -> Option<ScheduleGroupName> {
    text.parse().ok()
}

/// A time as lists show it.
pub(super) fn date(ms: u64) -> Timestamp {
    Timestamp { ms: i64::try_from(ms).unwrap_or(i64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_lead_back_to_where_they_were_given_out() {
        let last = ("g.1".parse().unwrap(), "n-2".parse().unwrap());
        let page = Page::asked_for(Some(7), Some(&schedule_token(&last)), read_schedule).unwrap();
        assert_eq!((page.size, page.after), (7, Some(last.clone())));
        let page = Page::asked_for(None, Some(&group_token(&last.0)), read_group).unwrap();
        assert_eq!((page.size, page.after), (100, Some(last.0)));
        for token in ["", "nonsense!", "YQ", &URL_SAFE_NO_PAD.encode("a/b/c"), &URL_SAFE_NO_PAD.encode([0xff])] {
            assert!(Page::asked_for(None, Some(token), read_schedule).is_err(), "{token}");
        }
    }
}
