//! Shows an operator what is going on: consumer groups, jobs, the way of an event, dead letters, a user's list.

mod view;

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::sidecar::{self, Sidecar, segment};

/// What to show.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    subject: Subject,
    /// Prints JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Subject {
    /// The consumer groups: how far each is behind, and how it is doing.
    Groups {
        #[command(flatten)]
        sidecar: sidecar::Options,
    },
    /// The jobs that wait: how many, what is due next, what is late; and the cron bindings.
    Jobs {
        #[command(flatten)]
        sidecar: sidecar::Options,
    },
    /// The way of one event: where it is in the log, which groups have it, attempts, dead letters.
    Event {
        /// The event's id.
        id: String,
        #[command(flatten)]
        sidecar: sidecar::Options,
    },
    /// The dead letters of a topic with their reasons; without a topic, which topics hold some.
    DeadLetters {
        /// The dead letter topic, such as `task-events-dlq`.
        topic: Option<String>,
        /// How many are shown, the newest first.
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// The pub/sub component.
        #[arg(long, default_value = "pubsub")]
        pubsub: String,
        #[command(flatten)]
        sidecar: sidecar::Options,
    },
    /// A user's list as it is stored: its head and its pages.
    List {
        /// The user's id.
        user: String,
        /// The state store.
        #[arg(long, default_value = "statestore")]
        store: String,
        #[command(flatten)]
        sidecar: sidecar::Options,
    },
}

/// Shows it.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let (Subject::Groups { sidecar }
    | Subject::Jobs { sidecar }
    | Subject::Event { sidecar, .. }
    | Subject::DeadLetters { sidecar, .. }
    | Subject::List { sidecar, .. }) = &options.subject;
    let sidecar = sidecar.open().await?;
    let read = read(&sidecar, &options.subject).await;
    sidecar.close().await;
    let read = read?;
    if options.json {
        println!("{read:#}");
    } else {
        let lines = match &options.subject {
            Subject::Groups { .. } => view::groups(&read),
            Subject::Jobs { .. } => view::jobs(&read),
            Subject::Event { .. } => view::event(&read),
            Subject::DeadLetters { topic: None, .. } => view::topics(&read),
            Subject::DeadLetters { .. } => view::letters(&read),
            Subject::List { .. } => view::list(&read),
        };
        lines.iter().for_each(|line| println!("{line}"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn read(sidecar: &Sidecar, subject: &Subject) -> Result<Value> {
    let (path, absent) = match subject {
        Subject::Groups { .. } => ("/sidelet/v1/groups".to_owned(), String::new()),
        Subject::Jobs { .. } => ("/sidelet/v1/jobs".to_owned(), String::new()),
        Subject::Event { id, .. } => (format!("/sidelet/v1/events/{}", segment(id)), String::new()),
        Subject::DeadLetters { topic: None, .. } => ("/sidelet/v1/dead-letters".to_owned(), String::new()),
        Subject::DeadLetters { topic: Some(topic), limit, pubsub, .. } => (
            format!("/sidelet/v1/dead-letters/{}/{}?limit={limit}", segment(pubsub), segment(topic)),
            format!("there is no topic `{topic}`: without a topic, those with dead letters are listed"),
        ),
        Subject::List { user, store, .. } => return list(sidecar, store, user).await,
    };
    match sidecar.get(&path).await? {
        Some(read) => Ok(read),
        None => bail!(absent),
    }
}

/// The head, and the pages that it names.
async fn list(sidecar: &Sidecar, store: &str, user: &str) -> Result<Value> {
    let state = |key: String| format!("/v1.0/state/{}/{}", segment(store), segment(&key));
    let Some(head) = sidecar.get(&state(format!("tasks/{user}"))).await? else {
        bail!("the user `{user}` has no list: a user's id is the `id` of `GET /api/me`");
    };
    let mut pages = Vec::new();
    for summary in head["pages"].as_array().into_iter().flatten() {
        let number = &summary["number"];
        let page = sidecar.get(&state(format!("tasks/{user}/{number}"))).await?;
        pages.push(json!({ "page": number, "document": page }));
    }
    Ok(json!({ "user": user, "head": head, "pages": pages }))
}
