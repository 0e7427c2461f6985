//! Messages reach the apps: in order per key, at least once, whatever the apps do.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::response::IntoResponse;
use serde_json::json;

use crate::harness::{App, COMPONENTS, Place, Sidecar, app::answer, eventually, subscription};

/// Publishes numbers in order, each with a key.
async fn publish(sidecar: &Sidecar, messages: impl IntoIterator<Item = (&str, i64)>) {
    for (key, number) in messages {
        let path = format!("/v1.0/publish/pubsub/task-events?metadata.partitionKey={key}");
        let answer = sidecar.api.post(&path, json!({"key": key, "number": number}).to_string()).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }
}

/// The numbers that came, by key.
fn by_key(app: &App) -> HashMap<String, Vec<i64>> {
    let mut all: HashMap<String, Vec<i64>> = HashMap::new();
    for delivered in app.delivered() {
        let data = delivered.data();
        all.entry(data["key"].as_str().unwrap().into()).or_default().push(data["number"].as_i64().unwrap());
    }
    all
}

#[tokio::test]
async fn an_app_that_comes_late_gets_everything_in_order() {
    let mut app = App::absent(|_| ().into_response());
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    for number in 0..50 {
        publish(&sidecar, ["a", "b", "c", "d"].map(|key| (key, number))).await;
    }
    app.listen().await;
    app.wait_for(200).await;
    for numbers in by_key(&app).values() {
        assert_eq!(numbers, &(0..50).collect::<Vec<_>>());
    }
    sidecar.stop().await;
    assert_eq!(app.delivered().len(), 200);
}

#[tokio::test]
async fn an_app_whose_host_says_that_it_is_away_is_waited_for() {
    let here = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicUsize::new(0));
    let app = App::answering({
        let (here, asked) = (here.clone(), asked.clone());
        move |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            let status = if here.load(Ordering::SeqCst) { 200 } else { 503 };
            ([("retry-after", "1")], answer(status, "")).into_response()
        }
    })
    .await;
    let mut place =
        Place::new(&format!("{COMPONENTS}{}", subscription("tasks", "task-events", "/t", "task-events-dlq")));
    place.serve(&app);
    let sidecar = place.start().await;
    publish(&sidecar, (0..40).map(|number| ("a", number))).await;
    // Longer than a message that fails would be tried before it is a dead letter.
    eventually("a few probes", async || (asked.load(Ordering::SeqCst) > 5).then_some(())).await;
    here.store(true, Ordering::SeqCst);
    eventually("all deliveries", async || {
        let mut numbers = by_key(&app).remove("a").unwrap_or_default();
        numbers.dedup();
        (numbers == (0..40).collect::<Vec<_>>()).then_some(())
    })
    .await;
    sidecar.stop().await;
}

