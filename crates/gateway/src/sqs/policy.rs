//! Access policies, as far as AddPermission and RemovePermission edit them: JSON texts with statements.

use afterward_names::{AccountId, QueueArn};
use serde_json::{Map, Value, json};

/// A policy that can be edited.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Policy(Map<String, Value>);

/// A statement that AddPermission makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Permission {
    /// Its `Sid`.
    pub(super) label: String,
    pub(super) accounts: Vec<AccountId>,
    /// Without the prefix `SQS:`.
    pub(super) actions: Vec<String>,
}

impl Policy {
    /// The queue's policy, or an empty one. A text that is no policy (none can be stored) counts as empty.
    pub(super) fn of(text: Option<&str>, queue: &QueueArn) -> Policy {
        let stored = text.and_then(|text| match serde_json::from_str(text) {
            Ok(Value::Object(map)) => Some(map),
            _ => None,
        });
        let mut map = stored.unwrap_or_else(|| {
            Map::from_iter([
                ("Version".to_string(), json!("2008-10-17")),
                ("Id".to_string(), json!(format!("{queue}/SQSDefaultPolicy"))),
            ])
        });
        // A single statement may stand without brackets.
        let statements = match map.remove("Statement") {
            Some(Value::Array(statements)) => statements,
            Some(statement) => vec![statement],
            None => Vec::new(),
        };
        map.insert("Statement".into(), Value::Array(statements));
        Policy(map)
    }

    fn statements(&mut self) -> Option<&mut Vec<Value>> {
        self.0.get_mut("Statement").and_then(Value::as_array_mut)
    }

    /// Adds a statement; `false` where there is one of that label.
    pub(super) fn add(&mut self, permission: &Permission, queue: &QueueArn) -> bool {
        let Some(statements) = self.statements() else { return false };
        if statements.iter().any(|statement| has_label(statement, &permission.label)) {
            return false;
        }
        let accounts = permission.accounts.iter().map(|account| format!("arn:aws:iam::{account}:root"));
        let actions = permission.actions.iter().map(|action| format!("SQS:{action}"));
        statements.push(json!({
            "Sid": permission.label,
            "Effect": "Allow",
            "Principal": {"AWS": one_or_more(accounts)},
            "Action": one_or_more(actions),
            "Resource": queue.to_string(),
        }));
        true
    }

    /// Takes the statement of that label away; `false` where there is none.
    pub(super) fn remove(&mut self, label: &str) -> bool {
        let Some(statements) = self.statements() else { return false };
        let before = statements.len();
        statements.retain(|statement| !has_label(statement, label));
        statements.len() < before
    }

    /// The text to store; `None` where no statement is left.
    pub(super) fn into_text(mut self) -> Option<Box<str>> {
        let is_empty = self.statements().is_none_or(|statements| statements.is_empty());
        (!is_empty).then(|| Value::Object(self.0).to_string().into())
    }
}

fn has_label(statement: &Value, label: &str) -> bool {
    statement.get("Sid").and_then(Value::as_str) == Some(label)
}

/// AWS writes a list of one as the one.
fn one_or_more(texts: impl Iterator<Item = String>) -> Value {
    let mut texts: Vec<Value> = texts.map(Value::String).collect();
    if texts.len() == 1 { texts.remove(0) } else { Value::Array(texts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn() -> QueueArn {
        "arn:aws:sqs:us-east-1:000000000000:jobs".parse().unwrap()
    }

    fn permission(label: &str) -> Permission {
        Permission {
            label: label.into(),
            accounts: vec!["123456789012".parse().unwrap()],
            actions: vec!["SendMessage".into(), "ReceiveMessage".into()],
        }
    }

    #[test]
    fn a_permission_is_a_statement_that_can_be_taken_away_again() {
        let mut policy = Policy::of(None, &arn());
        assert!(policy.add(&permission("one"), &arn()));
        assert!(!policy.add(&permission("one"), &arn()), "labels are distinct");
        let text = policy.into_text().unwrap();
        let stored: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(stored["Id"], "arn:aws:sqs:us-east-1:000000000000:jobs/SQSDefaultPolicy");
        assert_eq!(stored["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::123456789012:root");
        assert_eq!(stored["Statement"][0]["Action"], json!(["SQS:SendMessage", "SQS:ReceiveMessage"]));
        let mut again = Policy::of(Some(&text), &arn());
        assert!(!again.remove("two"));
        assert!(again.remove("one"));
        assert_eq!(again.into_text(), None);
    }

    #[test]
    fn statements_that_others_wrote_stay_as_they_are() {
        let text = r#"{"Version":"2012-10-17","Statement":{"Sid":"mine","Effect":"Deny","Principal":"*"}}"#;
        let mut policy = Policy::of(Some(text), &arn());
        assert!(policy.add(&permission("one"), &arn()));
        assert!(policy.remove("one"));
        let stored: Value = serde_json::from_str(&policy.into_text().unwrap()).unwrap();
        assert_eq!(stored["Version"], "2012-10-17");
        assert_eq!(stored["Statement"], json!([{"Sid": "mine", "Effect": "Deny", "Principal": "*"}]));
    }
}
