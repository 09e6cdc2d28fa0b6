//! What the shop does when it is started for others to reach.
#![allow(clippy::unwrap_used)] // clippy exempts tests, but not the functions they call

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
};

/// Variables that the process starting the test may have.
const SECRETS: [&str; 3] = ["STRIPE_WEBHOOK_SECRET", "SHOP_ISSUERS", "AFTERWARD_ISSUER_KEY"];

/// The address of what refuses every call, as a service does with keys that it does not know: what is away is waited for.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(|stream| refuse(stream.unwrap())));
    url
}

/// Reads one request to its end, so that the answer is not cut off, and refuses it.
fn refuse(mut stream: TcpStream) {
    let mut request = BufReader::new(stream.try_clone().unwrap());
    let (mut line, mut length) = (String::new(), 0);
    while request.read_line(&mut line).unwrap() > 2 {
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    request.read_exact(&mut vec![0; length]).unwrap();
    let refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(refusal).unwrap();
}

/// What the shop prints and whether it ended well, where `queues` refuses it.
fn started(part: &str, queues: &str, variables: &[(&str, &str)]) -> (String, bool) {
    let mut shop = Command::new(env!("CARGO_BIN_EXE_shop"));
    for name in SECRETS {
        shop.env_remove(name);
    }
    // Whoever gets as far as the queues fails, too, and says so.
    shop.arg(part).env("AFTERWARD_URL", queues).env_remove("AFTERWARD_QUEUE_URL");
    let ended = shop.envs(variables.iter().copied()).output().unwrap();
    (String::from_utf8_lossy(&ended.stdout).into_owned(), ended.status.success())
}

#[test]
fn neither_part_starts_with_secrets_that_everybody_can_read() {
    let stripe = ("STRIPE_WEBHOOK_SECRET", "whsec_of_our_own");
    let directory = std::env::temp_dir();
    let keys = directory.join(format!("shop-issuers-{}.json", std::process::id()));
    let pem = concat!(env!("CARGO_MANIFEST_DIR"), "/development-issuer.pem");
    let issuer = afterward::token::Issuer::from_pem(&std::fs::read_to_string(pem).unwrap()).unwrap();
    std::fs::write(&keys, issuer.jwks().to_json().to_string()).unwrap();
    let keys_file = keys.to_str().unwrap();

    let queues = refusing();
    for (part, variables, told) in [
        ("api", &[][..], "STRIPE_WEBHOOK_SECRET is not set: set it to the signing secret"),
        ("api", &[("STRIPE_WEBHOOK_SECRET", "")], "STRIPE_WEBHOOK_SECRET is not set"),
        ("api", &[stripe], "SHOP_ISSUERS is not set: set it to a file"),
        // The private key is the worker's; the API has no use for it.
        ("api", &[stripe, ("AFTERWARD_ISSUER_KEY", pem)], "SHOP_ISSUERS is not set"),
        ("api", &[stripe, ("SHOP_ISSUERS", keys_file)], "GetQueueUrl of `jobs`"),
        ("worker", &[], "AFTERWARD_ISSUER_KEY is not set: set it to the file that `afterward issuer create` makes"),
        ("worker", &[("AFTERWARD_ISSUER_KEY", pem)], "GetQueueUrl of `jobs`"),
    ] {
        let (said, ended_well) = started(part, &queues, variables);
        assert!(!ended_well && said.contains(told), "{part} {variables:?}: {said}");
    }
    std::fs::remove_file(&keys).unwrap();
}
