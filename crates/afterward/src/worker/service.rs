//! Handlers as `tower` services, so that layers can be put around them.
//!
//! A layer's service need not be `Clone`, as elsewhere: all jobs share it, one after another asks it to be ready and calls it, and
//! then they run side by side. So a rate limit is one limit, without a buffer before it.

use super::Job;
use crate::source::Cause;
use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};
use tokio::sync::Mutex;
use tower_layer::Layer;
use tower_service::Service;

type Running = Pin<Box<dyn Future<Output = Result<(), Cause>> + Send>>;

/// The way to a handler, with the layers put around it so far: what a [`tower` layer](Layer) is given. Always ready: how busy
/// a handler is, is decided before ([`Handling`](crate::Handling)).
#[derive(Clone)]
pub struct Route(Arc<dyn Endpoint>);

/// What a [`Route`] answers with.
pub struct RouteFuture(Running);

/// Where a job arrives.
pub(super) trait Endpoint: Send + Sync {
    fn run(self: Arc<Self>, job: Job) -> Running;
}

impl Route {
    pub(super) fn new(endpoint: impl Endpoint + 'static) -> Route {
        Route(Arc::new(endpoint))
    }

    pub(super) fn run(&self, job: Job) -> Running {
        self.0.clone().run(job)
    }
}

impl Service<Job> for Route {
    type Response = ();
    type Error = Cause;
    type Future = RouteFuture;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Cause>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, job: Job) -> RouteFuture {
        RouteFuture(self.run(job))
    }
}

impl Future for RouteFuture {
    type Output = Result<(), Cause>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Route")
    }
}

impl fmt::Debug for RouteFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RouteFuture")
    }
}

/// A `tower` layer that can be put around handlers: a `Layer<Route>` whose service takes a [`Job`], answers `()`, and fails with
/// whatever turns into a [`Cause`]. Implemented for every such layer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be put around handlers",
    label = "not a layer for jobs",
    note = "a layer is a `tower_layer::Layer<Route>` whose service is a `tower_service::Service<Job, Response = ()>`, `Send + 'static`, with a `Send` future and an error that converts into `Box<dyn Error + Send + Sync>`"
)]
pub trait Layered: sealed::Sealed + Send + 'static {
    #[doc(hidden)]
    fn around(self, route: Route) -> Route;
}

mod sealed {
    pub trait Sealed {}
}

impl<L> sealed::Sealed for L
where
    L: Layer<Route> + Send + 'static,
    L::Service: Service<Job, Response = (), Error: Into<Cause>, Future: Send + 'static> + Send + 'static,
{
}

impl<L> Layered for L
where
    L: Layer<Route> + Send + 'static,
    L::Service: Service<Job, Response = (), Error: Into<Cause>, Future: Send + 'static> + Send + 'static,
{
    fn around(self, route: Route) -> Route {
        Route::new(Shared(Mutex::new(self.layer(route))))
    }
}

/// A layer that has been chosen and not been put around anything yet.
pub(super) struct Layering(std::sync::Mutex<Around>);

type Around = Box<dyn FnOnce(Route) -> Route + Send>;

impl Layering {
    pub(super) fn of(layer: impl Layered) -> Layering {
        // Nobody locks this: a mutex makes it shareable, which a layer need not be.
        Layering(std::sync::Mutex::new(Box::new(|route| layer.around(route))))
    }

    pub(super) fn around(self, route: Route) -> Route {
        self.0.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)(route)
    }
}

/// A service that jobs take turns to call.
struct Shared<T>(Mutex<T>);

impl<T> Endpoint for Shared<T>
where
    T: Service<Job, Response = (), Error: Into<Cause>, Future: Send + 'static> + Send + 'static,
{
    fn run(self: Arc<Self>, job: Job) -> Running {
        Box::pin(async move {
            let running = {
                let mut service = self.0.lock().await;
                poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
                service.call(job)
            };
            running.await.map_err(Into::into)
        })
    }
}
