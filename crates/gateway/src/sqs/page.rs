//! Pages of lists: how many results, and where to go on.

use afterward_aws::Error;
use afterward_names::{QueueAddress, QueueArn, limits};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Where a page of a list begins and how much it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// After this queue; `None`: at the beginning.
    pub(super) after: Option<QueueAddress>,
    /// At most so many.
    pub(super) size: usize,
    /// Whether the caller goes on from page to page: without `MaxResults` there is one page only, as AWS has it.
    paged: bool,
}

impl Page {
    pub(super) fn asked_for(max_results: Option<i64>, next_token: Option<&str>) -> Result<Page, Error> {
        let size = match max_results {
            None => limits::LIST_PAGE,
            Some(asked) => usize::try_from(asked)
                .ok()
                .filter(|size| (1..=limits::LIST_PAGE).contains(size))
                .ok_or_else(|| Error::invalid_value(asked, "MaxResults", "Must be between 1 and 1000, if provided."))?,
        };
        let after = next_token.filter(|token| !token.is_empty()).map(read).transpose()?;
        Ok(Page { paged: max_results.is_some() || after.is_some(), after, size })
    }

    /// Cuts what was found to the page's size (it is one more where there is more), and makes the token for the rest.
    pub(super) fn cut(&self, found: &mut Vec<QueueAddress>) -> Option<String> {
        if found.len() <= self.size {
            return None;
        }
        found.truncate(self.size);
        found.last().filter(|_| self.paged).map(token)
    }
}

/// A token says after which queue to go on, and gives nobody more than they could have asked for.
fn token(last: &QueueAddress) -> String {
    URL_SAFE_NO_PAD.encode(last.arn().to_string())
}

fn read(token: &str) -> Result<QueueAddress, Error> {
    let arn = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let arn: Option<QueueArn> = arn.and_then(|text| text.parse().ok());
    arn.map(|arn| arn.0).ok_or_else(|| Error::invalid_value(token, "NextToken", "It was not given out by this action."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(name: &str) -> QueueAddress {
        format!("arn:aws:sqs:us-east-1:000000000000:{name}").parse::<QueueArn>().unwrap().0
    }

    #[test]
    fn a_page_that_was_cut_names_its_last_queue_for_the_next() {
        let page = Page::asked_for(Some(2), None).unwrap();
        let mut found = vec![queue("a"), queue("b"), queue("c")];
        let token = page.cut(&mut found).unwrap();
        assert_eq!(found.len(), 2);
        let next = Page::asked_for(Some(2), Some(&token)).unwrap();
        assert_eq!(next.after, Some(queue("b")));
        assert_eq!(next.cut(&mut vec![queue("c")]), None);
    }

    #[test]
    fn sizes_and_tokens_are_checked() {
        assert_eq!(Page::asked_for(None, Some("")).unwrap().size, 1000);
        for (max_results, token) in [(Some(0), None), (Some(1001), None), (Some(-1), None), (None, Some("nonsense!"))] {
            assert!(Page::asked_for(max_results, token).is_err(), "{max_results:?} {token:?}");
        }
    }
}