#[tokio::test]
async fn a_failing_key_does_not_hold_up_another() {
    let healed = Arc::new(AtomicBool::new(false));
    let app = App::answering({
        let healed = healed.clone();
        move |delivered| {
            let poison = delivered.data()["key"] == "bad" && delivered.data()["number"] == 0;
            answer(if poison && !healed.load(Ordering::SeqCst) { 500 } else { 200 }, "")
        }
    })
    .await;
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let keys = ["bad", "a", "b", "c", "d", "e", "f", "g"];
    for number in 0..20 {
        publish(&sidecar, keys.map(|key| (key, number))).await;
    }
    eventually("the other keys' messages", async || {
        let all = by_key(&app);
        keys[1..].iter().all(|key| all.get(*key).is_some_and(|numbers| numbers.len() == 20)).then_some(())
    })
    .await;
    assert!(by_key(&app)["bad"].iter().all(|number| *number == 0), "nothing overtakes in one key");
    // What is finished is remembered beyond what is not.
    sidecar.stop().await;
    let before = app.delivered().len();
    healed.store(true, Ordering::SeqCst);
    let sidecar = place.start().await;
    app.wait_for(before + 20).await;
    sidecar.stop().await;
    assert_eq!(app.delivered().len(), before + 20, "only the failing key comes again");
    let mut bad = by_key(&app).remove("bad").unwrap();
    bad.dedup();
    assert_eq!(bad, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_an_app_will_not_take_goes_to_the_dead_letters() {
    let app = App::answering(|delivered| match (delivered.route.as_str(), delivered.data()["number"].as_i64()) {
        ("/letters", _) | (_, Some(0)) => answer(200, r#"{"status":"SUCCESS"}"#),
        (_, Some(1)) => answer(200, r#"{"status":"DROP"}"#),
        (_, Some(2)) => answer(404, ""),
        _ => answer(200, r#"{"status":"RETRY"}"#),
    })
    .await;
    let mut place = Place::new(&format!(
        "{COMPONENTS}{}{}",
        subscription("tasks", "task-events", "/t", "task-events-dlq"),
        subscription("letters", "task-events-dlq", "/letters", "")
    ));
    place.serve(&app);
    let sidecar = place.start().await;
    publish(&sidecar, ["k0", "k1", "k2", "k3"].into_iter().zip(0..)).await;
    let letters = eventually("three dead letters", async || {
        let letters: Vec<_> = app.delivered().into_iter().filter(|letter| letter.route == "/letters").collect();
        (letters.len() == 3).then_some(letters)
    })
    .await;
    let reason = |number: i64| {
        let letter = letters.iter().find(|letter| letter.data()["number"] == number).unwrap();
        assert_eq!(letter.event["topic"], "task-events", "the envelope is the original");
        assert_eq!(letter.headers["deadlettergroup"], "todo/tasks");
        letter.headers["deadletterreason"].to_str().unwrap().to_owned()
    };
    assert_eq!(reason(1), "the app answered DROP");
    assert_eq!(reason(2), "the app answered 404");
    assert_eq!(reason(3), "the app answered RETRY");
    let tries = app.delivered().iter().filter(|try_| try_.route == "/t" && try_.data()["number"] == 3).count();
    assert_eq!(tries, 10);
    sidecar.stop().await;
}

#[tokio::test]
async fn every_subscription_gets_every_message() {
    let (first, second) = (App::start().await, App::start().await);
    let mut place = Place::new(&format!(
        "{COMPONENTS}{}{}",
        subscription("one", "task-events", "/one", ""),
        subscription("two", "task-events", "two", "")
    ));
    place.serve(&first);
    place.apps.insert("other".into(), sidelet::AppAddress::parse(&second.address()).unwrap());
    let sidecar = place.start().await;
    publish(&sidecar, (0..10).map(|number| ("a", number))).await;
    for app in [&first, &second] {
        let delivered = app.wait_for(20).await;
        assert_eq!(delivered.iter().filter(|message| message.route == "/one").count(), 10);
        assert_eq!(delivered.iter().filter(|message| message.route == "/two").count(), 10);
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn a_new_group_begins_at_the_oldest_message() {
    let place = Place::new(COMPONENTS);
    let sidecar = place.start().await;
    publish(&sidecar, (0..10).map(|number| ("a", number))).await;
    sidecar.stop().await;
    let app = App::start().await;
    let file = place.path().join("resources/subscription.yaml");
    std::fs::write(file, subscription("late", "task-events", "/late", "")).unwrap();
    let mut place = place;
    place.serve(&app);
    let sidecar = place.start().await;
    app.wait_for(10).await;
    sidecar.stop().await;
}

#[tokio::test]
async fn tokens_are_asked_for_and_sent() {
    let app = App::start().await;
    let mut place = Place::with_app(&app);
    place.api_token = Some("secret".into());
    place.app_token = Some("other-secret".into());
    let sidecar = place.start().await;
    let api = &sidecar.api;
    for path in ["/v1.0/state/statestore/k", "/v1.0/metadata", "/nowhere"] {
        for token in [None, Some("wrong"), Some("secret2"), Some("secre")] {
            let mut request = api.client.get(format!("{}{path}", api.address));
            if let Some(token) = token {
                request = request.header("dapr-api-token", token);
            }
            let answer = request.send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (401, "invalid api token\n"));
        }
    }
    for path in ["/v1.0/healthz", "/v1.0/healthz/outbound"] {
        assert_eq!(api.get(path).await.status, 204);
    }
    let request = api.client.post(format!("{}/v1.0/publish/pubsub/task-events", api.address));
    let answer = request.header("dapr-api-token", "secret").body("x").send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let delivered = app.wait_for(1).await;
    assert_eq!(delivered[0].headers["dapr-api-token"], "other-secret");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_graceful_end_loses_nothing_and_repeats_nothing() {
    let app = App::start().await;
    let place = Place::with_app(&app);
    let mut published = 0;
    for _ in 0..5 {
        let sidecar = place.start().await;
        for _ in 0..30 {
            publish(&sidecar, [("a", published), ("b", published)]).await;
            published += 1;
        }
        sidecar.stop().await;
    }
    let sidecar = place.start().await;
    app.wait_for(300).await;
    sidecar.stop().await;
    let all = by_key(&app);
    for key in ["a", "b"] {
        assert_eq!(all[key], (0..150).collect::<Vec<_>>(), "{key}");
    }
}

#[tokio::test]
async fn a_message_that_has_expired_is_not_delivered() {
    let mut app = App::absent(|_| ().into_response());
    let place = Place::with_app(&app);
    let sidecar = place.start().await;
    let old = r#"{"id":"old","data":1,"expiration":"2020-01-01T00:00:00Z"}"#;
    let request = sidecar.api.client.post(format!("{}/v1.0/publish/pubsub/task-events", sidecar.api.address));
    let answer = request.header("content-type", "application/cloudevents+json").body(old).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    publish(&sidecar, [("a", 1)]).await;
    app.listen().await;
    let delivered = app.wait_for(1).await;
    assert_eq!(delivered[0].data()["number"], 1);
    sidecar.stop().await;
    assert_eq!(app.delivered().len(), 1);
}
