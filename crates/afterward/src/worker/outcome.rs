//! What handlers may return.

use crate::source::Cause;

/// What a handler's future may come to: `()`, or a `Result<(), E>` where `E` is whatever `?` turns into a [`Cause`].
///
/// `Ok` deletes the message. An error leaves it for another attempt, by the handler's policy; [`Retry`](crate::Retry) and
/// [`Fail`](crate::Fail), alone or as some error's source, say otherwise.
#[diagnostic::on_unimplemented(
    message = "a handler can't return `{Self}`",
    label = "neither `()` nor a `Result<(), E>`",
    note = "a handler returns `()` or a `Result<(), E>`, where `E` is an error type, `anyhow::Error`, `String` or `&str`"
)]
pub trait Outcome: sealed::Sealed {
    #[doc(hidden)]
    fn into_result(self) -> Result<(), Cause>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), Cause> {
        Ok(())
    }
}

impl<E: Into<Cause>> Outcome for Result<(), E> {
    fn into_result(self) -> Result<(), Cause> {
        self.map_err(Into::into)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl<E> Sealed for Result<(), E> {}
}
