//! A program of the user's is told what happens: signed, once where it takes it, again where it does not.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{Todo, User, eventually, needs_a_file, needs_sidelet};

use crate::receiver::{Received, Receiver, reachable};
use crate::support::Clock;

/// Makes a webhook; gives its id and its secret.
async fn webhook(user: &User, url: &str, events: &[&str]) -> Result<(String, String)> {
    let made = user.post("/api/webhooks", &json!({ "url": url, "events": events })).await?.expect(201)?;
    let text = |name: &str| made[name].as_str().map(str::to_owned).with_context(|| format!("a webhook has {name}"));
    Ok((text("id")?, text("secret")?))
}

/// What a user is told of the only webhook.
async fn told(user: &User) -> Result<Value> {
    Ok(user.get("/api/webhooks").await?.expect(200)?[0].clone())
}

fn ids(received: &[Received]) -> Vec<&str> {
    received.iter().map(|one| one.header("webhook-id")).collect()
}

#[tokio::test]
async fn each_event_comes_signed_once_and_in_order_and_only_what_was_asked_for() -> Result<()> {
    let todo = Todo::start_with(reachable()).await?;
    let (ada, bob) = (todo.sign_up("ada").await?, todo.sign_up("bob").await?);
    let receiver = Receiver::start().await?;
    let (id, secret) = webhook(&ada, &receiver.url("/all"), &["task.created", "task.completed"]).await?;
    bob.create("not Ada's").await?;
    let task = ada.create("Pay rent").await?;
    ada.patch(&format!("/api/tasks/{task}"), &json!({ "priority": "high" })).await?.expect(200)?;
    ada.patch(&format!("/api/tasks/{task}/complete"), &json!({})).await?.expect(200)?;
    for number in 0..5 {
        ada.create(&format!("more {number}")).await?;
    }
    let received = receiver.wait_for(7).await?;
    for one in &received {
        one.verify(&secret)?;
        ensure!(one.header("content-type") == "application/json" && one.path == "/all");
        ensure!(one.verify("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").is_err());
    }
    let first = received[0].json()?;
    ensure!(first["type"] == "task.created" && first["data"]["task"]["title"] == "Pay rent", "{first}");
    ensure!(first["timestamp"].is_string() && first["data"]["taskId"] == task.as_str(), "{first}");
    ensure!(received[1].json()?["type"] == "task.completed");
    let sequences: Vec<u64> = received.iter().filter_map(|one| one.json().ok()?["data"]["sequence"].as_u64()).collect();
    ensure!(sequences == [1, 3, 4, 5, 6, 7, 8], "{sequences:?}");
    let mut distinct = ids(&received);
    distinct.sort_unstable();
    distinct.dedup();
    ensure!(distinct.len() == 7);

    // A test comes whatever was asked for, and nothing else came meanwhile.
    let test = ada.post(&format!("/api/webhooks/{id}/test"), &json!({})).await?.expect(202)?;
    let received = receiver.wait_for(8).await?;
    ensure!(received.len() == 8 && test["id"] == received[7].header("webhook-id"));
    ensure!(received[7].json()?["type"] == "webhook.test");
    ensure!(ada.post(&format!("/api/webhooks/{id}/test"), &json!({})).await?.status == 429);

    let listed = told(&ada).await?;
    ensure!(listed["state"] == "active" && listed["lastSuccessAt"].is_string(), "{listed}");
    ensure!(listed["lastFailureAt"].is_null() && !listed.to_string().contains(&secret), "{listed}");
    ensure!(!todo.log_text().contains(&secret));
    ensure!(bob.get("/api/webhooks").await?.expect(200)? == json!([]));
    bob.delete(&format!("/api/webhooks/{id}")).await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn what_is_not_taken_comes_again_with_its_id_and_what_is_taken_does_not() -> Result<()> {
    let todo = Todo::start_with(reachable()).await?;
    let ada = todo.sign_up("ada").await?;
    let receiver = Receiver::start().await?;
    let (_, secret) = webhook(&ada, &receiver.url("/"), &["task.created"]).await?;
    let at = |one: &Received| one.header("webhook-timestamp").parse::<i64>().unwrap_or_default();
    let mut seen = 0;
    // A redirect is not followed, and who asks for a longer wait gets it.
    for (status, retry_after, wait) in [(500, None, 5), (302, Some("7"), 7)] {
        receiver.answer_next(status, retry_after);
        ada.create("Milk").await?;
        let received = receiver.wait_for(seen + 2).await?;
        let [first, second] = &received[seen..] else { anyhow::bail!("{} requests", received.len()) };
        first.verify(&secret)?;
        second.verify(&secret)?;
        ensure!(first.header("webhook-id") == second.header("webhook-id") && first.body == second.body);
        ensure!(at(second) - at(first) >= wait, "{} s", at(second) - at(first));
        seen += 2;
    }
    let state = eventually("it works again", async || {
        told(&ada).await.ok().filter(|state| state["lastSuccessAt"].as_str() > state["lastFailureAt"].as_str())
    })
    .await?;
    ensure!(state["state"] == "active" && state["lastFailure"] == "It answered 302.", "{state}");
    // What was taken does not come again: the next one is another event.
    ada.create("Bread").await?;
    let received = receiver.wait_for(seen + 1).await?;
    ensure!(received.len() == seen + 1 && !ids(&received[..seen]).contains(&received[seen].header("webhook-id")));
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_told_nothing_more_until_it_is_switched_on_again() -> Result<()> {
    let todo = Todo::start_with(reachable()).await?;
    let ada = todo.sign_up("ada").await?;
    let receiver = Receiver::start().await?;
    let (id, old) = webhook(&ada, &receiver.url("/"), &["task.created"]).await?;
    receiver.answer_next(410, None);
    ada.create("Milk").await?;
    let note = eventually("a note in the inbox", async || {
        let inbox = ada.get("/api/notifications").await.ok()?.expect(200).ok()?;
        Some(inbox[0].clone()).filter(|note| note["kind"] == "webhook-disabled")
    })
    .await?;
    ensure!(note["text"].as_str().is_some_and(|text| text.contains("410")), "{note}");
    let state = eventually("the webhook is disabled", async || {
        told(&ada).await.ok().filter(|state| state["state"] == "disabled")
    })
    .await?;
    ensure!(state["reason"].is_string(), "{state}");
    ada.create("Bread").await?;
    ada.post(&format!("/api/webhooks/{id}/test"), &json!({})).await?.expect(400)?;

    let path = format!("/api/webhooks/{id}");
    let state = ada.patch(&path, &json!({ "active": true })).await?.expect(200)?;
    ensure!(state["state"] == "active" && state["reason"].is_null(), "{state}");
    // Both secrets count for a day, so that the receiver may change over.
    let rotated = ada.post(&format!("{path}/secret"), &json!({})).await?.expect(200)?;
    let new = rotated["secret"].as_str().context("a rotation shows the secret")?;
    ensure!(new != old);
    ada.create("Butter").await?;
    let received = receiver.wait_for(2).await?;
    ensure!(received.len() == 2 && received[1].json()?["data"]["task"]["title"] == "Butter");
    received[1].verify(new)?;
    received[1].verify(&old)?;
    ada.delete(&path).await?.expect(204)?;
    ada.delete(&path).await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn an_address_inside_is_refused_and_so_is_one_webhook_too_many() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    for url in [
        "http://127.0.0.1:1/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://sidelet/",
        "ftp://a.b/",
    ] {
        let refused = ada.post("/api/webhooks", &json!({ "url": url })).await?;
        ensure!(refused.status == 400 && refused.fields() == ["url"], "{url}: {}", refused.body);
    }
    for _ in 0..10 {
        ada.post("/api/webhooks", &json!({ "url": "https://hooks.example/" })).await?.expect(201)?;
    }
    ada.post("/api/webhooks", &json!({ "url": "https://hooks.example/" })).await?.expect(400)?;
    // An API token tells nobody else what happens.
    let token = ada.post("/api/tokens", &json!({ "name": "all" })).await?.expect(201)?;
    let program = ada.with_token(token["token"].as_str().unwrap_or_default().to_owned());
    program.get("/api/webhooks").await?.expect(403)?;
    program.get("/api/notifications").await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn a_webhook_that_fails_for_a_day_is_switched_off_with_a_note() -> Result<()> {
    if needs_sidelet("daprd has the machine's clock") || needs_a_file("the servers have the machine's clock") {
        return Ok(());
    }
    let clock = Clock::new()?;
    let mut options = reachable();
    options.environment.extend(clock.environment()?);
    let todo = Todo::start_with(options).await?;
    let ada = todo.sign_up("ada").await?;
    let receiver = Receiver::start().await?;
    webhook(&ada, &receiver.url("/"), &["task.created"]).await?;
    receiver.answer_all(500);
    ada.create("first").await?;
    receiver.wait_for(1).await?;
    eventually("the failure is told", async || {
        told(&ada).await.ok().filter(|state| state["lastFailure"] == "It answered 500.")
    })
    .await?;

    clock.set(90_000)?;
    // The token of the day before has ended.
    let ada = eventually("the clock is set", async || {
        ada.get("/api/tasks").await.ok().filter(|answer| answer.status == 401)?;
        todo.sign_in("ada").await.ok()
    })
    .await?;
    ada.create("second").await?;
    let note = eventually("a note in the inbox", async || {
        let inbox = ada.get("/api/notifications").await.ok()?.expect(200).ok()?;
        Some(inbox).filter(|inbox| inbox[0].is_object())
    })
    .await?;
    ensure!(note[0]["kind"] == "webhook-disabled" && note.as_array().map(Vec::len) == Some(1), "{note}");
    let state =
        eventually("it is disabled", async || told(&ada).await.ok().filter(|state| state["state"] == "disabled"))
            .await?;
    ensure!(state["reason"] == "It took nothing for a day. It answered 500.", "{state}");
    Ok(())
}
