//! One client, used by several runtimes.

use super::*;
use std::{
    net::SocketAddr,
    sync::{Mutex, mpsc},
    thread,
};
use tokio::{
    runtime::{self, Runtime},
    sync::oneshot,
};

/// How long to wait for what has to come, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

fn alone() -> Runtime {
    runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// One that is always driven.
fn house() -> Runtime {
    runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// A client that tries each call once, so that no second attempt hides what happened to the first.
fn once(server: &Server) -> Client {
    builder(&server.url()).attempts(1).timeout(PATIENCE).build().unwrap()
}

/// The address that a call came from, which tells its connection from others.
async fn caller(client: &Client) -> SocketAddr {
    let reply = client.get("/").await.unwrap();
    // hyper-util notes the connection on each reply.
    reply.extensions().get::<hyper_util::client::legacy::connect::HttpInfo>().unwrap().local_addr()
}

/// Lets a `current_thread` runtime do what is left to do after a reply, so that the connection is there for the next call.
async fn until_kept() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_call_does_not_wait_for_the_connection_of_a_runtime_that_stands_still() {
    let house = house();
    let client = once(&house.block_on(Server::ruled(|_| ok("{}"))));
    let call_on = |runtime: &Runtime| {
        runtime.block_on(async {
            let caller = caller(&client).await;
            until_kept().await;
            caller
        })
    };
    let still = alone();
    let of_still = call_on(&still);
    let other = alone();
    let of_other = call_on(&other);
    assert_ne!(of_still, of_other);
    // Each has kept its own, and goes on with it.
    assert_eq!((call_on(&still), call_on(&other)), (of_still, of_other));
    drop(still);
    assert_eq!(call_on(&other), of_other, "when the first has ended");
    call_on(&alone());
}

#[test]
fn a_call_under_way_does_not_end_with_the_runtime_that_called_before() {
    let house = house();
    let (arrived, arrival) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let server = house.block_on(Server::ruled(move |asked| {
        if asked.uri().path() == "/held" {
            arrived.send(()).unwrap();
            released.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        }
        ok("{}")
    }));
    let client = once(&server);
    let (end, ended) = oneshot::channel::<()>();
    let (called, has_called) = mpsc::channel();
    let before = thread::spawn({
        let client = client.clone();
        move || {
            alone().block_on(async {
                caller(&client).await;
                until_kept().await;
                called.send(()).unwrap();
                ended.await.unwrap();
            });
        }
    });
    has_called.recv_timeout(PATIENCE).unwrap();
    let other = self::house();
    let under_way = other.spawn(async move { client.get("/held").await });
    arrival.recv_timeout(PATIENCE).unwrap();
    end.send(()).unwrap();
    before.join().unwrap();
    release.send(()).unwrap();
    other.block_on(under_way).unwrap().unwrap();
}

#[tokio::test]
async fn nothing_runs_on_when_the_client_is_gone() {
    let house = house();
    let server = house.spawn(Server::ruled(|_| ok("{}"))).await.unwrap();
    let client = once(&server);
    caller(&client).await;
    let tasks = || runtime::Handle::current().metrics().num_alive_tasks();
    assert!(tasks() > 0);
    drop(client);
    tokio::time::timeout(PATIENCE, async {
        while tasks() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("tasks are left");
    house.shutdown_background();
}
