//! The process is killed under load, again and again, and a checker of the history says whether anything was lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use testkit::{SeenEvent, Todo, TodoOptions, User};

use crate::support::{are_the_first, in_the_end};

const KILLS: u32 = 50;
const WRITERS: usize = 4;

/// What one writer knows of its writes.
#[derive(Default)]
struct History {
    /// Titles that were answered with 201.
    acknowledged: BTreeSet<String>,
    /// Titles of which it is not known whether they were written.
    unanswered: BTreeSet<String>,
}

/// Makes tasks until told to stop, and writes down what was answered.
async fn write(user: User, round: u32, stop: Arc<AtomicBool>) -> History {
    let mut history = History::default();
    let mut index = 0;
    while !stop.load(Ordering::Relaxed) {
        let title = format!("round {round} task {index}");
        index += 1;
        match user.post("/api/tasks", &json!({ "title": title })).await {
            Ok(answer) if answer.status == 201 => history.acknowledged.insert(title),
            // 409 says that nothing was written; any other error leaves it open.
            Ok(answer) if answer.status == 409 => false,
            Ok(_) | Err(_) => history.unanswered.insert(title),
        };
    }
    history
}

/// A moment between 20 and 220 ms, another one in each round and the same in each run.
fn moment(round: u32) -> Duration {
    Duration::from_millis(20 + u64::from(round.wrapping_mul(2_654_435_761) >> 16) % 200)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_fifty_kills_every_acknowledged_write_is_there_with_its_event_and_no_event_without_its_write()
-> Result<()> {
    kill_again_and_again(TodoOptions::default()).await
}

/// Where the process dies between a commit and its publishing, the list holds the event.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_by_kills_where_events_are_published_after_the_commit() -> Result<()> {
    let variables = vec![("events", "publish".to_owned())];
    kill_again_and_again(TodoOptions { variables, ..TodoOptions::default() }).await
}

async fn kill_again_and_again(options: TodoOptions) -> Result<()> {
    let mut todo = Todo::start_with(options).await?;
    let mut users = Vec::new();
    for index in 0..WRITERS {
        users.push(todo.sign_up(&format!("writer-{index}")).await?);
    }
    let mut histories: Vec<History> = users.iter().map(|_| History::default()).collect();
    for round in 0..KILLS {
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> =
            users.iter().map(|user| tokio::spawn(write(user.clone(), round, Arc::clone(&stop)))).collect();
        tokio::time::sleep(moment(round)).await;
        todo.kill().await?;
        stop.store(true, Ordering::Relaxed);
        for (history, writer) in histories.iter_mut().zip(writers) {
            let more = writer.await.context("a writer panicked")?;
            history.acknowledged.extend(more.acknowledged);
            history.unanswered.extend(more.unanswered);
        }
        todo.start_again().await?;
    }
    let acknowledged: usize = histories.iter().map(|history| history.acknowledged.len()).sum();
    ensure!(acknowledged > KILLS as usize, "only {acknowledged} writes were acknowledged");
    for (user, history) in users.iter().zip(&histories) {
        check(&todo, user, history).await?;
    }
    Ok(())
}

/// Compares what the writer was told with what is stored and what was told to the test component.
async fn check(todo: &Todo, user: &User, history: &History) -> Result<()> {
    let stored = stored(user).await?;
    for title in &history.acknowledged {
        ensure!(stored.contains_key(title), "`{title}` was acknowledged and is lost");
    }
    for title in stored.keys() {
        let known = history.acknowledged.contains(title) || history.unanswered.contains(title);
        ensure!(known, "`{title}` is there and nobody wrote it");
    }
    let seen: Vec<SeenEvent> = in_the_end("an event of each write", async || {
        // Someone looks at the list, which brings along what a process that was killed has left there.
        user.get("/api/tasks?limit=1").await.ok()?;
        todo.seen_events(user).await.ok().filter(|seen| seen.len() >= stored.len())
    })
    .await?;
    ensure!(seen.len() == stored.len(), "{} events for {} writes", seen.len(), stored.len());
    let ids: BTreeSet<&String> = stored.values().collect();
    are_the_first(&seen)?;
    for event in &seen {
        ensure!(ids.contains(&event.task_id), "there is an event of a task that is not stored");
    }
    Ok(())
}

/// Every task of a user: its id by its title.
async fn stored(user: &User) -> Result<BTreeMap<String, String>> {
    let (mut path, mut tasks) = ("/api/tasks?limit=500".to_owned(), BTreeMap::new());
    loop {
        let page = user.get(&path).await?;
        let link = page.header("link").to_owned();
        for task in page.expect(200)?.as_array().into_iter().flatten() {
            let text = |name: &str| task[name].as_str().map(str::to_owned).context("a task has an id and a title");
            let doubled = tasks.insert(text("title")?, text("id")?);
            ensure!(doubled.is_none(), "{} was written twice", task["title"]);
        }
        let Some(next) = link.strip_prefix('<').and_then(|rest| rest.split_once('>')) else { return Ok(tasks) };
        path = next.0.to_owned();
    }
}
