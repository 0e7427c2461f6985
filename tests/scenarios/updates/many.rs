//! Many streams at once, and readers that do not read.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use serde_json::json;
use testkit::{Todo, Updates, User, eventually, needs_sidelet};

/// Streams at once, and the users whose they are.
const STREAMS: usize = 1_000;
const USERS: usize = 20;

async fn opened(user: &User) -> Result<Updates> {
    let mut page = user.updates(None).await?;
    page.expect("ready").await?;
    Ok(page)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_open_streams_are_each_told_their_users_changes_and_the_service_goes_on() -> Result<()> {
    if needs_sidelet("a thousand pages that poll are a load of their own") {
        return Ok(());
    }
    let todo = Todo::start().await?;
    let mut users = Vec::new();
    for number in 0..USERS {
        users.push(todo.sign_up(&format!("user-{number}")).await?);
    }
    let mut pages = Vec::new();
    while pages.len() < STREAMS {
        // Some at a time, as a laptop's queue of connections is short.
        pages.extend(try_join_all(users.iter().map(opened)).await?);
    }
    for (number, user) in users.iter().enumerate() {
        user.create(&format!("task of {number}")).await?;
    }
    let told = pages.iter_mut().enumerate().map(async |(index, page)| {
        let update = page.expect("update").await?;
        anyhow::Ok((index % USERS, update))
    });
    for (number, update) in try_join_all(told).await? {
        assert_eq!((update.id, &update.data["newValue"]["title"]), (Some(1), &json!(format!("task of {number}"))));
    }
    // The streams hold their places, and leave room for everything else.
    users[0].get("/api/tasks").await?.expect(200)?;

    drop(pages);
    // Their places are free again: as many as before are opened at once.
    eventually("places for other streams", async || {
        let mut pages = Vec::new();
        for _ in 0..STREAMS / USERS {
            pages.extend(try_join_all(users.iter().map(opened)).await.ok()?);
        }
        Some(pages)
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_user_does_not_take_the_places_of_others() -> Result<()> {
    if needs_sidelet("it counts the streams of a topic; pages that poll are not counted") {
        return Ok(());
    }
    let todo = Todo::start().await?;
    let (ada, bob) = (todo.sign_up("ada").await?, todo.sign_up("bob").await?);
    let mut pages = try_join_all((0..64).map(|_| opened(&ada))).await?;
    let refused = ada.get("/api/updates").await?;
    assert_eq!((refused.status.as_u16(), refused.problem()), (429, "too-many-requests"));
    opened(&bob).await?;
    pages.pop();
    eventually("a place for another page", async || opened(&ada).await.ok()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_does_not_read_is_given_up_and_holds_up_nobody() -> Result<()> {
    if needs_sidelet("a thousand pages that poll are a load of their own") {
        return Ok(());
    }
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let mut slow = opened(&ada).await?;
    let mut fast = opened(&ada).await?;
    let id = ada.create("long").await?;
    let path = format!("/api/tasks/{id}");
    let reading = tokio::spawn(async move {
        while fast.last_event_id.is_none_or(|id| id < 900) {
            fast.next().await?.context("the stream of a reader who reads ended")?;
        }
        anyhow::Ok(())
    });
    // Together more than all buffers between the two.
    for number in 2..=900 {
        let change = json!({ "description": format!("{number} {}", "🥛".repeat(9_900)) });
        ada.patch(&path, &change).await?.expect(200)?;
    }
    tokio::time::timeout(Duration::from_secs(60), reading).await???;
    // What is left in the buffers is told in order; then the page is told that it was too slow, or is cut off.
    let mut told = Vec::new();
    let reason = loop {
        match slow.next().await {
            Ok(Some(event)) if event.kind == "end" => break event.data,
            Ok(Some(event)) => told.extend(event.id),
            Ok(None) | Err(_) => break json!({ "reason": "too-slow", "reconnect": true }),
        }
    };
    assert_eq!(reason, json!({ "reason": "too-slow", "reconnect": true }));
    ensure!(told.iter().copied().eq(1..=told.len() as u64) && told.len() < 900, "told: {told:?}");
    let last = told.last().copied().context("something was told")?;
    ada.updates(Some(last)).await?.expect("reset").await?;
    Ok(())
}
