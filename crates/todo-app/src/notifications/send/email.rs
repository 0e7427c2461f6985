//! One try with the user's mail address, by way of an output binding.

use dapr::{BindingRequest, Metadata, Transport};
use jiff::Timestamp;
use serde::Deserialize;
use todo_domain::TimeZoneName;

use super::delivered_key;
use crate::{
    App, accounts,
    failure::Failure,
    notifications::{Channels, delivery::Delivery, email, inbox::Entry, raw},
};

/// The part of an account that mail needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Addressee {
    email: String,
    #[serde(default)]
    time_zone: TimeZoneName,
    #[serde(default)]
    email_notifications: bool,
}

impl<T: Transport> App<T> {
    pub(super) async fn deliver_mail(&self, delivery: &Delivery, channels: &Channels) -> Result<(), Failure> {
        let Some(binding) = &channels.email_binding else { return Ok(()) };
        let account_key = accounts::key(delivery.user_id);
        let documents = self.load_documents(vec![account_key.clone(), delivered_key(delivery)]).await?;
        if documents.get::<Timestamp>(&delivered_key(delivery))?.is_some() {
            return Ok(());
        }
        let Some((addressee, _)) = documents.get::<Addressee>(&account_key)? else { return Ok(()) };
        if !addressee.email_notifications {
            return Ok(());
        }
        if !email::is_one_address(&addressee.email) {
            eprintln!("a mail is given up: the address of account `{}` may stand for several", delivery.user_id);
            return Ok(());
        }
        let entry: Entry = serde_json::from_str(delivery.data.get())
            .map_err(|source| Failure::Corrupt { subject: "what is to be mailed".into(), source: source.into() })?;
        let page = email::body(&entry, &addressee.time_zone.zone(), addressee.time_zone.as_str());
        let request = BindingRequest {
            operation: "create".to_owned(),
            data: Some(raw(&page)?),
            metadata: Metadata::from([
                ("emailTo".to_owned(), addressee.email),
                ("subject".to_owned(), email::subject(&entry)),
            ]),
        };
        match self.dapr.invoke_binding(binding, &request).await {
            Ok(_) => self.remember(delivery).await,
            Err(error) if error.is_retryable() => {
                eprintln!("a mail was not sent: {}", crate::failure::chain(&error));
                self.try_later(delivery, None).await.map(drop)
            }
            Err(error) => {
                eprintln!("a mail is given up: {}", crate::failure::chain(&error));
                Ok(())
            }
        }
    }
}
