//! Arguments of handlers beside the message: [`Context`], [`State`], [`Extension`], and what users make.

use super::{Context, Job};
use crate::source::Cause;
use http::Extensions;
use std::{any::type_name, convert::Infallible, ops::Deref};

/// What a handler can take as an argument after its message.
///
/// ```
/// use afterward::{Cause, FromJob, Job, State};
/// # #[derive(Clone)] struct Pool;
/// # struct Connection;
/// # impl Pool { async fn get(&self) -> Result<Connection, std::io::Error> { Ok(Connection) } }
///
/// /// A connection of its own for each attempt.
/// struct Db(Connection);
///
/// impl FromJob for Db {
///     type Rejection = Cause;
///
///     async fn from_job(job: &Job) -> Result<Db, Cause> {
///         let State(pool) = State::<Pool>::from_job(job).await?;
///         Ok(Db(pool.get().await?))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler can't take `{Self}` as an argument",
    label = "not an extractor",
    note = "after its message a handler takes `Context`, `State<T>`, `Extension<T>`, `Job`, or types that implement `FromJob`"
)]
pub trait FromJob: Sized {
    /// Why there is none; the attempt fails with it.
    type Rejection: Into<Cause>;

    /// Makes the argument for one attempt.
    fn from_job(job: &Job) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;

    /// What a worker with these states lacks, so that it does not even start.
    #[doc(hidden)]
    fn lacks(_: &States) -> Option<String> {
        None
    }
}

/// A clone of what [`Worker::state`](crate::Worker::state) was given of type `T`: a pool, a client, settings.
///
/// ```
/// use afterward::{Message, State};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone)] struct Mailer;
/// # impl Mailer { async fn send(&self, _: &str) -> Result<(), std::io::Error> { Ok(()) } }
/// # #[derive(Serialize, Deserialize, Message)] #[message(type = "mail")] struct Mail { to: String }
///
/// async fn mail(mail: Mail, State(mailer): State<Mailer>) -> Result<(), std::io::Error> {
///     mailer.send(&mail.to).await
/// }
/// ```
///
/// A worker that was given no such state does not start, and says which handler needs it.
#[derive(Debug, Clone, Copy)]
pub struct State<T>(pub T);

/// A clone of what a layer put among the job's [extensions](Job::extensions_mut).
#[derive(Debug, Clone, Copy)]
pub struct Extension<T>(pub T);

/// What a worker was given, by type.
#[doc(hidden)]
#[derive(Debug, Clone, Default)]
pub struct States(Extensions);

impl States {
    pub(super) fn insert<T: Clone + Send + Sync + 'static>(&mut self, state: T) {
        self.0.insert(state);
    }

    pub(super) fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.get()
    }
}

impl FromJob for Context {
    type Rejection = Infallible;

    async fn from_job(job: &Job) -> Result<Context, Infallible> {
        Ok(job.context().clone())
    }
}

impl FromJob for Job {
    type Rejection = Infallible;

    async fn from_job(job: &Job) -> Result<Job, Infallible> {
        Ok(job.clone())
    }
}

impl<T: Clone + Send + Sync + 'static> FromJob for State<T> {
    type Rejection = String;

    async fn from_job(job: &Job) -> Result<State<T>, String> {
        job.context().state().cloned().map(State).ok_or_else(lacking_state::<T>)
    }

    fn lacks(states: &States) -> Option<String> {
        states.get::<T>().is_none().then(lacking_state::<T>)
    }
}

fn lacking_state<T>() -> String {
    format!("the worker has no state of type `{}`: add .state(…)", type_name::<T>())
}

impl<T: Clone + Send + Sync + 'static> FromJob for Extension<T> {
    type Rejection = String;

    async fn from_job(job: &Job) -> Result<Extension<T>, String> {
        let found = job.extensions().get().cloned().map(Extension);
        found.ok_or_else(|| format!("no layer gave the job an extension of type `{}`", type_name::<T>()))
    }
}

/// For what need not be there.
impl<T: FromJob> FromJob for Option<T> {
    type Rejection = Infallible;

    async fn from_job(job: &Job) -> Result<Option<T>, Infallible> {
        Ok(T::from_job(job).await.ok())
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Deref for Extension<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
