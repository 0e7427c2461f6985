//! What operators ask for: dead letters, where an event is, who lags; and putting dead letters back.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use crate::harness::{Api, App, COMPONENTS, Place, Process, app::answer, eventually, subscription};

/// An app that takes nothing whose number is odd, until it is healed.
async fn picky(healed: &Arc<AtomicBool>) -> App {
    let healed = healed.clone();
    App::answering(move |delivered| {
        let odd = delivered.data()["number"].as_i64().is_some_and(|number| number % 2 == 1);
        answer(if odd && !healed.load(Ordering::SeqCst) { 404 } else { 200 }, "")
    })
    .await
}

fn place(app: &App) -> Place {
    let mut place = Place::new(&format!("{COMPONENTS}{}", subscription("s", "t", "/t", "t-dlq")));
    place.serve(app);
    place
}

async fn letters(api: &Api) -> Value {
    api.get("/sidelet/v1/dead-letters/pubsub/t-dlq").await.json()
}

async fn replay(api: &Api, parameters: &str) -> Value {
    let answer = api.post(&format!("/sidelet/v1/dead-letters/pubsub/t-dlq/replay{parameters}"), "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn numbers(app: &App) -> Vec<i64> {
    app.delivered().iter().map(|delivered| delivered.data()["number"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn dead_letters_go_back_once_each_and_as_they_were() {
    let healed = Arc::new(AtomicBool::new(false));
    let app = picky(&healed).await;
    let place = place(&app);
    let sidecar = place.start().await;
    for number in 0..10 {
        sidecar.api.publish("t", &format!("k{}", number % 4), number).await;
    }
    let view = eventually("five dead letters", async || {
        let view = letters(&sidecar.api).await;
        (view["total"] == 5).then_some(view)
    })
    .await;
    assert_eq!(view["waiting"], 5);
    for letter in view["letters"].as_array().unwrap() {
        assert_eq!((&letter["reason"], &letter["group"]), (&json!("the app answered 404"), &json!("todo/s")));
        assert_eq!(
            (&letter["topic"], &letter["attempts"], &letter["replayed"]),
            (&json!("t"), &json!(1), &json!(false))
        );
        assert!(letter["id"].is_string() && letter["time"].is_string() && letter["key"].is_string());
    }
    let topics = sidecar.api.get("/sidelet/v1/dead-letters").await.json();
    assert_eq!((topics.as_array().unwrap().len(), &topics[0]["topic"]), (1, &json!("t-dlq")));
    // The handler still fails: they become dead letters again, and the replay ends.
    assert_eq!(replay(&sidecar.api, "").await["replayed"], 5);
    eventually("five more dead letters", async || {
        let view = letters(&sidecar.api).await;
        (view["total"] == 10 && view["waiting"] == 5).then_some(())
    })
    .await;
    healed.store(true, Ordering::SeqCst);
    let before = app.delivered();
    let (first, second, third) =
        tokio::join!(replay(&sidecar.api, ""), replay(&sidecar.api, ""), replay(&sidecar.api, ""));
    let all: i64 = [first, second, third].iter().map(|report| report["replayed"].as_i64().unwrap()).sum();
    assert_eq!(all, 5, "whoever asks at the same time, each goes back once");
    let delivered = app.wait_for(before.len() + 5).await;
    for number in [1, 3, 5, 7, 9] {
        let events: Vec<_> = delivered.iter().filter(|message| message.data()["number"] == number).collect();
        assert_eq!(events.len(), 3);
        assert!(events.iter().all(|message| message.event == events[0].event), "as it was");
        assert!(events.iter().all(|message| !message.headers.contains_key("deadletterreason")));
    }
    assert_eq!(replay(&sidecar.api, "").await["replayed"], 0);
    sidecar.stop().await;
}

#[tokio::test]
async fn one_event_alone_goes_back_and_the_others_later() {
    let healed = Arc::new(AtomicBool::new(false));
    let app = picky(&healed).await;
    let place = place(&app);
    let process = Process::start(&place);
    for number in [1, 3, 5] {
        process.api.publish("t", "k", number).await;
    }
    let view = eventually("three dead letters", async || {
        let view = letters(&process.api).await;
        (view["total"] == 3).then_some(view)
    })
    .await;
    healed.store(true, Ordering::SeqCst);
    // The newest comes first.
    let id = view["letters"][1]["id"].as_str().unwrap().to_owned();
    assert_eq!(replay(&process.api, &format!("?id={id}")).await, json!({"replayed": 1, "unknown": 0}));
    assert_eq!(replay(&process.api, &format!("?id={id}")).await["replayed"], 0);
    app.wait_for(4).await;
    assert_eq!(numbers(&app)[3], 3);
    // The app has it a moment before the sidecar has the app's answer.
    let event = eventually("the answer to the copy", async || {
        let event = process.api.get(&format!("/sidelet/v1/events/{id}")).await.json();
        let states = event["places"].as_array().unwrap().iter().filter(|place| place["topic"] == "t");
        states.into_iter().all(|place| place["groups"][0]["state"] == "finished").then_some(event)
    })
    .await;
    let places = event["places"].as_array().unwrap();
    assert_eq!(places.len(), 3, "{event}");
    let letter = places.iter().find(|place| place["topic"] == "t-dlq").unwrap();
    assert_eq!((&letter["replayed"], &letter["deadLetter"]["reason"]), (&json!(true), &json!("the app answered 404")));
    // A kill forgets nothing of what was put back.
    process.kill();
    let process = Process::start(&place);
    assert_eq!(letters(&process.api).await["waiting"], 2);
    let before = app.delivered().len();
    assert_eq!(replay(&process.api, "").await["replayed"], 2);
    eventually("the other two", async || {
        (numbers(&app)[before..].iter().filter(|number| [1, 5].contains(*number)).count() >= 2).then_some(())
    })
    .await;
    assert_eq!(letters(&process.api).await["waiting"], 0);
    assert_eq!(process.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn an_event_that_fails_says_how_often_and_why() {
    let app = App::answering(|_| answer(500, "")).await;
    let mut place = Place::new(&format!("{COMPONENTS}{}", subscription("s", "t", "/t", "")));
    place.serve(&app);
    let sidecar = place.start().await;
    let path = "/v1.0/publish/pubsub/t?metadata.cloudevent.id=the-event&metadata.partitionKey=k";
    assert_eq!(sidecar.api.post(path, "{}").await.status, 204);
    app.wait_for(2).await;
    let group = eventually("the second failure", async || {
        let event = sidecar.api.get("/sidelet/v1/events/the-event").await.json();
        let group = event["places"][0]["groups"][0].clone();
        (group["attempts"].as_i64() >= Some(2)).then_some(group)
    })
    .await;
    assert_eq!((&group["group"], &group["state"]), (&json!("todo/s"), &json!("failing")));
    assert_eq!(group["reason"], "the app answered 500");
    let groups = sidecar.api.get("/sidelet/v1/groups").await.json();
    assert_eq!((&groups[0]["behind"], &groups[0]["failing"]), (&json!(1), &json!(1)));
    sidecar.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_and_the_token_is_asked_for() {
    let app = App::start().await;
    let mut place = place(&app);
    let sidecar = place.start().await;
    let api = &sidecar.api;
    assert_eq!(api.get("/sidelet/v1/dead-letters/pubsub/none").await.code(), "ERR_TOPIC_NOT_FOUND");
    assert_eq!(api.get("/sidelet/v1/dead-letters/nobody/t").await.code(), "ERR_PUBSUB_NOT_FOUND");
    assert_eq!(api.get("/sidelet/v1/events/none").await.json(), json!({"id": "none", "places": []}));
    assert_eq!(api.get("/sidelet/v1/nothing").await.code(), "ERR_DIRECT_INVOKE");
    sidecar.stop().await;
    place.api_token = Some("secret".into());
    let sidecar = place.start().await;
    assert_eq!(sidecar.api.get("/sidelet/v1/groups").await.status, 401);
    assert_eq!(sidecar.api.post("/sidelet/v1/dead-letters/pubsub/t-dlq/replay", "").await.status, 401);
    sidecar.stop().await;
}
