//! Which queue may be whose dead-letter queue.

use crate::queue::Queue;
use crate::{AttributeChanges, QueueId, RedriveAllowPolicy, Refusal, State};
use afterward_names::QueueAddress;

const POLICY: &str = "RedrivePolicy";

impl State {
    /// Whether the redrive policy among `changes`, if there is one, may be set on the queue at `source`. SQS looks when
    /// the policy is set; what becomes of the dead-letter queue later is found out when a message is to go there.
    pub(super) fn check_redrive(&self, source: &QueueAddress, changes: &AttributeChanges) -> Result<(), Refusal> {
        let Some(Some(policy)) = &changes.redrive else { return Ok(()) };
        let target = &policy.dead_letter_queue.0;
        if (target.account, &target.region) != (source.account, &source.region) {
            let reason = "Dead-letter target must be in the same account and region as the source.";
            return Err(Refusal::InvalidAttribute { attribute: POLICY, reason });
        }
        let Some(queue) = self.at(target) else {
            let reason = "Dead letter target does not exist.";
            return Err(Refusal::InvalidAttribute { attribute: POLICY, reason });
        };
        if queue.is_fifo() != source.name.is_fifo() {
            let reason = "Dead-letter queue must be same type of queue as the source.";
            return Err(Refusal::InvalidAttribute { attribute: POLICY, reason });
        }
        let allowed = match &queue.attributes.redrive_allow {
            None | Some(RedriveAllowPolicy::AllowAll) => true,
            Some(RedriveAllowPolicy::DenyAll) => false,
            Some(RedriveAllowPolicy::ByQueue(sources)) => sources.iter().any(|allowed| allowed.0 == *source),
        };
        if allowed { Ok(()) } else { Err(Refusal::RedriveDenied) }
    }

    /// Where a queue's messages go that keep failing, if there is such a queue now, and of the same kind.
    pub(super) fn dead_letter_target(&self, queue: &Queue) -> Option<DeadLetterTarget> {
        let policy = queue.attributes.redrive.as_ref()?;
        let target = self.at(&policy.dead_letter_queue.0).filter(|target| target.is_fifo() == queue.is_fifo())?;
        Some(DeadLetterTarget { queue: target.id, max_receive_count: policy.max_receive_count })
    }

    /// Whether a message has had all its receives in the queue where it is.
    pub(super) fn is_worn_out(&self, slot: u32, target: &DeadLetterTarget) -> bool {
        let received_here = self.sides.receive_count(slot).saturating_sub(self.sides.received_elsewhere(slot));
        received_here >= target.max_receive_count
    }
}

/// A redrive policy that can be followed.
pub(super) struct DeadLetterTarget {
    pub(super) queue: QueueId,
    pub(super) max_receive_count: u32,
}
