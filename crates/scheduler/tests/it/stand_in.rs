//! A stand-in for a target on the web: it tells what it is asked, and answers as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};

/// Of the statuses: no answer comes at all, and the connection stays.
pub(crate) const SILENCE: u16 = 0;

/// Of the statuses: 200, and then nothing of the body that it announces.
pub(crate) const HEAD_ALONE: u16 = 1;

pub(crate) struct StandIn {
    pub(crate) url: String,
    asked: mpsc::UnboundedReceiver<Asked>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    /// Whether it answers at all.
    speaks: watch::Sender<bool>,
}

/// A request.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl StandIn {
    /// Answers with these statuses, one after the other, and then with 200.
    pub(crate) async fn answering(statuses: &[u16]) -> StandIn {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, asked) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(statuses.iter().copied().collect::<VecDeque<_>>()));
        let of_server = answers.clone();
        let (speaks, may_speak) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, tell.clone(), of_server.clone(), may_speak.clone()));
            }
        });
        StandIn { url, asked, answers, speaks }
    }

    /// Takes requests, and answers nobody until it speaks.
    pub(crate) async fn hanging() -> StandIn {
        let hanging = StandIn::answering(&[]).await;
        hanging.speaks.send_replace(false);
        hanging
    }

    /// Answers whoever has asked, and from now on everybody, with 200.
    pub(crate) fn speak(&self) {
        self.speaks.send_replace(true);
    }

    /// The bodies of the requests that have come by now.
    pub(crate) fn bodies(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.asked.try_recv().ok()).map(|asked| asked.body).collect()
    }

    /// The next request.
    pub(crate) async fn asked(&mut self) -> Asked {
        let asked = tokio::time::timeout(std::time::Duration::from_secs(60), self.asked.recv()).await;
        asked.expect("a request comes").unwrap()
    }

    /// Whether all that it was told to answer has been asked, and nothing more.
    pub(crate) fn is_done(&mut self) -> bool {
        self.answers.lock().unwrap().is_empty() && self.asked.try_recv().is_err()
    }
}

async fn serve(
    stream: TcpStream,
    tell: mpsc::UnboundedSender<Asked>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    mut may_speak: watch::Receiver<bool>,
) {
    let mut stream = BufReader::new(stream);
    while let Some(asked) = read(&mut stream).await {
        let status = answers.lock().unwrap().pop_front().unwrap_or(200);
        let _ = tell.send(asked);
        if may_speak.wait_for(|speaks| *speaks).await.is_err() {
            return;
        }
        if status == SILENCE {
            std::future::pending::<()>().await;
        }
        if status == HEAD_ALONE {
            let _ = stream.get_mut().write_all(b"HTTP/1.1 200 Said\r\ncontent-length: 7\r\n\r\n").await;
            std::future::pending::<()>().await;
        }
        let answer = format!("HTTP/1.1 {status} Said\r\nlocation: /elsewhere\r\ncontent-length: 7\r\n\r\nno: {status}");
        if stream.get_mut().write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Asked> {
    let line = line(stream).await?;
    let mut headers = BTreeMap::new();
    while let Some((name, value)) = self::line(stream).await?.split_once(": ") {
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Asked { line, headers, body: String::from_utf8(body).unwrap() })
}

async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}
