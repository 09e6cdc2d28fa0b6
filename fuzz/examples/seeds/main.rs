//! Writes the seeds anew: from the golden records, from the captured requests, and from requests written here.
//!
//!     cargo run --manifest-path fuzz/Cargo.toml --no-default-features --example seeds

mod calls;

use afterward_fuzz::request::{BETWEEN, Request, split};
use calls::{CALLS, NAMES, REPLIES, SCHEDULER, SCHEDULES, SEGMENTS, STORIES};
use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = root.join("../crates");
    let captured = |name: &str| fs::read(crates.join("aws/tests/captured").join(name));

    let mut sqs_json = Vec::new();
    for text in split(&captured("json.txt")?) {
        let request = Request::read(text).ok_or(io::ErrorKind::InvalidData)?;
        let target = request.headers.get("x-amz-target").map_or(&b""[..], |target| target.as_bytes());
        sqs_json.push([target.strip_prefix(b"AmazonSQS.").unwrap_or_default(), b"\n", &request.body].concat());
    }
    write(root, "sqs_json", sqs_json)?;

    let (query, presigned, sts) = (captured("query.txt")?, captured("presigned.txt")?, captured("sts.txt")?);
    let signed: Vec<&[u8]> = [&query, &presigned, &sts].into_iter().flat_map(|text| split(text)).collect();
    let bare = split(&query).into_iter().map(|text| {
        let body = afterward_fuzz::request::part(text, b"\n\n").map_or(&b""[..], |(_, body)| body);
        [b"POST /\n\n", body].concat()
    });
    write(root, "sqs_query", bare.chain(split(&presigned).into_iter().map(<[u8]>::to_vec)).collect())?;

    let json = captured("json.txt")?;
    let some = split(&json).into_iter().step_by(5).chain(signed.into_iter().step_by(4));
    let replaced = CALLS.iter().map(|(first, second)| [first.as_bytes(), BETWEEN, second.as_bytes()].concat());
    write(root, "signature", some.map(<[u8]>::to_vec).chain(replaced).collect())?;

    write(root, "names", texts(NAMES))?;
    write(root, "receipt", vec![b"AQ\n\x01\0\0\0\x02\0\0\0\x03\0\x04\0\0\0\0\0\0\0\x05A".to_vec()])?;
    write(root, "sqs_reply", texts(REPLIES))?;
    write(root, "gateway", texts(STORIES))?;
    write(root, "scheduler", texts(SCHEDULER))?;
    write(root, "schedules", texts(SCHEDULES))?;
    write(root, "segment", SEGMENTS.iter().map(|bytes| bytes.to_vec()).collect())?;
    write(root, "record", bodies(&crates.join("record/golden"))?)
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The golden records without their heads, which the target makes itself.
fn bodies(golden: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut files: Vec<_> =
        fs::read_dir(golden)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut bodies = Vec::new();
    for file in files {
        let text = fs::read_to_string(file)?;
        let digits: Vec<u8> = text.lines().filter(|line| !line.starts_with('#')).flat_map(str::bytes).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16);
        let bytes: Result<Vec<u8>, _> = digits.chunks(2).map(byte).collect();
        let bytes = bytes.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        bodies.push(bytes.get(8..).unwrap_or_default().to_vec());
    }
    Ok(bodies)
}

fn write(root: &Path, target: &str, inputs: Vec<Vec<u8>>) -> io::Result<()> {
    let folder = root.join("seeds").join(target);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for (number, input) in inputs.iter().enumerate() {
        fs::write(folder.join(format!("{:03}", number + 1)), input)?;
    }
    Ok(())
}
