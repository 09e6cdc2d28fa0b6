//! A handler that passes messages of one type on to further handlers, by a member of their payload.
//!
//! It is a handler like another to the worker: one place, with one policy and its limits. What a part's handler takes is read
//! from the payload only when it is that part's turn.

use super::{
    Handler, Job, Route, Unknown, extract::States, handler::Input, handling::Setup, service::Endpoint, verdict::Fail,
};
use crate::{Message, source::Cause};
use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    marker::PhantomData,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

/// So many values without a handler are remembered as told: more are no names, but data.
const MOST_TOLD: usize = 1_000;

/// A handler that is itself a router, on a member of its messages' payload: the second level of dispatch.
///
/// ```no_run
/// use afterward::{Context, Message, Queue, Router, Worker};
/// use serde::{Deserialize, Serialize};
///
/// /// `{"kind":"opened","account":…}`, `{"kind":"closed","account":…,"reason":…}` and others.
/// #[derive(Serialize, Deserialize, Message)]
/// #[message(type = "crm:event")]
/// struct CrmEvent(serde_json::Value);
///
/// #[derive(Deserialize)]
/// struct Opened {
///     account: u32,
/// }
///
/// #[derive(Deserialize)]
/// struct Closed {
///     account: u32,
///     reason: String,
/// }
///
/// async fn opened(opened: Opened, cx: Context) {
///     println!("{} is a customer, says {}", opened.account, cx.message_id());
/// }
///
/// async fn closed(closed: Closed) -> Result<(), std::io::Error> {
///     println!("{} is gone: {}", closed.account, closed.reason);
///     Ok(())
/// }
///
/// # async fn example(queue: Queue) -> Result<(), afterward::Error> {
/// let crm = Router::<CrmEvent>::by("kind").on("opened", opened).on("closed", closed);
/// Worker::new(queue).on(crm).run().await?;
/// # Ok(())
/// # }
/// ```
///
/// The handlers in it take what they read from the whole payload, and then extractors like any handler. Limits, retries,
/// timeouts and layers are set around the router, by [`handler(router)`](crate::handler()), and hold for all of its messages.
///
/// What becomes of a message whose member has no handler, is no text or is not there, says
/// [`unknown`](Router::unknown).
pub struct Router<M> {
    field: &'static str,
    parts: BTreeMap<&'static str, Part>,
    otherwise: Option<Part>,
    unknown: Unknown,
    /// What is wrong with how it was put together.
    defect: Option<String>,
    told: Mutex<BTreeSet<String>>,
    takes: PhantomData<fn(M)>,
}

/// A handler in the router.
struct Part {
    route: Route,
    lacks: Lacks,
}

/// What a worker with these states lacks for a handler.
type Lacks = Box<dyn Fn(&States) -> Option<String> + Send + Sync>;

/// Marks routers among handlers.
#[doc(hidden)]
pub struct ByMember(());

impl<M: Message> Router<M> {
    /// A router without handlers, by the member `field` of the payload: a text.
    #[must_use]
    pub fn by(field: &'static str) -> Router<M> {
        Router {
            field,
            parts: BTreeMap::new(),
            otherwise: None,
            unknown: Unknown::default(),
            defect: None,
            told: Mutex::default(),
            takes: PhantomData,
        }
    }

    /// Adds the handler of messages in whose payload the member has this value. A value has one handler.
    #[must_use]
    pub fn on<T, A>(mut self, value: &'static str, handler: impl Handler<T, A>) -> Router<M>
    where
        T: DeserializeOwned + Send + 'static,
        A: 'static,
    {
        let part = self.part(handler, read_payload::<T>);
        if self.parts.insert(value, part).is_some() {
            self.defect = Some(format!("two handlers for `{}` `{value}`: a value has one", self.field));
        }
        self
    }

    /// Sets the handler of messages whose member has no handler of its own; it takes the whole message.
    #[must_use]
    pub fn otherwise<A: 'static>(mut self, handler: impl Handler<M, A>) -> Router<M> {
        self.otherwise = Some(self.part(handler, M::read));
        self
    }

    /// What becomes of messages for which there is no handler, where there is no [`otherwise`](Router::otherwise). Unless
    /// set, [`Unknown::DeadLetter`]: they fail for good. With [`Unknown::Ignore`] they are done, and each value is warned of
    /// once.
    #[must_use]
    pub fn unknown(mut self, then: Unknown) -> Router<M> {
        self.unknown = then;
        self
    }

