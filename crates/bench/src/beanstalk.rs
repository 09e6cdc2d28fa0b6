//! A client of beanstalkd's protocol, for the comparison: put, reserve and delete in the default tube.

use crate::{
    ledger::Proof,
    load::{Extent, Load, Reading, Times},
};
use std::{io, net::SocketAddr, time::Instant};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// One connection.
#[derive(Debug)]
struct Client {
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
    line: String,
    body: Vec<u8>,
}

fn unexpected(line: &str) -> io::Error {
    io::Error::other(format!("beanstalkd answered {:?}", line.trim()))
}

impl Client {
    async fn connect(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let stream = BufReader::with_capacity(4096, stream);
        Ok(Client { stream, request: Vec::new(), line: String::new(), body: Vec::new() })
    }

    async fn ask(&mut self) -> io::Result<&str> {
        self.stream.get_mut().write_all(&self.request).await?;
        self.line.clear();
        match self.stream.read_line(&mut self.line).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(&self.line),
        }
    }

    /// Puts one job; its number is entered once beanstalkd has it.
    async fn put(&mut self, load: &Load) -> io::Result<()> {
        let number = load.with_ledger(|ledger| {
            let number = ledger.take_number();
            let bodies = ledger.bodies();
            self.request.clear();
            // Priority 0, no delay, ten minutes to work.
            self.request.extend_from_slice(format!("put 0 0 600 {}\r\n", bodies.bytes()).as_bytes());
            let at = self.request.len();
            self.request.extend_from_slice(bodies.template());
            bodies.number(&mut self.request[at..], number);
            self.request.extend_from_slice(b"\r\n");
            number
        });
        let line = self.ask().await?;
        if !line.starts_with("INSERTED ") {
            return Err(unexpected(line));
        }
        load.with_ledger(|ledger| ledger.accepted(number));
        Ok(())
    }

    /// Reserves a job and deletes it; `false` if there is none.
    async fn take(&mut self, load: &Load) -> io::Result<bool> {
        self.request.clear();
        self.request.extend_from_slice(b"reserve-with-timeout 0\r\n");
        let line = self.ask().await?.trim().to_owned();
        if line == "TIMED_OUT" {
            return Ok(false);
        }
        let mut words = line.strip_prefix("RESERVED ").ok_or_else(|| unexpected(&line))?.split(' ');
        let (Some(id), Some(bytes)) = (words.next(), words.next().and_then(|bytes| bytes.parse::<usize>().ok())) else {
            return Err(unexpected(&line));
        };
        self.body.resize(bytes + 2, 0);
        self.stream.read_exact(&mut self.body).await?;
        load.with_ledger(|ledger| ledger.received(&self.body[..bytes], None));
        self.request.clear();
        self.request.extend_from_slice(format!("delete {id}\r\n").as_bytes());
        match self.ask().await? {
            "DELETED\r\n" => Ok(true),
            other => Err(unexpected(other)),
        }
    }
}

/// What a connection does over and over; the answer is whether there was anything to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Put,
    Cycle,
}

impl Load {
    /// Puts for a window of time.
    pub async fn beanstalk_puts(&self, connections: usize, times: Times) -> Reading {
        self.window(times, (0..connections).map(|_| self.clone().beanstalk_worker(Work::Put))).await
    }

    /// Put, reserve, delete, for a window of time.
    pub async fn beanstalk_cycles(&self, connections: usize, times: Times) -> Reading {
        self.window(times, (0..connections).map(|_| self.clone().beanstalk_worker(Work::Cycle))).await
    }

    /// Empties the tube, or takes a sample, and says whether every job came once and whole.
    pub async fn beanstalk_prove(&self, extent: Extent) -> Proof {
        self.until_done([self.clone().beanstalk_emptier(extent)]).await;
        self.proof(extent == Extent::All)
    }

    async fn beanstalk_worker(self, work: Work) {
        if let Err(error) = self.work_beanstalk(work).await {
            self.with_ledger(|ledger| ledger.failed(error.to_string()));
        }
    }

    async fn work_beanstalk(&self, work: Work) -> io::Result<()> {
        let mut client = Client::connect(self.target().address).await?;
        while !self.is_over() {
            let began = Instant::now();
            client.put(self).await?;
            while work == Work::Cycle && !client.take(self).await? {
                if self.is_over() {
                    return Ok(());
                }
            }
            self.count(1, began.elapsed());
        }
        Ok(())
    }

    async fn beanstalk_emptier(self, extent: Extent) {
        let enough = match extent {
            Extent::All => 0,
            Extent::Sample(count) => self.outstanding().saturating_sub(count),
        };
        let empty = async || {
            let mut client = Client::connect(self.target().address).await?;
            while (extent == Extent::All || self.outstanding() > enough) && client.take(&self).await? {}
            Ok::<_, io::Error>(())
        };
        if let Err(error) = empty().await {
            self.with_ledger(|ledger| ledger.failed(error.to_string()));
        }
    }
}
