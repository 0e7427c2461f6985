//! Component and subscription files.

use std::time::{Duration, Instant};

use fuzzing::damaged;
use proptest::{collection::vec, prelude::*, sample::select};

use super::check;
use crate::harness::{DEADLINE, Place};

const STORE: &str = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: store\nspec:\n  type: state.in-memory\n  version: v1\n  metadata:\n    - name: keyPrefix\n      value: name\n";
const LOG: &str = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: pubsub\nspec:\n  type: pubsub.in-memory\n  version: v1\n  metadata:\n    - name: partitions\n      value: 3\n    - {name: retention, value: 1h30m}\n";
const FIRST: &str = "apiVersion: dapr.io/v1alpha1\nkind: Subscription\nmetadata:\n  name: first\nspec:\n  pubsubname: pubsub\n  topic: t\n  route: /t\nscopes: [todo]\n";
const SECOND: &str = "apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata:\n  name: second\nspec:\n  pubsubname: pubsub\n  topic: t\n  deadLetterTopic: d\n  routes:\n    rules:\n      - match: event.type == \"a\" && has(event.data.b)\n        path: /a\n    default: /t\n  bulkSubscribe:\n    enabled: false\n";
const OTHER: &str = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata:\n  name: r\nspec:\n  policies:\n    retries:\n      some: {policy: constant, duration: 5s, maxRetries: -1}\n    timeouts:\n      t: 1s\n  targets:\n    components:\n      pubsub:\n        inbound: {retry: some, timeout: t}\n";
const DOCUMENTS: [&str; 5] = [STORE, LOG, FIRST, SECOND, OTHER];
const PIECES: [&str; 18] = [
    "\n---\n",
    "- ",
    ": ",
    "&a ",
    "*a",
    "<<: *a",
    "!!binary ",
    "!!str ",
    "~",
    "|\n  ",
    "> ",
    "? ",
    "[",
    "{",
    "'",
    "\"",
    "\n  ",
    "0x7fffffffffffffff",
];

fn files() -> impl Strategy<Value = String> {
    damaged(vec(select(&DOCUMENTS[..]), 0..5).prop_map(|documents| documents.join("---\n")), &PIECES)
}

/// Starts with a file, and gives how it was refused.
async fn refusal(text: &str) -> Option<String> {
    let place = Place::new(text);
    match sidelet::start(place.config()).await {
        Ok(running) => {
            running.shutdown(DEADLINE).await.unwrap();
            None
        }
        Err(error) => Some(error.to_string()),
    }
}

#[test]
fn any_file_is_served_or_refused_in_few_words() {
    check(250, &files(), async |text| {
        if let Some(refusal) = refusal(&text).await {
            prop_assert!(refusal.contains("all.yaml"), "{}", refusal);
            prop_assert!(refusal.len() < 8_000, "{}", refusal);
        }
        Ok(())
    });
}

#[tokio::test]
async fn bombs_are_refused_quickly() {
    let doubled: String =
        (1..40).map(|number| format!("a{number}: &a{number} [*a{0},*a{0},*a{0},*a{0}]\n", number - 1)).collect();
    let merged: String =
        (1..40).map(|number| format!("a{number}: &a{number} {{<<: [*a{0}, *a{0}]}}\n", number - 1)).collect();
    let deep: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let bombs = [
        format!("a0: &a0 [x,x,x,x]\n{doubled}"),
        format!("a0: &a0 {{x: 1}}\n{merged}"),
        "&a [*a]".to_owned(),
        "[".repeat(1 << 20),
        "{a: ".repeat(1 << 18),
        "- ".repeat(1 << 18),
        "? ".repeat(1 << 18),
        deep,
        "---\n".repeat(1 << 18),
        format!("kind: {}", "a".repeat(1 << 20)),
        format!("kind: Component\nspec: {}", "9".repeat(1 << 20)),
        format!("kind: \"{}", "\\".repeat(1 << 20)),
        "&a ".repeat(1 << 18),
        "!!".repeat(1 << 18),
        "\0".repeat(1 << 20),
        "\t".repeat(1 << 20),
    ];
    for bomb in bombs {
        let begin = Instant::now();
        let _ = refusal(&bomb).await;
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(10), "{took:?} for {:?}...", &bomb[..40]);
    }
}