    fn part<I, A, H>(&mut self, mut handler: H, read: fn(&Job) -> Result<I, Cause>) -> Part
    where
        I: Send + 'static,
        A: 'static,
        H: Handler<I, A>,
    {
        let mut setup = Setup::default();
        handler.set_up(&mut setup);
        if !setup.is_empty() {
            self.defect = Some(
                "what is set around a handler within a router would not be looked at: set it around the router, \
                 handler(router)"
                    .to_owned(),
            );
        }
        let handler = Arc::new(handler);
        let asked = handler.clone();
        Part {
            route: Route::new(Reading { handler, read, arguments: PhantomData }),
            lacks: Box::new(move |states| asked.lacks(states)),
        }
    }

    /// Says, once for each value, that a message was ignored.
    fn tell(&self, value: Option<&str>, why: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let name = value.unwrap_or_default();
        if told.len() < MOST_TOLD && !told.contains(name) {
            told.insert(name.to_owned());
            tracing::warn!(message_type = M::TYPE, "{why}; such messages are ignored, which is said once");
        }
    }

    fn nobody(&self, value: Option<&str>) -> Result<(), Cause> {
        let field = self.field;
        let why = match value {
            Some(value) => format!("no handler for `{}` messages whose `{field}` is `{value}`", M::TYPE),
            None => format!("the payload of this message of type `{}` has no text `{field}` to choose by", M::TYPE),
        };
        match self.unknown {
            Unknown::DeadLetter => Err(Fail::new(why).into()),
            Unknown::Retry => Err(why.into()),
            Unknown::Ignore => {
                self.tell(value, &why);
                Ok(())
            }
        }
    }
}

#[diagnostic::do_not_recommend]
impl<M: Message> Handler<M, ByMember> for Router<M> {
    async fn handle(&self, _: M, job: Job) -> Result<(), Cause> {
        let value = member(payload(&job), self.field);
        let part = value.as_deref().and_then(|value| self.parts.get(value)).or(self.otherwise.as_ref());
        match part {
            Some(part) => part.route.run(job).await,
            None => self.nobody(value.as_deref()),
        }
    }

    fn lacks(&self, states: &States) -> Option<String> {
        if self.parts.is_empty() && self.otherwise.is_none() {
            return Some("a router without handlers: add .on(…)".to_owned());
        }
        let lacking = || self.parts.values().chain(&self.otherwise).find_map(|part| (part.lacks)(states));
        self.defect.clone().or_else(lacking)
    }
}

impl<M> fmt::Debug for Router<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<_> = self.parts.keys().collect();
        f.debug_struct("Router").field("by", &self.field).field("on", &values).finish_non_exhaustive()
    }
}

/// A handler, and how its input is read.
struct Reading<H, I, A> {
    handler: Arc<H>,
    read: fn(&Job) -> Result<I, Cause>,
    arguments: PhantomData<fn(A)>,
}

impl<H, I, A> Endpoint for Reading<H, I, A>
where
    H: Handler<I, A>,
    I: Send + 'static,
    A: 'static,
{
    fn run(self: Arc<Self>, job: Job) -> Pin<Box<dyn Future<Output = Result<(), Cause>> + Send>> {
        Box::pin(async move {
            let input = (self.read)(&job)?;
            self.handler.handle(input, job).await
        })
    }
}

fn payload(job: &Job) -> &str {
    job.context().hand().payload().unwrap_or("null")
}

fn read_payload<T: DeserializeOwned>(job: &Job) -> Result<T, Cause> {
    serde_json::from_str(payload(job)).map_err(|error| {
        let name = job.message_type().unwrap_or_default();
        format!("the payload of this message of type `{name}` can't be read for its handler: {error}").into()
    })
}

/// The text that the member `field` of a JSON object is; the rest of the object is passed over.
fn member(payload: &str, field: &str) -> Option<String> {
    let mut json = serde_json::Deserializer::from_str(payload);
    Member(field).deserialize(&mut json).ok().flatten()
}

struct Member<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<String>, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.0 {
                // Of several the last counts, as in JavaScript.
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}
