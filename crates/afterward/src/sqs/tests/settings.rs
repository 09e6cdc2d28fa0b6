use super::super::credentials::Environment;
use super::*;

/// The endpoint and region of the client that these variables make, or the error.
fn found(builder: Builder, variables: &[(&str, &str)]) -> Result<(String, String), String> {
    let home = ("HOME", "/nowhere");
    let get = |name: &str| {
        variables.iter().chain([&home]).find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    let client = builder.build_in(&Environment { variable: &get }).map_err(|error| error.to_string())?;
    Ok((client.endpoint().to_string(), client.region().to_owned()))
}

#[test]
fn the_url_of_a_queue_is_no_servers_address() {
    let url = "http://h:1/000000000000/mine";
    for variable in ["AFTERWARD_URL", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"] {
        let error = found(Client::builder(), &[(variable, url)]).unwrap_err();
        assert!(error.starts_with(&format!("{variable} is `{url}`")), "{error}");
        assert!(error.contains("`http://h:1`") && error.contains("AFTERWARD_QUEUE_URL"), "{error}");
        let error = found(Client::builder(), &[(variable, "ftp://h")]).unwrap_err();
        assert!(error.starts_with(&format!("{variable}: `ftp://h` is not an address")), "{error}");
    }
    assert!(found(Client::builder().endpoint(url), &[]).unwrap_err().starts_with("the endpoint is"));
}

#[tokio::test]
async fn what_answers_everything_is_no_service_without_queues() {
    let server = server::Server::ruled(|_| server::ok("")).await;
    let error = client(&server.url()).list_queues(ListQueuesRequest::default()).await.unwrap_err().to_string();
    assert!(error.contains("is an SQS server there?"), "{error}");
    let server = server::Server::ruled(|_| server::ok("{}")).await;
    assert!(client(&server.url()).list_queues(ListQueuesRequest::default()).await.unwrap().queue_urls.is_empty());
}

#[test]
fn endpoint_and_region_are_found_in_order() {
    let keys = [("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let with = |more: &[(&'static str, &'static str)]| [&keys, more].concat();
    let new = Client::builder;
    let mut cases = vec![
        (new(), vec![], "http://127.0.0.1:4566", "us-east-1"),
        (new(), vec![("AWS_ENDPOINT_URL", "http://localhost:1")], "http://localhost:1", "us-east-1"),
        (
            new(),
            vec![("AWS_ENDPOINT_URL", "http://localhost:1"), ("AWS_ENDPOINT_URL_SQS", "http://localhost:2")],
            "http://localhost:2",
            "us-east-1",
        ),
        (
            new(),
            vec![("AFTERWARD_URL", "http://localhost:3"), ("AWS_ENDPOINT_URL_SQS", "http://localhost:2")],
            "http://localhost:3",
            "us-east-1",
        ),
        (
            new().endpoint("localhost:4"),
            vec![("AFTERWARD_URL", "http://localhost:3")],
            "http://localhost:4",
            "us-east-1",
        ),
        (new(), vec![("AWS_DEFAULT_REGION", "r-1")], "http://127.0.0.1:4566", "r-1"),
        (new(), vec![("AWS_DEFAULT_REGION", "r-1"), ("AWS_REGION", "r-2")], "http://127.0.0.1:4566", "r-2"),
        (new().region("r-3"), vec![("AWS_REGION", "r-2")], "http://127.0.0.1:4566", "r-3"),
    ];
    if cfg!(feature = "tls") {
        cases.extend([
            (new().amazon(), with(&[]), "https://sqs.us-east-1.amazonaws.com", "us-east-1"),
            (new().amazon(), with(&[("AWS_REGION", "eu-west-1")]), "https://sqs.eu-west-1.amazonaws.com", "eu-west-1"),
            (
                new().endpoint("https://sqs.eu-west-1.amazonaws.com"),
                with(&[("AWS_REGION", "us-east-2")]),
                "https://sqs.eu-west-1.amazonaws.com",
                "eu-west-1",
            ),
        ]);
    }
    for (builder, variables, endpoint, region) in cases {
        let expected = Ok((endpoint.to_owned(), region.to_owned()));
        assert_eq!(found(builder, &variables), expected, "{variables:?}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let mut cases = vec![
        (Client::builder().endpoint("ftp://x"), vec![], "`ftp://x` is not an address"),
        (Client::builder().region("Not A Region"), vec![], "the region `Not A Region`"),
        (
            Client::builder().endpoint("http://10.0.0.1:4566"),
            vec![("AWS_ACCESS_KEY_ID", "AK")],
            "AWS_SECRET_ACCESS_KEY is not",
        ),
        (Client::builder(), vec![("AWS_ACCESS_KEY_ID", "AK")], "AWS_SECRET_ACCESS_KEY is not"),
    ];
    // Amazon's chain is asked for keys when the first request is signed, and not before.
    if cfg!(not(feature = "aws-config")) {
        let no_credentials = "no credentials for http://10.0.0.1:4566: the profile `default` has no";
        cases.push((Client::builder().endpoint("http://10.0.0.1:4566"), vec![], no_credentials));
        cases.push((Client::builder().profile("gone"), vec![], "the profile `gone` has no aws_access_key_id"));
    }
    for (builder, variables, words) in cases {
        let error = found(builder, &variables).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}
