//! `afterward queue peek`: an API of ours beside SQS, which has nothing like it.

use crate::{
    failure::Failure,
    output,
    table::{Table, clipped},
    target::{is_amazon, queue_name},
    units,
};
use afterward::sqs::Client;
use clap::{Args, ValueEnum};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  afterward queue peek jobs
  afterward queue peek jobs-dlq --text broken-job --json
  afterward queue peek jobs --state leased --attribute tenant=blue --limit 50

The state says why a message is not being delivered: `delayed` and `leased` until a time, `behind_group` while another
message of its group is in flight, `held` until the batch that it was sent after has left the queue; `ready` would be
delivered to the next receive.")]
pub(super) struct Peek {
    /// Name or URL
    pub(super) queue: String,
    /// At most so many messages
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Only messages whose body holds this text
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Only messages with this attribute
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = units::pair)]
    attributes: Vec<(String, String)>,
    /// Only messages that stand so
    #[arg(long)]
    state: Option<State>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum State {
    Ready,
    Delayed,
    Leased,
    BehindGroup,
    Held,
}

/// One page of the admin API. Only what is shown is read; `--json` passes everything on.
#[derive(Debug, Deserialize, Serialize)]
struct Page {
    messages: Vec<Value>,
    next_cursor: Option<String>,
    #[serde(default)]
    scanned: u64,
}

/// Messages of one page.
const PAGE: usize = 100;

pub(super) async fn run(peek: &Peek, client: &Client, json: bool) -> Result<(), Failure> {
    if is_amazon(client) {
        return Err(not_on_amazon());
    }
    let (messages, scanned, more) = messages(peek, client).await?;
    if json {
        return Ok(output::say_json(&serde_json::json!({ "messages": messages, "scanned": scanned, "more": more }))?);
    }
    if messages.is_empty() {
        output::complain(&format!("No such message; {} looked at.", units::count(scanned, "message")));
        return Ok(());
    }
    table(&messages).print()?;
    if more {
        output::complain("There are more: raise --limit.");
    }
    Ok(())
}

/// Why there is no peek there.
pub(super) fn not_on_amazon() -> Failure {
    Failure::new(
        "Amazon SQS has no way to look at messages without receiving them; peek works with an Afterward server. \
         The nearest thing there: `afterward queue receive QUEUE --visibility-timeout 0`, which counts as a receive.",
    )
}

/// Pages until there are enough messages or no more.
async fn messages(peek: &Peek, client: &Client) -> Result<(Vec<Value>, u64, bool), Failure> {
    let limit = peek.limit as usize;
    let (mut messages, mut scanned, mut cursor) = (Vec::new(), 0, None);
    loop {
        let page = page(peek, client, (limit - messages.len()).min(PAGE), cursor.as_deref()).await?;
        messages.extend(page.messages);
        scanned += page.scanned;
        cursor = page.next_cursor;
        if cursor.is_none() || messages.len() >= limit {
            return Ok((messages, scanned, cursor.is_some()));
        }
    }
}

async fn page(peek: &Peek, client: &Client, limit: usize, cursor: Option<&str>) -> Result<Page, Failure> {
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut path = format!("/_afterward/queues/{}/messages?limit={limit}", escaped(queue_name(&peek.queue)));
    let mut parameter = |name: &str, value: &str| {
        path.push_str(&format!("&{name}={}", escaped(value)));
    };
    if let Some(account) = account_of(&peek.queue) {
        parameter("account", account);
    }
    if let Some(cursor) = cursor {
        parameter("cursor", cursor);
    }
    if let Some(text) = &peek.text {
        parameter("text", text);
    }
    for (name, value) in &peek.attributes {
        parameter("attribute", &format!("{name}={value}"));
    }
    if let Some(state) = peek.state.and_then(|state| state.to_possible_value()) {
        parameter("state", state.get_name());
    }
    let reply = client.get(&path).await?;
    Ok(serde_json::from_slice(reply.body())?)
}

/// The account in a queue's URL.
fn account_of(queue: &str) -> Option<&str> {
    let account = queue.split_once("://")?.1.rsplit('/').nth(1)?;
    (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())).then_some(account)
}

