//! Delivery at its bounds: many messages, large ones, apps that fail and come and go.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::response::IntoResponse;
use serde_json::json;

use crate::harness::{App, Place, Sidecar, app::answer, eventually};

/// Publishes numbers under keys, many at a time.
async fn publish(sidecar: &Sidecar, messages: &[(String, usize)], filler: usize) {
    let filler = "x".repeat(filler);
    for part in messages.chunks(if filler.is_empty() { 500 } else { 20 }) {
        let entries: Vec<_> = part
            .iter()
            .map(|(key, number)| {
                json!({
                    "entryId": format!("{key} {number}"),
                    "event": {"key": key, "number": number, "filler": filler},
                    "contentType": "application/json",
                    "metadata": {"partitionKey": key},
                })
            })
            .collect();
        let answer = sidecar.api.post("/v1.0/publish/bulk/pubsub/task-events", json!(entries).to_string()).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }
}

/// What an app took, by key.
type Taken = Arc<Mutex<HashMap<String, Vec<usize>>>>;

/// An app that takes a message unless `refuses` says no to it.
async fn taking(taken: Taken, refuses: impl Fn(&str, usize) -> bool + Send + Sync + 'static) -> App {
    App::answering(move |delivered| {
        let key = delivered.data()["key"].as_str().unwrap();
        let number = usize::try_from(delivered.data()["number"].as_u64().unwrap()).unwrap();
        if refuses(key, number) {
            return answer(500, "");
        }
        taken.lock().unwrap().entry(key.to_owned()).or_default().push(number);
        ().into_response()
    })
    .await
}

async fn all_taken(taken: &Taken, count: usize) {
    eventually("every message being taken", async || {
        (taken.lock().unwrap().values().map(Vec::len).sum::<usize>() >= count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_flaky_app_takes_everything_once_and_in_order() {
    let (taken, tries) = (Taken::default(), AtomicUsize::new(0));
    let app = taking(taken.clone(), move |_, _| tries.fetch_add(1, Ordering::SeqCst) % 4 == 3).await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let messages: Vec<_> = (0..3000).map(|number| (format!("k{}", number % 100), number / 100)).collect();
    publish(&sidecar, &messages, 0).await;
    all_taken(&taken, 3000).await;
    sidecar.stop().await;
    for (key, numbers) in taken.lock().unwrap().iter() {
        assert_eq!(numbers, &(0..30).collect::<Vec<_>>(), "{key}");
    }
}

#[tokio::test]
async fn a_key_that_fails_long_stops_nobody_and_goes_on_when_it_can() {
    let (taken, healed) = (Taken::default(), Arc::new(AtomicBool::new(false)));
    let app = taking(taken.clone(), {
        let healed = healed.clone();
        move |key, _| key == "bad" && !healed.load(Ordering::SeqCst)
    })
    .await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    // Others behind them are in the same partition too; those that come last are more than its window holds.
    let bad: Vec<_> = (0..12_000).map(|number| ("bad".to_owned(), number)).collect();
    let others: Vec<_> = (0..100).map(|number| (format!("k{}", number % 10), number / 10)).collect();
    publish(&sidecar, &bad, 0).await;
    publish(&sidecar, &others, 0).await;
    all_taken(&taken, 100).await;
    let more: Vec<_> = (12_000..18_000).map(|number| ("bad".to_owned(), number)).collect();
    publish(&sidecar, &more, 0).await;
    healed.store(true, Ordering::SeqCst);
    all_taken(&taken, 18_100).await;
    sidecar.stop().await;
    assert_eq!(taken.lock().unwrap()["bad"], (0..18_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn large_messages_beyond_what_is_held_arrive_in_order() {
    let taken = Taken::default();
    let app = taking(taken.clone(), |_, _| false).await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let messages: Vec<_> = (0..200).map(|number| ("large".to_owned(), number)).collect();
    publish(&sidecar, &messages, 100_000).await;
    all_taken(&taken, 200).await;
    sidecar.stop().await;
    assert_eq!(taken.lock().unwrap()["large"], (0..200).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_comes_and_goes_misses_nothing() {
    let taken = Taken::default();
    let mut app = taking(taken.clone(), |_, _| false).await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    for round in 0..10 {
        let messages: Vec<_> = (0..200).map(|number| (format!("k{}", number % 20), round * 10 + number / 20)).collect();
        publish(&sidecar, &messages, 0).await;
        let before = taken.lock().unwrap().values().map(Vec::len).sum::<usize>();
        all_taken(&taken, before.min(round * 200) + 1).await;
        app.leave().await;
        app.listen().await;
    }
    eventually("every message being taken", async || {
        let taken = taken.lock().unwrap();
        let complete = taken.values().filter(|numbers| numbers.contains(&99)).count();
        (complete == 20).then_some(())
    })
    .await;
    sidecar.stop().await;
    for (key, numbers) in taken.lock().unwrap().iter() {
        let mut once = numbers.clone();
        once.dedup();
        assert_eq!(once, (0..100).collect::<Vec<_>>(), "{key}: repeats only where an answer was cut off");
    }
}
