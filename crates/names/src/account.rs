//! The twelve digits that name an account.

use std::{fmt, str::FromStr};
use thiserror::Error;

/// An AWS account id: twelve decimal digits, leading zeros kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

/// The text is not twelve decimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an account id is 12 decimal digits")]
pub struct NotAnAccountId;

impl AccountId {
    /// The account of everybody whose access key id does not name one.
    pub const DEFAULT: AccountId = AccountId(0);

    /// The account that an access key id stands for: itself when it is twelve digits, else [`AccountId::DEFAULT`].
    pub fn of_access_key(access_key_id: &str) -> AccountId {
        access_key_id.parse().unwrap_or(AccountId::DEFAULT)
    }

    /// The digits as a number, below 10¹².
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// The account with these digits; `None` at 10¹² and above.
    pub fn from_u64(number: u64) -> Option<AccountId> {
        (number < 1_000_000_000_000).then_some(AccountId(number))
    }
}

impl FromStr for AccountId {
    type Err = NotAnAccountId;

    fn from_str(text: &str) -> Result<Self, NotAnAccountId> {
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotAnAccountId);
        }
        text.parse().map(AccountId).map_err(|_| NotAnAccountId)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_of_twelve_digits_names_its_account_and_any_other_the_default() {
        for (key, account) in [
            ("000000000042", "000000000042"),
            ("123456789012", "123456789012"),
            ("AKIAIOSFODNN7EXAMPLE", "000000000000"),
            ("1234567890123", "000000000000"),
            ("12345678901", "000000000000"),
            ("+23456789012", "000000000000"),
            ("", "000000000000"),
        ] {
            assert_eq!(AccountId::of_access_key(key).to_string(), account, "{key}");
        }
    }
}
