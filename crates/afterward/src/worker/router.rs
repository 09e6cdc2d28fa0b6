//! Which handler a message goes to, and how that is run.

use super::{
    Handler, Job, Route,
    extract::States,
    hand::Hand,
    handler::Input,
    handling::Setup,
    limit::Limit,
    policy::Policy,
    schedule::{Registered, TICK, Tick, TickSetup},
    service::{Endpoint, Layering},
};
use crate::{Message, Raw, message::checked_type, source::Cause};
use std::{collections::BTreeMap, marker::PhantomData, mem, pin::Pin, sync::Arc};

/// Handlers by message type, and one for everything else.
#[derive(Default)]
pub(super) struct Router {
    places: Vec<Place>,
    typed: BTreeMap<&'static str, usize>,
    otherwise: Option<usize>,
    /// A type that was given two handlers.
    twice: Option<&'static str>,
}

/// Says what a worker with these states lacks.
type Lacks = dyn Fn(&States) -> Option<String> + Send + Sync;

/// A handler's place in the worker.
struct Place {
    /// `otherwise` for the one that takes everything else.
    name: &'static str,
    route: Route,
    policy: Policy,
    limits: Vec<Limit>,
    lacks: Box<Lacks>,
}

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// To the handler in this place.
    Handler(usize),
    /// Nowhere: nobody handles it.
    Nobody,
    /// To a worker that has the schedule whose tick it is.
    Orphan,
    /// To a worker of a later version: an internal message of Afterward that this one does not know.
    Later,
    /// To be seen when its body has been fetched.
    Unread,
}

/// A handler together with what its implementation of [`Handler`] hangs on.
struct Of<H, I, A>(Arc<H>, PhantomData<fn(I, A)>);

impl<I: Input, A: 'static, H: Handler<I, A>> Endpoint for Of<H, I, A> {
    fn run(self: Arc<Self>, job: Job) -> Pin<Box<dyn Future<Output = Result<(), Cause>> + Send>> {
        Box::pin(async move {
            let input = I::read(&job)?;
            self.0.handle(input, job).await
        })
    }
}

/// All handlers as one service, for layers around all of them.
struct Table(Vec<Route>);

impl Endpoint for Table {
    fn run(self: Arc<Self>, job: Job) -> Pin<Box<dyn Future<Output = Result<(), Cause>> + Send>> {
        self.0[job.handler].run(job)
    }
}

impl Router {
    pub(super) fn on<M: Message, A: 'static>(&mut self, handler: impl Handler<M, A>) {
        let name = const { checked_type::<M>() };
        let place = self.place(name, handler);
        if self.typed.insert(name, place).is_some() {
            self.twice = Some(name);
        }
    }

    pub(super) fn otherwise<A: 'static>(&mut self, handler: impl Handler<Raw, A>) {
        self.otherwise = Some(self.place("otherwise", handler));
    }

    /// The place of a handler of ticks, and what was said of its schedule.
    pub(super) fn on_tick<A: 'static>(&mut self, handler: impl Handler<Tick, A>) -> (usize, TickSetup) {
        self.put("tick", handler)
    }

    pub(super) fn place<I: Input, A: 'static>(&mut self, name: &'static str, handler: impl Handler<I, A>) -> usize {
        self.put(name, handler).0
    }

    fn put<I: Input, A: 'static>(&mut self, name: &'static str, mut handler: impl Handler<I, A>) -> (usize, TickSetup) {
        let mut setup = Setup::default();
        handler.set_up(&mut setup);
        let handler = Arc::new(handler);
        let asked = handler.clone();
        let route = Route::new(Of(handler, PhantomData));
        self.places.push(Place {
            name,
            route: setup.layers.into_iter().fold(route, |route, layer| layer.around(route)),
            policy: setup.policy,
            limits: setup.limits,
            lacks: Box::new(move |states| asked.lacks(states)),
        });
        (self.places.len() - 1, setup.tick)
    }

    /// What is wrong with these handlers, if anything.
    pub(super) fn defect(&self, states: &States) -> Option<String> {
        if let Some(name) = self.twice {
            return Some(format!("two handlers for messages of type `{name}`: a type has one"));
        }
        if self.places.is_empty() {
            return Some("a worker without handlers: add .on(handler)".to_owned());
        }
        let lacking = |place: &Place| Some(format!("the handler of `{}`: {}", place.name, (place.lacks)(states)?));
        self.places.iter().find_map(lacking)
    }

    /// The way to all handlers, through these layers.
    pub(super) fn route(&self, layers: Vec<Layering>) -> Route {
        let table = Route::new(Table(self.places.iter().map(|place| place.route.clone()).collect()));
        layers.into_iter().fold(table, |route, layer| layer.around(route))
    }

    /// How each place's messages are treated when they fail, with what was left open taken from `defaults`.
    pub(super) fn policies(&mut self, defaults: &Policy) -> Vec<Policy> {
        self.places.iter_mut().map(|place| mem::take(&mut place.policy).or(defaults)).collect()
    }

    /// Each place's limits.
    pub(super) fn limits(&mut self) -> Vec<Vec<Limit>> {
        self.places.iter_mut().map(|place| mem::take(&mut place.limits)).collect()
    }

    /// The place that messages of this type go to.
    pub(super) fn place_of(&self, message_type: &str) -> Option<usize> {
        self.typed.get(message_type).copied()
    }

    /// Where a message goes.
    pub(super) fn destination(&self, hand: &Hand, schedules: &Registered) -> Destination {
        let message_type = hand.message_type();
        if let Some(place) = message_type.and_then(|name| self.place_of(name)) {
            return Destination::Handler(place);
        }
        if message_type == Some(TICK) {
            return tick_destination(hand, schedules);
        }
        if message_type.is_some_and(|name| name.starts_with("afterward:")) {
            return Destination::Later;
        }
        self.otherwise.map_or(Destination::Nobody, Destination::Handler)
    }

    /// Why nobody handles a message.
    pub(super) fn nobody(&self, message_type: Option<&str>) -> String {
        let known: Vec<String> = self.typed.keys().map(|name| format!("`{name}`")).collect();
        let known = known.join(", ");
        match message_type {
            Some(name) => format!("no handler for messages of type `{name}` in this worker, which handles {known}"),
            None => format!(
                "the body has no envelope ({{\"type\":…,\"payload\":…}}), and this worker handles only messages of type {known}"
            ),
        }
    }
}

/// Where a tick goes. One that can't be read is of a later version.
fn tick_destination(hand: &Hand, schedules: &Registered) -> Destination {
    match hand.payload().and_then(Tick::read) {
        Some(tick) => schedules.place_of(&tick.name).map_or(Destination::Orphan, Destination::Handler),
        None => Destination::Later,
    }
}
