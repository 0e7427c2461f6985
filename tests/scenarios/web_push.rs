//! Browsers are reached while no page is open, until they have forgotten it.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use testkit::{Todo, eventually};

use crate::receiver::{Receiver, reachable};
use crate::support::reminder;

fn subscription(endpoint: &str) -> Value {
    json!({
        "endpoint": endpoint,
        "expirationTime": null,
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    })
}

#[tokio::test]
async fn a_browser_gets_each_reminder_once_and_goes_when_its_push_service_says_so() -> Result<()> {
    let todo = Todo::start_with(reachable()).await?;
    let ada = todo.sign_up("ada").await?;
    let receiver = Receiver::start().await?;
    let body = subscription(&receiver.url("/push/1"));
    let made = ada.post("/api/push-subscriptions", &body).await?.expect(201)?;
    ensure!(ada.post("/api/push-subscriptions", &body).await?.expect(201)? == made, "the same browser is the same");
    for number in [1, 1, 2] {
        todo.deliver("/events/notifier/reminders", &reminder(&ada, number, "Pay rent")).await?.expect(200)?;
    }
    let received = receiver.wait_for(2).await?;
    for one in &received {
        ensure!(one.header("content-encoding") == "aes128gcm" && one.header("authorization").starts_with("vapid t="));
        ensure!(!String::from_utf8_lossy(&one.body).contains("Pay rent"));
    }
    ensure!(received[0].header("topic") != received[1].header("topic"));

    receiver.answer_next(410, None);
    todo.deliver("/events/notifier/reminders", &reminder(&ada, 3, "Pay rent")).await?.expect(200)?;
    eventually("the browser is forgotten", async || {
        let list = ada.get("/api/push-subscriptions").await.ok()?.expect(200).ok()?;
        list.as_array().filter(|list| list.is_empty()).map(|_| ())
    })
    .await?;
    ensure!(receiver.received().len() == 3);
    let id = made["id"].as_str().unwrap_or_default();
    ada.delete(&format!("/api/push-subscriptions/{id}")).await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn a_push_service_inside_is_refused_and_the_laptop_has_a_key() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let refused = ada.post("/api/push-subscriptions", &subscription("https://127.0.0.1/push")).await?;
    ensure!(refused.status == 400 && refused.fields() == ["endpoint"], "{}", refused.body);
    let key = todo.get("/api/push-key").await?.expect(200)?;
    ensure!(key["publicKey"].as_str().is_some_and(|key| key.len() == 87), "{key}");
    Ok(())
}
