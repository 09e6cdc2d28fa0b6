//! Which characters and attributes a message may have, in AWS's codes.

use afterward_aws::{Code, Error};
use afterward_names::message_text::{NotAMessage, check_characters};

/// Checks a message's body.
pub(super) fn check_body(body: &str) -> Result<(), Error> {
    check_characters(body, "the message body").map_err(refused)
}

/// What is said of a message that can't be taken.
pub(super) fn refused(wrong: NotAMessage) -> Error {
    match wrong {
        NotAMessage::Character { .. } => Error::new(Code::InvalidMessageContents, wrong.to_string()),
        NotAMessage::Attribute(why) => Error::invalid_parameter_value(why),
    }
}
