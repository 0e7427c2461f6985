//! Streams of topics, what operators ask, and dead letters.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::response::IntoResponse;
use serde_json::json;

use super::{by_key, place};
use crate::harness::{App, app::answer, eventually, stream::Stream};

#[tokio::test]
async fn dead_letters_are_told_of_and_go_back_once() {
    let fails = Arc::new(AtomicBool::new(true));
    let app = App::answering({
        let fails = fails.clone();
        move |_| answer(200, if fails.load(Ordering::SeqCst) { r#"{"status":"DROP"}"# } else { "" }).into_response()
    })
    .await;
    let place = place("kafka-letters", "kafka-letters-dlq", &app).await;
    let sidecar = place.start().await;
    for number in 0..5 {
        sidecar.api.publish("kafka-letters", "a", number).await;
    }
    app.wait_for(5).await;
    let letters = eventually("five letters", async || {
        let answer = sidecar.api.get("/sidelet/v1/dead-letters/pubsub/kafka-letters-dlq?limit=2").await;
        (answer.status == 200 && answer.json()["total"] == 5).then(|| answer.json())
    })
    .await;
    assert_eq!((&letters["waiting"], letters["letters"].as_array().unwrap().len()), (&json!(5), 2));
    let newest = &letters["letters"][0];
    assert_eq!(
        (&newest["offset"], &newest["topic"], &newest["key"]),
        (&json!(4), &"kafka-letters".into(), &"a".into())
    );
    assert_eq!(newest["group"], "todo/kafka-letters");
    let id = newest["id"].as_str().unwrap().to_owned();
    let event = sidecar.api.get(&format!("/sidelet/v1/events/{id}")).await.json();
    assert_eq!(event["places"].as_array().unwrap().len(), 2, "{event}");

    fails.store(false, Ordering::SeqCst);
    let replay = async |query: &str| {
        let path = format!("/sidelet/v1/dead-letters/pubsub/kafka-letters-dlq/replay{query}");
        sidecar.api.post(&path, "").await.json()["replayed"].as_u64()
    };
    assert_eq!(replay(&format!("?id={id}")).await, Some(1));
    app.wait_for(6).await;
    assert_eq!(replay("").await, Some(4));
    app.wait_for(10).await;
    assert_eq!(replay("").await, Some(0));
    let numbers = by_key(&app).remove("a").unwrap();
    assert_eq!(numbers[5..], [4, 0, 1, 2, 3]);
    let letters = sidecar.api.get("/sidelet/v1/dead-letters/pubsub/kafka-letters-dlq").await.json();
    assert_eq!((&letters["waiting"], &letters["letters"][0]["replayed"]), (&json!(0), &json!(true)));
    eventually("nothing behind", async || {
        let groups = sidecar.api.get("/sidelet/v1/groups").await.json();
        let group = groups.as_array()?.iter().find(|group| group["topic"] == "kafka-letters")?.clone();
        (group["behind"] == 0 && group["group"] == "todo/kafka-letters").then_some(())
    })
    .await;
    sidecar.stop().await;
}

#[tokio::test]
async fn a_stream_has_the_messages_of_its_key_from_its_opening_on_and_goes_on_behind_an_id() {
    let app = App::start().await;
    let place = place("kafka-stream", "", &app).await;
    let sidecar = place.start().await;
    sidecar.api.publish("kafka-stream", "a", -1).await;
    let mut keyed = Stream::open(&sidecar.api, "pubsub/kafka-stream?key=a", "").await;
    let mut whole = Stream::open(&sidecar.api, "pubsub/kafka-stream", "").await;
    for number in 0..100 {
        for key in ["a", "b", ""] {
            sidecar.api.publish("kafka-stream", key, number).await;
        }
    }
    assert_eq!(keyed.numbers(50).await, (0..50).collect::<Vec<_>>());
    let last = keyed.next().await.unwrap();
    assert_eq!(last.number(), 50);
    let mut all = whole.numbers(300).await;
    all.sort_unstable();
    assert_eq!(all, (0..300).map(|index| index / 3).collect::<Vec<_>>());
    drop(keyed);
    let mut again = Stream::open(&sidecar.api, "pubsub/kafka-stream?key=a", &last.id).await;
    assert_eq!(again.numbers(49).await, (51..100).collect::<Vec<_>>());
    let mut earliest = Stream::open(&sidecar.api, "pubsub/kafka-stream?key=a&from=earliest", "").await;
    assert_eq!(earliest.numbers(101).await, (-1..100).collect::<Vec<_>>());
    sidecar.api.publish("kafka-stream", "a", 100).await;
    assert_eq!((again.numbers(1).await, earliest.numbers(1).await), (vec![100], vec![100]));
    drop((again, earliest, whole));
    // The consumer lingers, and a reader that comes meanwhile misses nothing.
    for number in 101..120 {
        let mut next = Stream::open(&sidecar.api, "pubsub/kafka-stream?key=a", "").await;
        sidecar.api.publish("kafka-stream", "a", number).await;
        assert_eq!(next.numbers(1).await, [number]);
    }
    sidecar.stop().await;
}
