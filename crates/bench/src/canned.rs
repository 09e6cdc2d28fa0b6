//! Answers that are the same every time, of the sizes that a broker's have: what the pipeline would be if a request were no
//! work. With flushes, each answer waits for a page that was flushed after its request had come, and shares it with whoever
//! waits by then.

use crate::{body::BODY_BYTES, flush::Flusher, shapes::CANNED_MD5, sqs::BATCH, trouble::Trouble};
use bytes::Bytes;
use std::{path::Path, thread};
use tokio::sync::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    oneshot,
};

/// What the bare server does before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Answers {
    /// Nothing, and it answers as to a SendMessage, whatever the action: R.
    Sends,
    /// Nothing, and it answers as the action is answered.
    Actions,
    /// The same, once a page is flushed, by the thread that serves.
    FlushedHere,
    /// The same, by a thread that does nothing else.
    FlushedBeside,
}

impl Answers {
    /// As the command line calls it.
    pub fn name(self) -> &'static str {
        match self {
            Answers::Sends => "sends",
            Answers::Actions => "actions",
            Answers::FlushedHere => "flushed-here",
            Answers::FlushedBeside => "flushed-beside",
        }
    }
}

/// The answers.
#[derive(Debug, Clone)]
pub struct Canned {
    send: Bytes,
    /// Of each action, unless all are answered alike.
    actions: Option<[(&'static str, Bytes); 3]>,
    flushes: Option<UnboundedSender<oneshot::Sender<()>>>,
}

impl Canned {
    /// Within a runtime of one thread. Pages are flushed in a file in `work`.
    ///
    /// # Errors
    /// When no page can be written there.
    pub fn new(answers: Answers, work: &Path) -> Result<Canned, Trouble> {
        let flushes = match answers {
            Answers::Sends | Answers::Actions => None,
            Answers::FlushedHere | Answers::FlushedBeside => {
                let (asks, asked) = unbounded_channel();
                let flusher = Flusher::as_the_server(work)?;
                if answers == Answers::FlushedHere {
                    tokio::spawn(flush(asked, flusher));
                } else {
                    let runtime = tokio::runtime::Builder::new_current_thread().build();
                    let runtime = runtime.map_err(Trouble::because("there is no runtime"))?;
                    thread::spawn(move || runtime.block_on(flush(asked, flusher)));
                }
                Some(asks)
            }
        };
        let send = format!(r#"{{"MessageId":"{ID}","MD5OfMessageBody":"{CANNED_MD5}"}}"#).into();
        Ok(Canned { send, actions: (answers != Answers::Sends).then(actions), flushes })
    }

    /// The answer to a request with this target.
    pub(crate) async fn answer(&self, headers: &http::HeaderMap) -> Bytes {
        let Some(actions) = &self.actions else { return self.send.clone() };
        if let Some(flushes) = &self.flushes {
            let (told, flushed) = oneshot::channel();
            // Where there is nobody to flush any more, there is no answer.
            if flushes.send(told).is_err() || flushed.await.is_err() {
                return Bytes::new();
            }
        }
        let target = headers.get("x-amz-target").map_or(&b""[..], |target| target.as_bytes());
        let found = actions.iter().find(|(action, _)| target.ends_with(action.as_bytes()));
        found.map_or_else(|| self.send.clone(), |(_, body)| body.clone())
    }
}

/// Flushes for all who have asked by then, again and again.
async fn flush(mut asked: UnboundedReceiver<oneshot::Sender<()>>, mut flusher: Flusher) {
    const AT_ONCE: usize = 64;
    let mut waiting = Vec::new();
    while asked.recv_many(&mut waiting, AT_ONCE).await > 0 {
        if flusher.flush().is_err() {
            return;
        }
        for told in waiting.drain(..) {
            // Who has gone needs no answer.
            let _ = told.send(());
        }
    }
}

/// As long as ours.
const RECEIPT_BYTES: usize = 47;
const ID: &str = "5fea7756-0ea4-451a-a703-a558b933e274";

fn actions() -> [(&'static str, Bytes); 3] {
    let list = |entry: &dyn Fn(usize) -> String| (0..BATCH).map(entry).collect::<Vec<_>>().join(",");
    let sent = |at| format!(r#"{{"Id":"{at}","MessageId":"{ID}","MD5OfMessageBody":"{CANNED_MD5}"}}"#);
    let (body, receipt) = ("x".repeat(BODY_BYTES), "r".repeat(RECEIPT_BYTES));
    let message =
        |_| format!(r#"{{"MessageId":"{ID}","ReceiptHandle":"{receipt}","MD5OfBody":"{CANNED_MD5}","Body":"{body}"}}"#);
    let deleted = |at| format!(r#"{{"Id":"{at}"}}"#);
    [
        ("SendMessageBatch", format!(r#"{{"Successful":[{}],"Failed":[]}}"#, list(&sent)).into()),
        ("ReceiveMessage", format!(r#"{{"Messages":[{}]}}"#, list(&message)).into()),
        ("DeleteMessageBatch", format!(r#"{{"Successful":[{}],"Failed":[]}}"#, list(&deleted)).into()),
    ]
}
