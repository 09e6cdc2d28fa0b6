//! What travels through layers to a handler.

use super::Context;
use http::Extensions;

/// One attempt at a message, as a request: what [`tower`'s](tower_service::Service) layers around handlers see
/// ([`Worker::layer`](crate::Worker::layer), [`Handling::layer`](crate::Handling::layer)), and what extractors read
/// ([`FromJob`](crate::FromJob)).
#[derive(Debug, Clone)]
pub struct Job {
    context: Context,
    extensions: Extensions,
    /// Which of the worker's handlers it is for.
    pub(super) handler: usize,
}

impl Job {
    pub(super) fn new(context: Context, handler: usize) -> Job {
        Job { context, extensions: Extensions::new(), handler }
    }

    /// All that is known of the attempt and its message.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The type that the message's envelope names, where it has an envelope.
    pub fn message_type(&self) -> Option<&str> {
        self.context.message_type()
    }

    /// What layers have added, for other layers and for [`Extension`](crate::Extension).
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// What layers have added, to add to.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }
}
