//! TLS where it can't be had: told at once, and with what to do.

use super::*;
use crate::{Queue, Source, SourceError};
use rustls::{
    ServerConfig, ServerConnection,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::net::TcpListener;

const KEY: &str = include_str!("../../../tests/tls/server-key.pem");

/// The port of a server that speaks TLS with this certificate, for as long as the test's process lives.
fn tls_server(certificate: &str) -> u16 {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut connection = ServerConnection::new(config.clone()).unwrap();
            // It ends as the client has it.
            let _ = connection.complete_io(&mut stream.unwrap());
        }
    });
    port
}

#[tokio::test]
async fn a_connection_that_can_not_be_secure_is_told_at_once() {
    let ca = tls_server(include_str!("../../../tests/tls/ca-as-server.pem"));
    let unknown = tls_server(include_str!("../../../tests/tls/unknown.pem"));
    let plain = Server::ruled(|_| Answer::Reply(400, String::new())).await;
    let plain = plain.url().replace("http://", "https://");
    for (url, words) in [
        (format!("https://127.0.0.1:{ca}"), "self-signed and a CA's, which can't be a server's: let that CA sign one"),
        (format!("https://127.0.0.1:{unknown}"), "nobody whom this machine trusts has signed the server's certificate"),
        (plain, "what listens there does not speak TLS: is it http:// instead of https://?"),
    ] {
        // For ever, if it were waited for.
        let look_up = Queue::named("jobs").client(client(&url)).patience(Duration::MAX).into_future();
        let error = tokio::time::timeout(Duration::from_secs(60), look_up).await.expect("it is not waited for");
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with(&format!("GetQueueUrl of `jobs` at {url}: no secure connection: ")), "{error}");
        assert!(error.contains(words) && !error.contains("tried"), "{error}");
        assert!(!error.contains("Other") && !error.contains("Invalid"), "no words of the code's: {error}");
        // Who has work to settle has met the service before: a certificate may be mended while the lease lasts.
        let jobs = Queue::with_client(client(&url), format!("{url}/000000000000/jobs"));
        let settled = jobs.delete("r").await;
        assert!(matches!(settled, Err(SourceError::Unavailable(_))), "{settled:?}");
    }
}

#[tokio::test]
async fn what_answers_in_tls_is_told_to_be_no_http() {
    let port = tls_server(include_str!("../../../tests/tls/unknown.pem"));
    let client = builder(&format!("http://127.0.0.1:{port}")).attempts(1).build().unwrap();
    let error = client.list_queues(ListQueuesRequest::default()).await.unwrap_err().to_string();
    assert!(error.ends_with("no HTTP: is it https:// instead of http://?"), "{error}");
}
