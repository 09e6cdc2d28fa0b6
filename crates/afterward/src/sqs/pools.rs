//! Connections that are kept for the next call: a pool for each runtime.
//!
//! A connection is driven by a task of the runtime that opened it. On another runtime a call over it would wait for as long as
//! that one stands still (between two `block_on`s, nobody drives a `current_thread` runtime), and would break when that one ends.
//! So a call takes only connections of its own runtime, whatever other runtimes do.
//!
//! A pool is made when its runtime first calls, and those of runtimes that have ended go when the next one is made. So there are
//! no more than runtimes that had not ended then, whatever has come and gone before. Nothing here knows what is sent and answered.

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, ResponseFuture, connect::Connect},
    rt::{TokioExecutor, TokioTimer},
};
use std::{
    future,
    sync::{PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    runtime::{Handle, Id},
    task::AbortHandle,
};

/// Shorter than the idle timeouts of the servers and balancers we know, so that we close first.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) type Body = Full<Bytes>;

/// The pools of all runtimes, whose connections `connector` opens.
pub(crate) struct Pools<C> {
    connector: C,
    /// A list, for most programs have one runtime.
    pools: RwLock<Vec<Pool<C>>>,
}

/// The connections of one runtime.
struct Pool<C> {
    runtime: Id,
    client: Client<C, Body>,
    /// A task that does nothing, and ends with the runtime: tokio tells of an end in no other way.
    lifeline: AbortHandle,
}

impl<C: Connect + Clone + Send + Sync + 'static> Pools<C> {
    pub(crate) fn new(connector: C) -> Pools<C> {
        Pools { connector, pools: RwLock::default() }
    }

    /// Sends a request over a connection of the runtime that this is called on.
    ///
    /// # Panics
    /// There is no runtime.
    pub(crate) fn request(&self, request: http::Request<Body>) -> ResponseFuture {
        let here = Handle::current();
        {
            let pools = self.pools.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(pool) = pools.iter().find(|pool| pool.is_of(here.id())) {
                // That makes a future and waits for nothing.
                return pool.client.request(request);
            }
        }
        self.first_request(request, &here)
    }

    /// The same where the runtime had no pool a moment ago.
    #[cold]
    fn first_request(&self, request: http::Request<Body>, here: &Handle) -> ResponseFuture {
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|pool| !pool.is_over());
        // Another thread of the runtime may have made it meanwhile.
        if let Some(pool) = pools.iter().find(|pool| pool.is_of(here.id())) {
            return pool.client.request(request);
        }
        let pool = Pool::new(here, self.connector.clone());
        let reply = pool.client.request(request);
        pools.push(pool);
        reply
    }
}

impl<C: Connect + Clone> Pool<C> {
    fn new(runtime: &Handle, connector: C) -> Pool<C> {
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .build(connector);
        let lifeline = runtime.spawn(future::pending::<()>()).abort_handle();
        Pool { runtime: runtime.id(), client, lifeline }
    }
}

impl<C> Pool<C> {
    /// Ids of runtimes that have ended may be given again.
    fn is_of(&self, runtime: Id) -> bool {
        self.runtime == runtime && !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.lifeline.is_finished()
    }
}

impl<C> Drop for Pool<C> {
    fn drop(&mut self) {
        self.lifeline.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqs::tests::server::{Server, ok};
    use hyper_util::client::legacy::connect::HttpConnector;
    use std::{sync::Arc, thread};
    use tokio::runtime::{self, Runtime};

    fn alone() -> Runtime {
        runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    async fn call(pools: &Pools<HttpConnector>, url: &str) {
        let mut request = http::Request::new(Body::default());
        *request.uri_mut() = url.parse().unwrap();
        assert!(pools.request(request).await.unwrap().status().is_success());
    }

    fn count(pools: &Pools<HttpConnector>) -> usize {
        pools.pools.read().unwrap().len()
    }

    /// A server, and the runtime that it runs on.
    fn serving() -> (Runtime, String) {
        let house = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = house.block_on(Server::ruled(|_| ok("{}")));
        (house, server.url())
    }

    #[test]
    fn runtimes_that_have_ended_leave_nothing_behind() {
        let (_house, url) = serving();
        let pools = Pools::new(HttpConnector::new());
        let lasting = alone();
        for _ in 0..10 {
            alone().block_on(call(&pools, &url));
            lasting.block_on(call(&pools, &url));
            assert!(count(&pools) <= 2, "that which lasts, and the one that has just ended");
        }
    }

    #[test]
    fn all_threads_of_a_runtime_share_a_pool() {
        let (_house, url) = serving();
        let pools = Arc::new(Pools::new(HttpConnector::new()));
        let wide = runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        let callers: Vec<_> = (0..16)
            .map(|_| {
                let (pools, url, wide) = (pools.clone(), url.clone(), wide.handle().clone());
                thread::spawn(move || wide.block_on(call(&pools, &url)))
            })
            .collect();
        for caller in callers {
            caller.join().unwrap();
        }
        assert_eq!(count(&pools), 1);
    }
}
