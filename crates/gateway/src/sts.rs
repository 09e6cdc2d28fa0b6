//! STS: tells callers which account they are taken for.

use crate::{gateway::Exchange, metrics::Outcome};
use afterward_aws::{
    Error,
    sts::{self, CallerIdentity},
};
use bytes::Bytes;
use http::Response;

/// Answers `GetCallerIdentity`.
pub(crate) fn serve(exchange: &Exchange<'_>) -> (Outcome, Response<Bytes>) {
    let outcome = identity(exchange);
    let code = outcome.as_ref().err().map_or("200", |error| error.code.query_code());
    (Outcome::of("sts", "GetCallerIdentity", code), sts::render(exchange.request_id, &outcome))
}

fn identity(exchange: &Exchange<'_>) -> Result<CallerIdentity, Error> {
    let caller = exchange.gateway.callers.identify(&exchange.incoming, Some("sts"))?;
    sts::parse(&exchange.incoming)?;
    let account = caller.account();
    Ok(CallerIdentity {
        account: account.to_string(),
        arn: format!("arn:aws:iam::{account}:root"),
        user_id: caller.sender().into(),
    })
}