/// The messages for people. Groups have a column where there are any: whom a message waits behind is seen by it. So have the
/// batches that messages wait for, and what holders of messages have told of their progress.
fn table(messages: &[Value]) -> Table {
    let text = |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
    let grouped = messages.iter().any(|message| message["group"].is_string());
    let mut headings = vec!["ID", "STATE", "UNTIL", "RECEIVES", "SENT", "BODY", "LAST ERROR"];
    if grouped {
        headings.insert(3, "GROUP");
    }
    let waiting = messages.iter().any(|message| message["after"].is_string());
    if waiting {
        headings.push("AFTER BATCH");
    }
    let reported = messages.iter().any(|message| message["progress"].is_object());
    if reported {
        headings.push("PROGRESS");
    }
    let mut table = Table::new(&headings);
    for message in messages {
        let mut cells = vec![
            text(message, "id"),
            text(message, "state").replace('_', " "),
            text(message, "until"),
            message["receive_count"].to_string(),
            text(message, "sent_at"),
            clipped(&text(message, "body"), 60),
            clipped(&text(message, "last_error"), 50),
        ];
        if grouped {
            cells.insert(3, clipped(&text(message, "group"), 24));
        }
        if waiting {
            cells.push(clipped(&text(message, "after"), 24));
        }
        if reported {
            cells.push(progress(&message["progress"]));
        }
        table.row(cells);
    }
    table
}

/// `40 % resized`.
fn progress(told: &Value) -> String {
    let Some(fraction) = told["fraction"].as_f64() else { return String::new() };
    let text = told["text"].as_str().unwrap_or_default();
    clipped(format!("{:.0} % {text}", fraction * 100.0).trim_end(), 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_waits_for_a_batch_is_shown_with_it() {
        let held =
            serde_json::json!({ "id": "1", "state": "held", "receive_count": 0, "body": "b", "after": "import-42" });
        let shown = table(&[held]).render();
        assert!(shown.lines().next().is_some_and(|row| row.contains("AFTER BATCH")), "{shown}");
        assert!(shown.lines().nth(1).is_some_and(|row| row.contains("held") && row.contains("import-42")), "{shown}");
    }

    #[test]
    fn a_message_behind_its_group_is_shown_with_the_group() {
        let message = |state: &str, group: Option<&str>| {
            let mut message = serde_json::json!({ "id": "1", "state": state, "receive_count": 0, "body": "b" });
            if let Some(group) = group {
                message["group"] = group.into();
            }
            message
        };
        let shown = table(&[message("leased", Some("g1")), message("behind_group", Some("g1"))]).render();
        assert!(shown.lines().next().is_some_and(|headings| headings.contains("GROUP")), "{shown}");
        assert!(shown.lines().nth(2).is_some_and(|row| row.contains("behind group") && row.contains("g1")), "{shown}");
        let shown = table(&[message("ready", None)]).render();
        assert!(!shown.contains("GROUP"), "{shown}");
    }

    #[test]
    fn progress_has_a_column_where_somebody_told_of_it() {
        let leased = serde_json::json!({ "id": "1", "state": "leased", "receive_count": 1, "body": "b",
            "progress": { "fraction": 0.4, "text": "resized" } });
        let silent = serde_json::json!({ "id": "2", "state": "leased", "receive_count": 1, "body": "b" });
        let shown = table(&[leased, silent.clone()]).render();
        let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
        assert!(lines[0].ends_with("PROGRESS") && lines[1].ends_with("40 % resized"), "{shown}");
        assert!(!table(&[silent]).render().contains("PROGRESS"), "{shown}");
        assert_eq!(progress(&serde_json::json!({ "fraction": 1.0, "text": "" })), "100 %");
    }

    #[test]
    fn the_account_is_read_from_a_queues_url_and_not_from_a_name() {
        assert_eq!(account_of("http://127.0.0.1:4566/111111111111/jobs"), Some("111111111111"));
        assert_eq!(account_of("http://127.0.0.1:4566/queue/jobs"), None);
        assert_eq!(account_of("jobs"), None);
    }
}
