//! What a handler says about its failure: try again, or never again.
//!
//! [`Retry`] and [`Fail`] are errors, so that `?` carries them through any function. They are found again anywhere in an
//! error's chain of sources, whatever they were wrapped in, by a mark that each of them has as its source: some wrappers
//! (`anyhow`'s among them) hide the wrapped error's type, but none hides its sources.

use crate::source::Cause;
use std::{error::Error as StdError, fmt, time::Duration};

/// An error that says when to try again: whatever the policy says of the wait, within the policy's attempts.
///
/// ```
/// use afterward::{Cause, Retry};
/// use std::time::Duration;
///
/// async fn sync_customer(customer: u32) -> Result<(), Cause> {
///     if customer == 7 {
///         return Err(Retry::after(Duration::from_secs(90)).because("the CRM asked for patience"))?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Retry {
    cause: Option<Cause>,
    mark: Mark,
}

/// An error that says not to try again: the message is at once as if it had had all its attempts
/// ([`Exhausted`](crate::Exhausted)).
///
/// ```
/// use afterward::{Cause, Fail};
///
/// async fn charge(amount: i64) -> Result<(), Cause> {
///     if amount < 0 {
///         return Err(Fail::new("an amount can't be negative"))?;
///     }
///     let cents = i32::try_from(amount).map_err(Fail::new)?;
///     println!("{cents}");
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Fail {
    cause: Cause,
    mark: Mark,
}

impl Retry {
    /// To be tried again so long from now, in whole seconds, rounded up; twelve hours at most.
    pub fn after(wait: Duration) -> Retry {
        Retry { cause: None, mark: Mark::Retry(wait) }
    }

    /// Says why.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Cause>) -> Retry {
        self.cause = Some(cause.into());
        self
    }
}

impl Fail {
    /// Not to be tried again, for this reason: a text or an error.
    pub fn new(cause: impl Into<Cause>) -> Fail {
        Fail { cause: cause.into(), mark: Mark::Fail }
    }
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => f.write_str(&super::failure::describe(&**cause)),
            None => f.write_str("the handler asked for another attempt"),
        }
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::failure::describe(&*self.cause))
    }
}

impl StdError for Retry {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.mark)
    }
}

impl StdError for Fail {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.mark)
    }
}

/// What tells the worker. Without words of its own.
#[derive(Debug)]
enum Mark {
    Retry(Duration),
    Fail,
}

impl fmt::Display for Mark {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl StdError for Mark {}

/// What is to become of a message whose handler failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As the policy says.
    ByPolicy,
    RetryAfter(Duration),
    Permanent,
}

impl Verdict {
    /// What an error, or one of its sources, says.
    pub(super) fn of(error: &(dyn StdError + 'static)) -> Verdict {
        let mut next = Some(error);
        while let Some(error) = next {
            match error.downcast_ref() {
                Some(Mark::Retry(wait)) => return Verdict::RetryAfter(*wait),
                Some(Mark::Fail) => return Verdict::Permanent,
                None => next = error.source(),
            }
        }
        Verdict::ByPolicy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::failure::describe;
    use thiserror::Error;

    #[derive(Debug, Error)]
    enum Trouble {
        #[error("no invoice")]
        Invoice(#[source] Retry),
        #[error(transparent)]
        Given(#[from] Fail),
        #[error("no paper")]
        Paper,
    }

    #[test]
    fn a_verdict_is_found_whatever_it_is_wrapped_in() {
        let soon = || Retry::after(Duration::from_secs(9)).because("busy");
        let retry = Verdict::RetryAfter(Duration::from_secs(9));
        let table: [(Cause, Verdict, &str); 8] = [
            (soon().into(), retry, "busy"),
            (Retry::after(Duration::from_secs(9)).into(), retry, "the handler asked for another attempt"),
            (Trouble::Invoice(soon()).into(), retry, "no invoice: busy"),
            (Fail::new("no card").into(), Verdict::Permanent, "no card"),
            (Trouble::Given(Fail::new(Trouble::Paper)).into(), Verdict::Permanent, "no paper"),
            (Trouble::Paper.into(), Verdict::ByPolicy, "no paper"),
            (anyhow::Error::from(soon()).context("no invoice").into(), retry, "no invoice: busy"),
            (anyhow::Error::from(Fail::new("no card")).into(), Verdict::Permanent, "no card"),
        ];
        for (error, verdict, words) in table {
            assert_eq!((Verdict::of(&*error), &*describe(&*error)), (verdict, words));
        }
    }
}
