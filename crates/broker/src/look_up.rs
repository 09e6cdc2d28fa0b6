//! The broker's reads of message contents: from memory, from the log, or from where compaction has moved them.

use crate::{
    Broker, OpenError, StoredMessage, Unavailable,
    contents::{failure, fetch_at_hand, fetch_off, message, traced_off},
};
use afterward_log::ReadError;
use afterward_machine::{Location, MessageKey};
use afterward_names::MessageId;
use bytes::Bytes;

/// What came of reading a message: `None` if it is gone by now, or why it can't be read.
pub(crate) type Read = Result<Option<StoredMessage>, Unavailable>;

/// How often a message may move while it is looked for. Each time, compaction has to have come by.
const MOVES: usize = 16;

impl Broker {
    /// The contents of messages, `None` for those that are gone by now.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn contents(&self, of: Vec<(MessageKey, Location)>) -> Result<Vec<Option<StoredMessage>>, Unavailable> {
        self.contents_apart(&of).await?.into_iter().collect()
    }

    /// The same for each by itself: one that can't be read does not keep the others back.
    ///
    /// # Errors
    /// When the partition is [`Unavailable`], or stops because the log's bytes are wrong.
    pub(crate) async fn contents_apart(&self, of: &[(MessageKey, Location)]) -> Result<Vec<Read>, Unavailable> {
        let places: Vec<_> = of.iter().map(|(_, at)| *at).collect();
        let records = self.records(&places).await;
        let mut contents = Vec::with_capacity(of.len());
        if let Ok(Some(records)) = records {
            let messages = records.iter().zip(&places).map(|(record, at)| message(record, *at));
            contents.extend(messages.map_while(|message| Some(Ok(Some(message.ok()?)))));
            if contents.len() == of.len() {
                return Ok(contents);
            }
            contents.clear();
        }
        // Something has moved or can't be read: one by one.
        for (key, at) in of {
            contents.push(self.content(*key, *at).await?);
        }
        Ok(contents)
    }

    async fn content(&self, key: MessageKey, mut at: Location) -> Result<Read, Unavailable> {
        for _ in 0..MOVES {
            let found = match self.records(&[at]).await {
                Ok(Some(records)) => records.first().map(|record| message(record, at)).transpose(),
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            if let Ok(Some(message)) = found {
                return Ok(Ok(Some(message)));
            }
            let now_at = self.read(move |state| state.message(key).map(|message| message.location)).await?;
            match (now_at, found) {
                (None, _) => return Ok(Ok(None)),
                (Some(now_at), _) if now_at != at => at = now_at,
                (Some(_), found) => {
                    let why = self.judge(found.err().unwrap_or_else(|| lost(at))).await?;
                    let (position, offset_bytes) = (at.position, at.offset_bytes);
                    tracing::error!(position, offset_bytes, error = %why, "a message can't be read from the log");
                    return Ok(Err(why));
                }
            }
        }
        Ok(Err(Unavailable::because("a message kept moving while it was read; try again")))
    }

    /// The texts of last failures, of messages and dropped jobs, by the locations that
    /// [`afterward_machine::MessageView::failure`] gives; `None` for those that are gone by now.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn failures(&self, of: Vec<(MessageId, Location)>) -> Result<Vec<Option<String>>, Unavailable> {
        let mut texts = Vec::with_capacity(of.len());
        for (id, at) in of {
            texts.push(self.last_failure(id, at).await?);
        }
        Ok(texts)
    }

    async fn last_failure(&self, id: MessageId, mut at: Location) -> Result<Option<String>, Unavailable> {
        for _ in 0..MOVES {
            let found = match self.records(&[at]).await {
                Ok(Some(records)) => records.first().map_or(Ok(None), |record| failure(record, at)).map(Some),
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            match found {
                Ok(Some(text)) => return Ok(text),
                Ok(None) => {}
                Err(error) => return Err(self.unreadable(error).await),
            }
            let now_at = self.read(move |state| state.job(id).and_then(|job| job.failure())).await?;
            match now_at {
                Some(now_at) if now_at != at => at = now_at,
                _ => return Ok(None),
            }
        }
        Err(Unavailable::because("what failed kept moving while it was read; try again"))
    }

    /// The records at `of`; `None` if one of them has been trimmed.
    pub(crate) async fn records(&self, of: &[Location]) -> Result<Option<Vec<Bytes>>, OpenError> {
        let mut found = self.shared().recent().records(of);
        let missing: Vec<_> = of.iter().zip(&found).filter(|(_, record)| record.is_none()).map(|(at, _)| *at).collect();
        if !missing.is_empty() {
            let log = &self.shared().log;
            let read = match fetch_at_hand(&**log, &missing) {
                Some(read) => read,
                None => match fetch_off(log.clone(), missing).await? {
                    Some(read) => read,
                    None => return Ok(None),
                },
            };
            let gaps = found.iter_mut().filter(|record| record.is_none());
            gaps.zip(read).for_each(|(gap, record)| *gap = Some(record));
        }
        Ok(found.into_iter().collect())
    }

    /// What is wrong is told; where the log's bytes are wrong, the partition stops.
    pub(crate) async fn unreadable(&self, error: OpenError) -> Unavailable {
        self.judge(error).await.unwrap_or_else(|stopped| stopped)
    }

    /// Why something can't be read now, perhaps; an error if the log's bytes are wrong, so that the partition stops.
    async fn judge(&self, error: OpenError) -> Result<Unavailable, Unavailable> {
        let error = traced_off(self.shared().log.clone(), error).await;
        match error.is_corruption() {
            true => Err(self.shared().corrupt(&error)),
            false => Ok(Unavailable::because(error.to_string())),
        }
    }
}

/// The state says that a live message or schedule is where the log says nothing is any more.
pub(crate) fn lost(at: Location) -> OpenError {
    OpenError::Read(ReadError::Trimmed { position: at.position, first: at.position + 1 })
}
