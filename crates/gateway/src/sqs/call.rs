//! One SQS call: who calls, by which address, and what the broker says.

use super::refusal;
use crate::{
    caller::Caller,
    gateway::{Exchange, Inner},
    http::room::Share,
    pending_calls,
    queue_url::{self, Origin},
};
use afterward_aws::{Code, Error, Protocol};
use afterward_broker::{
    Broker, Unavailable,
    machine::{Command, QueueView, Refusal, Reply, State},
};
use afterward_names::{AccountId, QueueAddress, QueueName, Region};
use http::HeaderValue;
use percent_encoding::percent_decode;

/// The longest text of a failure that is kept.
const FAILURE_BYTES: usize = 1024;

/// One SQS call.
pub(super) struct Call<'a> {
    gateway: &'a Inner,
    exchange: &'a Exchange<'a>,
    caller: Caller,
    protocol: Protocol,
}

impl<'a> Call<'a> {
    pub(super) fn new(exchange: &'a Exchange<'a>, caller: Caller, protocol: Protocol) -> Call<'a> {
        Call { gateway: exchange.gateway, exchange, caller, protocol }
    }

    /// What the reply will be written in.
    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// A share of the room for large replies; of nothing, to begin with.
    pub(super) fn share(&self) -> Share {
        self.exchange.share()
    }

    /// The reply will have this share.
    pub(super) fn reply_with(&self, share: Share) {
        self.exchange.reply_with(share);
    }

    pub(super) fn broker(&self) -> &Broker {
        &self.gateway.broker
    }

    /// Returns when the caller may have gone: nothing is to be waited for on their behalf.
    pub(super) async fn peer_left(&self) {
        self.exchange.peer_left().await;
    }

    /// Whether the broker's time passes by itself; else it stands until a test moves it.
    pub(super) fn time_passes(&self) -> bool {
        self.gateway.settings.clock.is_none()
    }

    /// Whether AWS's 60-second cool-downs are kept.
    pub(super) fn cooldowns(&self) -> bool {
        self.gateway.settings.cooldowns
    }

    pub(super) fn account(&self) -> AccountId {
        self.caller.account()
    }

    pub(super) fn region(&self) -> Region {
        self.caller.region()
    }

    /// What the messages sent by this call have as their `SenderId`.
    pub(super) fn sender(&self) -> Box<str> {
        self.caller.sender()
    }

    /// The queue that a URL means, to send to it, receive from it or change it.
    pub(super) fn queue(&self, url: &str) -> Result<QueueAddress, Error> {
        changeable(self.queue_to_look_at(url)?)
    }

    /// The queue that a URL means, to tell about it and change nothing.
    pub(super) fn queue_to_look_at(&self, url: &str) -> Result<QueueAddress, Error> {
        queue_url::resolve(url, &self.caller)
    }

    /// A queue of the caller's.
    pub(super) fn own_queue(&self, name: QueueName) -> QueueAddress {
        QueueAddress { account: self.account(), region: self.region(), name }
    }

    /// Whether the caller sees the queues of this account and region.
    pub(super) fn sees(&self, queue: &QueueAddress) -> bool {
        self.caller.signed_account().is_none_or(|account| account == queue.account)
            && self.caller.signed_region().is_none_or(|region| *region == queue.region)
    }

    /// The URL of a queue, by the address that the caller knows this server by.
    pub(super) fn url(&self, queue: &QueueAddress) -> String {
        Origin::of(self.exchange.incoming.headers).queue_url(queue.account, &queue.name)
    }

    /// A header of the request.
    pub(super) fn header(&self, name: &str) -> Option<&HeaderValue> {
        self.exchange.incoming.headers.get(name)
    }

    /// The text in the header `x-afterward-error`, percent-encoded UTF-8: why a consumer gives a message back, or
    /// up. Our extension of ChangeMessageVisibility and DeleteMessage.
    pub(super) fn failure(&self) -> Option<String> {
        let header = self.exchange.incoming.headers.get("x-afterward-error")?;
        let mut text = percent_decode(header.as_bytes()).decode_utf8_lossy().into_owned();
        text.truncate(text.floor_char_boundary(FAILURE_BYTES));
        Some(text)
    }

    /// Has the broker execute a command. Refusals are put into AWS's words by `explain`.
    pub(super) async fn execute(
        &self,
        command: Command,
        explain: impl FnOnce(Refusal) -> Error,
    ) -> Result<Reply, Error> {
        use afterward_broker::Failure;
        self.broker().execute(command).await.map_err(|failure| match failure {
            Failure::Refused(refusal) => explain(refusal),
            Failure::Unavailable(unavailable) => unavailable_error(unavailable),
        })
    }

    /// Reads the state.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.broker().read(read).await.map_err(unavailable_error)
    }

    /// Reads a queue, which has to be there.
    pub(super) async fn read_queue<T: Send + 'static>(
        &self,
        queue: QueueAddress,
        read: impl FnOnce(QueueView<'_>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        self.read(move |state| state.queue_at(&queue).map(read)).await?.ok_or_else(Error::queue_does_not_exist)
    }
}

/// The queue, unless it is the server's own.
pub(super) fn changeable(queue: QueueAddress) -> Result<QueueAddress, Error> {
    pending_calls::clients_own(queue).map_err(|own| Error::new(Code::UnsupportedOperation, own.to_string()))
}

/// The broker can't take the call now: 503.
pub(super) fn unavailable_error(unavailable: Unavailable) -> Error {
    Error::service_unavailable(unavailable.reason)
}

/// The broker's reply is not one to the command: a fault of ours.
pub(super) fn unexpected(reply: &Reply) -> Error {
    tracing::error!(?reply, "the broker's reply does not fit its command");
    Error::internal_failure()
}

/// A refusal that has the same words whatever the action.
pub(super) fn plainly(refusal: Refusal) -> Error {
    refusal::error(&refusal)
}
