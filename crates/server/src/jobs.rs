//! The front door's queues.

use crate::{
    Config, StartError,
    config::{Credential, Jobs},
};
use afterward_broker::{
    Broker, Failure,
    machine::{AttributeChanges, Command, CreateQueue, RedrivePolicy, Refusal},
};
use afterward_names::{AccountId, QueueAddress, QueueName};
use std::collections::BTreeMap;

/// How many receives a job gets before it goes to the dead-letter queue.
const RECEIVES: u32 = 3;

/// The queue that takes the jobs.
pub(crate) fn address(jobs: &Jobs) -> QueueAddress {
    QueueAddress { account: jobs.account, region: jobs.region.clone(), name: jobs.queue.clone() }
}

/// Says so where every caller has to sign and nobody who can sign has the account that the jobs are in.
pub(crate) fn warn_without_consumers(config: &Config) {
    let account = config.jobs.account;
    let of = |credential: &Credential| {
        credential.account.unwrap_or_else(|| AccountId::of_access_key(&credential.access_key_id))
    };
    if !config.credentials.is_empty() && config.credentials.iter().all(|credential| of(credential) != account) {
        tracing::warn!(
            "no credential is of the account {account}, so nobody can receive what POST /jobs takes in: \
             set jobs.account to your consumers' account"
        );
    }
}

/// Creates the queue with its dead-letter queue, if it isn't there. One that is there stays as it is.
pub(crate) async fn create(broker: &Broker, jobs: &Jobs) -> Result<(), StartError> {
    let failed = |reason: String| StartError::JobsQueue { queue: jobs.queue.to_string(), reason };
    let queue = address(jobs);
    let looked_for = queue.clone();
    let is_there = broker.read(move |state| state.queue_at(&looked_for).is_some()).await;
    if is_there.map_err(|unavailable| failed(unavailable.reason))? {
        return Ok(());
    }
    let dead: QueueName = format!("{}-dlq", jobs.queue)
        .parse()
        .map_err(|_| failed("the name is too long for its dead-letter queue, NAME-dlq".into()))?;
    let dead_letter_queue = QueueAddress { name: dead, ..queue.clone() };
    let redrive = RedrivePolicy { dead_letter_queue: dead_letter_queue.arn(), max_receive_count: RECEIVES };
    let changes = AttributeChanges { redrive: Some(Some(redrive)), ..AttributeChanges::default() };
    for (queue, attributes) in [(dead_letter_queue, AttributeChanges::default()), (queue, changes)] {
        let command = CreateQueue { queue, attributes, tags: BTreeMap::new(), cooldown: false };
        match broker.execute(Command::CreateQueue(command)).await {
            // A dead-letter queue that is there already may be set up otherwise.
            Ok(_) | Err(Failure::Refused(Refusal::QueueExists { .. })) => {}
            Err(failure) => return Err(failed(failure.to_string())),
        }
    }
    Ok(())
}
