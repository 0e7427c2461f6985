//! What the handlers have left, as the users and the sidecar tell it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Todo, User};

/// What was made for one user, without what says when it was made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// The tasks that follow others.
    pub(super) occurrences: BTreeSet<String>,
    pub(super) inbox: BTreeSet<String>,
    pub(super) activity: Vec<String>,
    pub(super) jobs: BTreeMap<String, String>,
}

impl Effects {
    /// What differs, in few words.
    pub(super) fn difference(&self, found: &Self) -> String {
        let sets = [("occurrences", &self.occurrences, &found.occurrences), ("inbox", &self.inbox, &found.inbox)];
        let mut parts: Vec<String> = sets
            .into_iter()
            .filter(|(_, expected, found)| expected != found)
            .map(|(name, expected, found)| {
                format!("{name}: missing {:?}, too many {:?}", expected - found, found - expected)
            })
            .collect();
        if self.activity != found.activity {
            parts.push(format!("activity: {} rows and {}", self.activity.len(), found.activity.len()));
        }
        if self.jobs != found.jobs {
            parts.push(format!("jobs: {:?} and {:?}", self.jobs, found.jobs));
        }
        parts.join("; ")
    }
}

/// Reads what was made for every user.
pub(super) async fn of(todo: &Todo, users: &[User], events: &[Value]) -> Result<super::Effects> {
    let mut effects = super::Effects::new();
    for user in users {
        let theirs = events.iter().filter(|event| event["data"]["userId"] == user.id.as_str());
        let known: BTreeSet<&str> = theirs.filter_map(|event| event["data"]["taskId"].as_str()).collect();
        let tasks = pages(user, "/api/tasks?limit=500").await?;
        let occurrences = tasks.iter().filter(|task| task["id"].as_str().is_some_and(|id| !known.contains(id)));
        let occurrences = occurrences.map(|task| {
            let steps: Vec<&Value> =
                task["subtasks"].as_array().into_iter().flatten().map(|step| &step["title"]).collect();
            json!([
                task["id"],
                task["title"],
                task["dueDate"],
                task["status"],
                task["seriesId"],
                task["reminders"],
                task["priority"],
                task["tags"],
                task["recurrence"],
                task["version"],
                steps
            ])
            .to_string()
        });
        let entries = pages(user, "/api/notifications?limit=100").await?;
        let inbox = entries
            .iter()
            .map(|entry| json!([entry["id"], entry["kind"], entry["taskId"], entry["title"]]).to_string());
        let activity = pages(user, "/api/activity?limit=100").await?;
        let names = known.iter().flat_map(|task| (0..5).map(move |slot| format!("reminder-{task}-{slot}")));
        let jobs: Vec<Option<(String, String)>> =
            stream::iter(names).map(|name| job(todo, name)).buffer_unordered(16).try_collect().await?;
        let found = Effects {
            occurrences: occurrences.collect(),
            inbox: inbox.collect(),
            activity: activity.iter().map(Value::to_string).collect(),
            jobs: jobs.into_iter().flatten().collect(),
        };
        effects.insert(user.id.clone(), found);
    }
    Ok(effects)
}

/// Every entry of a list that comes in pages.
async fn pages(user: &User, path: &str) -> Result<Vec<Value>> {
    let (mut all, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let answer = user.get(&path).await?;
        next = answer.next_page();
        let body = answer.expect(200)?;
        all.extend(body.as_array().context("a list")?.iter().cloned());
    }
    Ok(all)
}

/// A job's name and when it is due; none when there is no such job.
async fn job(todo: &Todo, name: String) -> Result<Option<(String, String)>> {
    let answer = todo.send(todo.sidecar_request(Method::GET, &format!("/v1.0/jobs/{name}"))?).await?;
    Ok((answer.status == 200).then(|| (name, answer.body["dueTime"].to_string())))
}
