//! Events that a handler cannot take: they wait as dead letters, hold up nobody, and go back when the handler is mended.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use testkit::{SeenEvent, Todo, TodoOptions, User, eventually, needs_sidelet};

const RESOURCES: &str = r#"
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata:
  name: picky
spec:
  pubsubname: pubsub
  topic: task-events
  routes:
    rules:
      - match: event.data.eventType == "created"
        path: /recorder/picky/task-events
  deadLetterTopic: task-events-dlq
scopes: [todo]
---
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata:
  name: delivery
spec:
  policies:
    retries:
      few: {policy: constant, duration: 30ms, maxRetries: 2}
  targets:
    components:
      pubsub:
        inbound: {retry: few}
"#;

/// What the picky handler took of a user's events, in the order in which it took them.
async fn taken(user: &User) -> Option<Vec<SeenEvent>> {
    let answer = user.get(&format!("/recorder/picky/{}", user.id)).await.ok()?.expect(200).ok()?;
    serde_json::from_value(answer).ok()
}

async fn dead_letters(todo: &Todo) -> Result<Value> {
    let text = todo.command(&["inspect", "dead-letters", "task-events-dlq", "--json"]).await?;
    Ok(serde_json::from_str(&text)?)
}

#[tokio::test]
async fn poison_events_wait_as_dead_letters_and_go_back_when_the_handler_is_mended() -> Result<()> {
    if needs_sidelet("dead letters are looked at and put back through sidelet") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("picky.yaml"), RESOURCES)?;
    let options = TodoOptions { resources: vec![folder.path().to_owned()], ..TodoOptions::default() };
    let mut todo = Todo::start_with(options).await?;
    let (ada, bob) = (todo.sign_up("ada").await?, todo.sign_up("bob").await?);
    let poison = ada.create("poison pill").await?;
    let unwanted = ada.create("unwanted parcel").await?;
    ada.create("milk").await?;
    for index in 0..20 {
        bob.create(&format!("task {index}")).await?;
    }

    // Nobody else is held up: not the other user, and not what comes later on the same list.
    eventually("bob's events", async || taken(&bob).await.filter(|taken| taken.len() == 20)).await?;
    eventually("ada's later event", async || taken(&ada).await.filter(|taken| taken.len() == 1)).await?;
    let view =
        eventually("two dead letters", async || dead_letters(&todo).await.ok().filter(|view| view["waiting"] == 2))
            .await?;
    let reasons: Vec<_> = view["letters"]
        .as_array()
        .context("letters")?
        .iter()
        .map(|letter| {
            (letter["reason"].as_str().unwrap_or_default(), letter["attempts"].as_i64(), letter["group"].as_str())
        })
        .collect();
    assert!(reasons.contains(&("the app answered 500", Some(3), Some("todo/picky"))), "{reasons:?}");
    assert!(
        reasons.contains(&("the app answered DROP: the title says so", Some(1), Some("todo/picky"))),
        "{reasons:?}"
    );

    // The handler fails still: what goes back comes to the dead letters again, also after a power cut.
    todo.kill().await?;
    todo.start_again().await?;
    let said = todo.command(&["replay", "task-events-dlq"]).await?;
    assert!(said.starts_with("2 dead letters of `task-events-dlq` were put back."), "{said}");
    eventually("two dead letters again", async || {
        dead_letters(&todo).await.ok().filter(|view| view["total"] == 4 && view["waiting"] == 2)
    })
    .await?;

    // Mended, one goes back while the service runs, the other while it is down.
    todo.post("/recorder/picky/mend", &json!({})).await?.expect(200)?;
    let event = |task: String| {
        let todo = &todo;
        let ada = &ada;
        async move {
            let all = todo.seen_events(ada).await?;
            all.into_iter().find(|event| event.task_id == task).context("the event of the task")
        }
    };
    let (poison, unwanted) = (event(poison).await?.event_id, event(unwanted).await?.event_id);
    let said = todo.command(&["replay", "task-events-dlq", "--id", &poison]).await?;
    assert!(said.starts_with("1 dead letters"), "{said}");
    let took = async |id: &str, count: usize| {
        taken(&ada).await.filter(|taken| taken.len() == count && taken.iter().any(|event| event.event_id == id))
    };
    eventually("the poison event", async || took(&poison, 2).await).await?;
    todo.stop().await?;
    let said = todo.command(&["replay", "task-events-dlq"]).await?;
    assert!(said.contains("1 dead letters") && said.contains("The service is down"), "{said}");
    let said = todo.command(&["replay", "task-events-dlq"]).await?;
    assert!(said.starts_with("0 dead letters"), "{said}");
    todo.start_again().await?;
    let taken_at_last = eventually("the unwanted event", async || took(&unwanted, 3).await).await?;
    let back = taken_at_last.iter().filter(|event| [&poison, &unwanted].contains(&&event.event_id));
    assert!(back.clone().all(|event| event.deliveries == 1), "each went back once: {taken_at_last:?}");

    let way = todo.command(&["inspect", "event", &poison]).await?;
    assert!(way.contains("task-events partition") && way.contains("dead letter, put back"), "{way}");
    assert!(way.contains("todo/picky") && way.contains("finished"), "{way}");
    let list = todo.command(&["inspect", "list", &ada.id]).await?;
    assert!(list.contains("head: 3 tasks") && list.contains("events up to 3"), "{list}");
    eventually("the group at work", async || {
        let groups = todo.command(&["inspect", "groups"]).await.ok()?;
        groups.lines().any(|line| line.starts_with("todo/picky") && line.ends_with("working")).then_some(())
    })
    .await?;
    Ok(())
}
