//! Events that no handler can do anything with: what is of an unknown kind is acknowledged and counted, what is no event
//! becomes a dead letter with its reason and can be put back; other people's events are not held up.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Todo, User, eventually, needs_sidelet};

/// The application's handlers of task events.
const HANDLERS: usize = 5;

/// Publishes to the topic of task events, as a program would that is newer or broken.
async fn publish(todo: &Todo, key: &str, data: &Value) -> Result<()> {
    let path = format!("/v1.0/publish/pubsub/task-events?metadata.partitionKey={key}");
    todo.send(todo.sidecar_request(Method::POST, &path)?.json(data)).await?.expect(204).map(drop)
}

async fn dead_letters(todo: &Todo) -> Result<Value> {
    let text = todo.command(&["inspect", "dead-letters", "task-events-dlq", "--json"]).await?;
    Ok(serde_json::from_str(&text)?)
}

/// Waits until a user's activity tells of a new task: by then what came before has been through that handler.
async fn works_for(user: &User, title: &str) -> Result<()> {
    let id = user.create(title).await?;
    let path = format!("/api/tasks/{id}/activity");
    eventually("the activity of a new task", async || {
        let rows = user.get(&path).await.ok()?.expect(200).ok()?;
        rows.as_array().filter(|rows| !rows.is_empty()).map(drop)
    })
    .await
}

#[tokio::test]
async fn an_unknown_kind_is_acknowledged_and_counted() -> Result<()> {
    if needs_sidelet("dead letters are looked at and put back through sidelet") {
        return Ok(());
    }
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let unknown = json!({ "eventType": "archived", "userId": ada.id, "schemaVersion": 9, "sequence": 1 });
    publish(&todo, &ada.id, &unknown).await?;
    works_for(&ada, "milk").await?;
    eventually("every handler counts it", async || {
        let counted = todo.metric("sidelet_pubsub_ignored_count{").await.ok()?;
        (counted >= HANDLERS as f64).then_some(())
    })
    .await?;
    ensure!(dead_letters(&todo).await?["total"] == 0, "what is not known is no dead letter");
    Ok(())
}

#[tokio::test]
async fn what_is_no_event_becomes_a_dead_letter_with_its_reason_and_goes_back_when_told() -> Result<()> {
    if needs_sidelet("dead letters are looked at and put back through sidelet") {
        return Ok(());
    }
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    publish(&todo, &ada.id, &json!({ "eventType": "created", "userId": ada.id })).await?;
    works_for(&ada, "milk").await?;
    let letters = eventually("a dead letter of each handler", async || {
        dead_letters(&todo).await.ok().filter(|letters| letters["waiting"] == HANDLERS)
    })
    .await?;
    let reasons: Vec<&str> = letters["letters"]
        .as_array()
        .context("letters")?
        .iter()
        .filter_map(|letter| letter["reason"].as_str())
        .collect();
    ensure!(
        reasons.len() == HANDLERS
            && reasons.iter().all(|reason| reason.starts_with("the app answered DROP: missing field `eventId`")),
        "{reasons:?}"
    );
    let said = todo.command(&["replay", "task-events-dlq"]).await?;
    ensure!(said.starts_with(&format!("{HANDLERS} dead letters of `task-events-dlq` were put back.")), "{said}");
    // It is no event still: each copy that went back comes to the dead letters of every handler again.
    eventually("dead letters again", async || {
        dead_letters(&todo).await.ok().filter(|letters| letters["total"] == HANDLERS + HANDLERS * HANDLERS)
    })
    .await?;
    works_for(&ada, "bread").await
}
