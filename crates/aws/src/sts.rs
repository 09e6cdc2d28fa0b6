//! STS on the wire: `GetCallerIdentity`, in Query and XML.

use crate::{Error, Incoming, query, reply, xml};
use bytes::Bytes;
use http::{Response, StatusCode};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
pub(crate) const GET_CALLER_IDENTITY: &str = "GetCallerIdentity";

/// The one request there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetCallerIdentity;

/// Who called.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // AWS's members
pub struct CallerIdentity {
    pub account: String,
    pub arn: String,
    pub user_id: String,
}

/// Reads the request.
///
/// # Errors
/// `InvalidAction` for any other action, `MissingAction` for none.
pub fn parse(incoming: &Incoming<'_>) -> Result<GetCallerIdentity, Error> {
    match query::action(incoming).as_deref() {
        Some(GET_CALLER_IDENTITY) => Ok(GetCallerIdentity),
        Some(action) => Err(Error::invalid_action(action)),
        None => Err(Error::missing_action()),
    }
}

/// Writes the reply.
pub fn render(request_id: &str, outcome: &Result<CallerIdentity, Error>) -> Response<Bytes> {
    match outcome {
        Ok(identity) => {
            let mut writer = xml::Writer::new(0);
            writer.root("GetCallerIdentityResponse", NAMESPACE, |writer| {
                writer.element("GetCallerIdentityResult", |writer| {
                    writer.text("Arn", &identity.arn);
                    writer.text("UserId", &identity.user_id);
                    writer.text("Account", &identity.account);
                });
                xml::metadata(writer, request_id);
            });
            reply::xml(StatusCode::OK, request_id, writer.finish())
        }
        Err(error) => reply::xml(error.code.status(), request_id, xml::error(NAMESPACE, request_id, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_says_who_called() {
        let identity = CallerIdentity {
            account: "123456789012".into(),
            arn: "arn:aws:iam::123456789012:root".into(),
            user_id: "123456789012".into(),
        };
        let response = render("id-1", &Ok(identity));
        assert_eq!(response.headers()["content-type"], "text/xml");
        assert_eq!(response.headers()["x-amzn-requestid"], "id-1");
        assert_eq!(
            std::str::from_utf8(response.body()).unwrap(),
            "<?xml version=\"1.0\"?><GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:root</Arn><UserId>123456789012</UserId>\
             <Account>123456789012</Account></GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
        );
    }
}
