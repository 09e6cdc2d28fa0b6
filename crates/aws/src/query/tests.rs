use super::*;
use http::{HeaderMap, Method, Uri};

fn with_parameters<T>(uri: &str, body: &[u8], read: impl FnOnce(Result<Node<'_>, Error>) -> T) -> T {
    let uri: Uri = uri.parse().unwrap();
    let headers = HeaderMap::new();
    read(parameters(&Incoming { method: &Method::POST, uri: &uri, headers: &headers, body }))
}

fn form<T>(body: &str, read: impl FnOnce(&mut Node<'_>) -> T) -> T {
    with_parameters("/", body.as_bytes(), |node| read(&mut node.unwrap()))
}

#[test]
fn values_are_decoded_as_forms_are() {
    for (raw, text) in [
        ("a", "a"),
        ("", ""),
        ("a+b", "a b"),
        ("a%20b%2Bc", "a b+c"),
        ("%C3%A9%e2%82%ac", "é€"),
        ("a=b", "a=b"),
        ("%0D%0A%00", "\r\n\0"),
    ] {
        form(&format!("X={raw}"), |node| assert_eq!(node.text("X").as_deref(), Some(text), "{raw}"));
    }
    for raw in ["%", "%4", "%zz", "%-1", "%+1", "%ff", "a%C3"] {
        let code = with_parameters("/", format!("X={raw}").as_bytes(), |node| node.map(|_| ()).unwrap_err().code);
        assert_eq!(code, Code::MalformedQueryString, "{raw}");
    }
}

#[test]
fn lists_have_many_spellings() {
    for (body, texts) in [
        ("A.1=x&A.2=y", vec!["x", "y"]),
        ("A.2=y&A.1=x", vec!["x", "y"]),
        ("A.10=z&A.9=y&A.2=x", vec!["x", "y", "z"]),
        ("A.member.1=x&A.member.2=y", vec!["x", "y"]),
        ("As.1=x", vec!["x"]),
        ("A=x", vec!["x"]),
        ("A%2E1=x", vec!["x"]),
        ("A=", vec![]),
        ("A.1=", vec![""]),
        ("B.1=x", vec![]),
    ] {
        form(body, |node| assert_eq!(node.texts(&["A", "As"]), texts, "{body}"));
    }
}

#[test]
fn maps_have_many_spellings() {
    for body in [
        "A.1.Name=k&A.1.Value=v",
        "A.1.Key=k&A.1.Value=v",
        "A.entry.1.key=k&A.entry.1.value=v",
        "As.entry.1.key=k&As.entry.1.value=v",
        "A.Name=k&A.Value=v",
        "A.1.Value=old&A.1.Name=k&A.2.Name=k&A.2.Value=v",
    ] {
        let map = form(body, |node| node.text_map(&["A", "As"]).unwrap());
        assert_eq!(map, BTreeMap::from([("k".to_owned(), "v".to_owned())]), "{body}");
    }
    let error = form("A.3.Value=v", |node| node.text_map(&["A"]).unwrap_err());
    assert_eq!(error.message, "The request must contain the parameter A.3.Name.");
}

#[test]
fn the_uri_and_the_body_are_one_and_the_body_wins() {
    with_parameters("/?A=uri&B=uri", b"A=body", |node| {
        let mut node = node.unwrap();
        assert_eq!((node.text("A").as_deref(), node.text("B").as_deref()), (Some("body"), Some("uri")));
    });
}

#[test]
fn depth_and_number_are_bounded() {
    form(&format!("{}=x", "a.".repeat(100_000)), |node| assert!(node.text("a").is_none()));
    let code = with_parameters("/", "a&".repeat(5000).as_bytes(), |node| node.map(|_| ()).unwrap_err().code);
    assert_eq!(code, Code::MalformedQueryString);
}

#[test]
fn numbers_are_read_and_what_is_none_is_said() {
    form("A=5&B=-1&C=&D=x&E=%2012%20", |node| {
        assert_eq!(node.integer("A"), Ok(Some(5)));
        assert_eq!(node.integer("B"), Ok(Some(-1)));
        assert_eq!(node.integer("C"), Ok(None));
        assert_eq!(node.integer("E"), Ok(Some(12)));
        assert_eq!(node.integer("F"), Ok(None));
        let error = node.integer("D").unwrap_err();
        assert_eq!(error.code, Code::InvalidParameterValue);
        assert_eq!(error.message, "Value x for parameter D is invalid. Reason: Must be an integer.");
    });
}
