//! Which service a request is for.

use afterward_aws::{Incoming, Protocol, Service, scheduler, service_of, sqs::TARGET_HEADER};
use http::{Method, header::CONTENT_TYPE};

/// The service that a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    Sqs(Protocol),
    /// EventBridge Scheduler, which is called by path.
    Scheduler,
    Sts,
    /// The front door; what follows `/jobs` in the path, without its slash.
    Jobs(&'a str),
    /// What follows `/_afterward/` in the path.
    Admin(&'a str),
    /// `GET /` with no parameters: somebody looks with a browser.
    Welcome,
    /// An AWS call by a method that calls don't come by. A `HEAD` that received would throw its messages away.
    Uncallable,
    Nowhere,
}

impl<'a> Route<'a> {
    /// AWS calls say what they are in a header or a parameter, wherever they are sent; all else goes by its path.
    pub(crate) fn of(incoming: &Incoming<'a>) -> Route<'a> {
        let path = incoming.uri.path();
        let is_call = matches!(*incoming.method, Method::GET | Method::POST);
        if incoming.headers.contains_key(TARGET_HEADER) {
            // An unknown target gets SQS's own answer.
            return if is_call { Route::Sqs(Protocol::Json) } else { Route::Uncallable };
        }
        if let Some(rest) = path.strip_prefix("/_afterward/") {
            return Route::Admin(rest);
        }
        if let Some(rest) = path.strip_prefix("/jobs") {
            if rest.is_empty() {
                return Route::Jobs("");
            }
            if let Some(id) = rest.strip_prefix('/') {
                return Route::Jobs(id);
            }
        }
        if scheduler::is_path(path) {
            return Route::Scheduler;
        }
        match service_of(incoming) {
            Some(_) if !is_call => Route::Uncallable,
            Some(Service::Sqs(protocol)) => Route::Sqs(protocol),
            Some(Service::Sts) => Route::Sts,
            None if is_form(incoming) => Route::Sqs(Protocol::Query),
            None if path == "/" && matches!(*incoming.method, Method::GET | Method::HEAD) => {
                match incoming.uri.query() {
                    None | Some("") => Route::Welcome,
                    // Parameters without an `Action`, as SDKs presign since they speak JSON: a 200 would pass for done.
                    Some(_) => Route::Sqs(Protocol::Query),
                }
            }
            None => Route::Nowhere,
        }
    }
}

/// A form without an `Action` is a Query call that forgot it: SQS says so best.
fn is_form(incoming: &Incoming<'_>) -> bool {
    let content_type = incoming.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    *incoming.method == Method::POST && content_type.starts_with("application/x-www-form-urlencoded")
}
