//! Secure connections that can't be made, said for the person who has to mend it.
//!
//! What is wrong here stays wrong until somebody changes a certificate or an address, so nobody waits for it to pass.

#[cfg(feature = "tls")]
use rustls::CertificateError;
use std::error::Error as StdError;
#[cfg(feature = "tls")]
use std::io;

/// Why no secure connection was made, and what to do; `None`, where the reason is another one, such as nobody listening.
#[cfg(feature = "tls")]
pub(super) fn refusal(error: &(dyn StdError + 'static)) -> Option<String> {
    match find::<rustls::Error>(error)? {
        rustls::Error::InvalidCertificate(why) => Some(of_certificate(why)),
        rustls::Error::InvalidMessage(_) => {
            Some("what listens there does not speak TLS: is it http:// instead of https://?".to_owned())
        }
        rustls::Error::PeerIncompatible(why) => Some(format!(
            "the server and this client have no version or cipher of TLS in common ({why:?}): the server needs TLS 1.2 or 1.3"
        )),
        _ => None,
    }
}

/// Whether what came was no HTTP: a TLS server's answer to a request without TLS, perhaps.
pub(super) fn is_no_http(error: &(dyn StdError + 'static)) -> bool {
    std::iter::successors(Some(error), |error| (*error).source())
        .any(|error| error.downcast_ref().is_some_and(hyper::Error::is_parse))
}

#[cfg(feature = "tls")]
fn of_certificate(why: &CertificateError) -> String {
    use CertificateError::{
        BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, Other, Revoked, UnknownIssuer,
    };
    let trust = "the CA's certificate belongs among those that this machine trusts, or into a file of them that SSL_CERT_FILE names";
    match why {
        UnknownIssuer => {
            format!(
                "nobody whom this machine trusts has signed the server's certificate: if a CA of your own has, {trust}"
            )
        }
        // What webpki calls it, which is not told in any other way.
        Other(other) if other.0.to_string() == "CaUsedAsEndEntity" => format!(
            "the server's certificate is self-signed and a CA's, which can't be a server's: let that CA sign one for the server \
             (with basicConstraints CA:FALSE); {trust}"
        ),
        Expired | ExpiredContext { .. } => {
            "the server's certificate has expired: renew it (or is this machine's clock wrong?)".to_owned()
        }
        NotValidYet | NotValidYetContext { .. } => {
            "the server's certificate is not valid yet: is this machine's clock right?".to_owned()
        }
        NotValidForNameContext { presented, .. } => format!(
            "the server's certificate is for another name ({}): use an address with that name, or a certificate for this one",
            if presented.is_empty() { "it holds none".to_owned() } else { presented.join(", ") }
        ),
        NotValidForName => "the server's certificate is for another name".to_owned(),
        Revoked => "the server's certificate was revoked: it needs a new one".to_owned(),
        BadSignature => {
            "the server's certificate is not signed by whom it says: something may stand in between".to_owned()
        }
        other => format!("the server's certificate can't be accepted: {other}"),
    }
}

/// The first error of a type among an error and its causes. What an [`io::Error`] holds is not among its sources.
#[cfg(feature = "tls")]
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = held.map(|held| held as &(dyn StdError + 'static)).or_else(|| error.source());
    }
    None
}

#[cfg(all(test, feature = "tls"))]
mod tests {
    use super::*;
    use rustls::pki_types::{ServerName, UnixTime};
    use std::time::Duration;

    #[test]
    fn what_is_wrong_with_a_certificate_is_told_with_what_to_do() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let for_name = |presented: &[&str]| CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("sqs.example.com").unwrap(),
            presented: presented.iter().map(|name| (*name).to_owned()).collect(),
        };
        for (why, words) in [
            (CertificateError::UnknownIssuer, "SSL_CERT_FILE"),
            (CertificateError::ExpiredContext { time: at(2), not_after: at(1) }, "has expired: renew it"),
            (CertificateError::NotValidYetContext { time: at(1), not_before: at(2) }, "machine's clock right"),
            (for_name(&["a.example.com", "b.example.com"]), "for another name (a.example.com, b.example.com)"),
            (for_name(&[]), "for another name (it holds none)"),
            (CertificateError::BadEncoding, "can't be accepted: "),
        ] {
            // As it comes: held by one io::Error, and that by another.
            let tls = rustls::Error::InvalidCertificate(why);
            let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
            let told = refusal(&wrapped).unwrap();
            assert!(told.starts_with("the server's certificate ") || told.starts_with("nobody "), "{told}");
            assert!(told.contains(words), "{told}");
        }
        assert_eq!(refusal(&io::Error::from(io::ErrorKind::ConnectionRefused)), None);
        assert_eq!(refusal(&io::Error::other(rustls::Error::DecryptError)), None);
    }
}
