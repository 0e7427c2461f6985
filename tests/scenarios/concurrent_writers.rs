//! Many writers of one list at once.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::json;
use testkit::{Todo, User, with_daprd};

use crate::support::{are_the_first, in_the_end};

/// Makes a task, again and again while others are faster: 409 says that nothing was made.
async fn create_at_last(user: User, index: usize) -> Result<String> {
    loop {
        let answer = user.post("/api/tasks", &json!({ "title": format!("task {index}") })).await?;
        match answer.status.as_u16() {
            409 | 503 => continue,
            _ => return Ok(answer.expect(201)?["id"].as_str().context("an id")?.to_owned()),
        }
    }
}

#[tokio::test]
async fn of_two_hundred_mutations_at_once_none_is_lost_and_none_doubled() -> Result<()> {
    let todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    let writers = (0..200).map(|index| tokio::spawn(create_at_last(ada.clone(), index)));
    let made: BTreeSet<String> = try_join_all(writers).await?.into_iter().collect::<Result<_>>()?;
    assert_eq!(made.len(), 200);

    let listed = ada.get("/api/tasks?limit=500").await?.expect(200)?;
    let listed: Vec<&str> = listed.as_array().into_iter().flatten().filter_map(|task| task["id"].as_str()).collect();
    assert_eq!(listed.len(), 200);
    assert!(listed.iter().all(|id| made.contains(*id)));

    let seen = in_the_end("an event of each task", async || {
        todo.seen_events(&ada).await.ok().filter(|seen| seen.len() >= 200)
    })
    .await?;
    assert_eq!(seen.len(), 200);
    are_the_first(&seen)?;
    // Where events are published after the commit, two writers that meet may both publish one.
    assert!(with_daprd() || seen.iter().all(|event| event.deliveries == 1));
    Ok(())
}
