//! The contact form.

use afterward::{
    Cause, State,
    notify::{Notifier, escaped},
};
use shop_messages::Contact;

/// Tells the team.
pub async fn contact(contact: Contact, State(slack): State<Notifier>) -> Result<(), Cause> {
    let Contact { email, text } = contact;
    slack.send(&format!("*{}* writes:\n> {}", escaped(&email), escaped(&text))).await?;
    Ok(())
}
