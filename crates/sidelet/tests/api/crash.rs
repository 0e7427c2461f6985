//! What was acknowledged survives a kill at any time, and what was not leaves nothing half done.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::json;

use crate::harness::{Api, App, Place, Process, eventually};

/// How often the process is killed.
const KILLS: usize = 20;
/// Writers, each with a key of its own.
const WRITERS: usize = 8;

/// Writes numbers under one key, each with its event, until the process is gone. Gives the last acknowledged number.
async fn write(
    api: Api,
    key: String,
    from: i64,
    acknowledged: Arc<Mutex<HashMap<String, i64>>>,
    enough: Arc<AtomicBool>,
) {
    for number in from.. {
        let body = json!({"operations": [
            {"operation": "upsert", "request": {"key": key, "value": number, "metadata": {"outbox.skip": "true"}}},
            {"operation": "upsert", "request": {
                "key": format!("{key}/event"),
                "value": {"key": key, "number": number},
                "metadata": {"outbox.projection": "true", "partitionKey": key},
            }},
        ]});
        let request = api.client.post(format!("{}/v1.0/state/statestore/transaction", api.address));
        match request.body(body.to_string()).send().await {
            Ok(answer) => assert_eq!(answer.status(), 204),
            Err(_) => return,
        }
        acknowledged.lock().unwrap().insert(key.clone(), number);
        if number - from > 5 {
            enough.store(true, Ordering::SeqCst);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_transaction_and_its_event_survive_a_kill() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let acknowledged = Arc::new(Mutex::new(HashMap::new()));
    let mut from = HashMap::new();
    for kill in 0..KILLS {
        let process = Process::start(&place);
        // What is stored is what was acknowledged, or one more that was on its way.
        for writer in 0..WRITERS {
            let key = format!("w{writer}");
            let stored = process.api.get(&format!("/v1.0/state/statestore/{key}")).await;
            let stored: i64 = if stored.status == 204 { -1 } else { stored.body.parse().unwrap() };
            let last = acknowledged.lock().unwrap().get(&key).copied().unwrap_or(-1);
            assert!(
                stored == last || stored == last + 1,
                "{key} after {kill} kills: {stored} stored, {last} acknowledged"
            );
            from.insert(key, stored + 1);
        }
        let enough = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = from
            .iter()
            .map(|(key, from)| {
                let (api, acknowledged, enough) = (process.api.clone(), acknowledged.clone(), enough.clone());
                tokio::spawn(write(api, key.clone(), *from, acknowledged, enough))
            })
            .collect();
        eventually("a few writes", async || enough.load(Ordering::SeqCst).then_some(())).await;
        process.kill();
        for writer in writers {
            writer.await.unwrap();
        }
    }
    let process = Process::start(&place);
    let mut stored = HashMap::new();
    for writer in 0..WRITERS {
        let key = format!("w{writer}");
        let number: i64 = process.api.get(&format!("/v1.0/state/statestore/{key}")).await.body.parse().unwrap();
        stored.insert(key, number);
    }
    let expected: usize = stored.values().map(|last| usize::try_from(last + 1).unwrap()).sum();
    let events = eventually("an event for each write", async || {
        let mut seen: HashMap<String, HashSet<i64>> = HashMap::new();
        let mut first: HashMap<String, Vec<i64>> = HashMap::new();
        for delivered in app.delivered() {
            let key = delivered.data()["key"].as_str().unwrap().to_owned();
            let number = delivered.data()["number"].as_i64().unwrap();
            if seen.entry(key.clone()).or_default().insert(number) {
                first.entry(key).or_default().push(number);
            }
        }
        (seen.values().map(HashSet::len).sum::<usize>() >= expected).then_some(first)
    })
    .await;
    for (key, last) in &stored {
        assert_eq!(
            events[key],
            (0..=*last).collect::<Vec<_>>(),
            "{key}: each write once or more, in order, and no other"
        );
    }
    assert_eq!(process.terminate().await.code(), Some(0));
}
