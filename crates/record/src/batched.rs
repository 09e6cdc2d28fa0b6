//! What a message has to do with a batch: what the second versions of `Sent` and `MessageKept` begin with, before the
//! fields of the first.

use crate::reader::{Reader, Reason};
use crate::writer::Writer;
use afterward_machine::BatchTie;

const IN: u8 = 1;
const HELD: u8 = 2;
const AFTER: u8 = 3;

impl Writer<'_> {
    /// Nothing at all of a message that has nothing to do with one: it is written in the first version.
    pub(crate) fn batched(&mut self, tie: Option<&BatchTie>) {
        let (part, id) = match tie {
            None => return,
            Some(BatchTie::In(id)) => (IN, id),
            Some(BatchTie::Held(id)) => (HELD, id),
            Some(BatchTie::After(id)) => (AFTER, id),
        };
        self.byte(part);
        self.text(id.as_str());
    }
}

impl Reader<'_> {
    /// Of a second version, where it is always there.
    pub(crate) fn batched(&mut self) -> Result<Option<BatchTie>, Reason> {
        let part = self.byte()?;
        let id = self.text()?.parse().map_err(|_| "a batch's name is not one")?;
        match part {
            IN => Ok(Some(BatchTie::In(id))),
            HELD => Ok(Some(BatchTie::Held(id))),
            AFTER => Ok(Some(BatchTie::After(id))),
            _ => Err("what a message has to do with a batch is of no known kind"),
        }
    }
}
