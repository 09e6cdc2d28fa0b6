//! Queues' addresses, ARNs and message groups.

use crate::reader::{Reader, Reason};
use crate::writer::Writer;
use afterward_machine::MessageKey;
use afterward_names::{AccountId, GroupId, MessageId, QueueAddress, QueueArn};

impl Writer<'_> {
    pub(crate) fn address(&mut self, address: &QueueAddress) {
        self.number(address.account.as_u64());
        self.text(address.region.as_str());
        self.text(address.name.as_str());
    }

    pub(crate) fn arn(&mut self, arn: &QueueArn) {
        self.address(&arn.0);
    }

    pub(crate) fn key(&mut self, key: MessageKey) {
        self.number(u64::from(key.slot));
        self.number(u64::from(key.generation));
    }

    pub(crate) fn id(&mut self, id: MessageId) {
        self.raw(id.as_bytes());
    }
}

impl Reader<'_> {
    pub(crate) fn address(&mut self) -> Result<QueueAddress, Reason> {
        Ok(QueueAddress {
            account: AccountId::from_u64(self.number()?).ok_or("an account has more than 12 digits")?,
            region: self.text()?.parse().map_err(|_| "a region is not one")?,
            name: self.text()?.parse().map_err(|_| "a queue name is not one")?,
        })
    }

    pub(crate) fn arn(&mut self) -> Result<QueueArn, Reason> {
        self.address().map(QueueArn)
    }

    pub(crate) fn key(&mut self) -> Result<MessageKey, Reason> {
        Ok(MessageKey { slot: self.narrow()?, generation: self.narrow()? })
    }

    pub(crate) fn id(&mut self) -> Result<MessageId, Reason> {
        self.array().map(MessageId::from_bytes)
    }

    pub(crate) fn group(&mut self) -> Result<GroupId, Reason> {
        self.text()?.parse().map_err(|_| "a message group is not one")
    }
}
