//! Topics as streams.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{
    Api, COMPONENTS, DEADLINE, Place, Process, Sidecar, eventually,
    stream::{Event, Stream},
};

/// A log in memory, with the partitions of Kafka's default for this app.
const IN_MEMORY: &str = "
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: pubsub
spec:
  type: pubsub.in-memory
  version: v1
";

/// Publishes many messages of this size at once, with numbers from 0 on.
async fn publish_many(api: &Api, topic: &str, key: &str, count: usize, size: usize) {
    let filling = "x".repeat(size);
    let entry = |number: usize| {
        json!({
            "entryId": number.to_string(),
            "event": { "number": number, "filling": filling },
            "contentType": "application/json",
            "metadata": { "partitionKey": key },
        })
    };
    let entries: Vec<Value> = (0..count).map(entry).collect();
    let answer = api.post(&format!("/v1.0/publish/bulk/pubsub/{topic}"), Value::from(entries).to_string()).await;
    assert_eq!(answer.status, 204, "{answer:?}");
}

/// The value of a metric, with its labels.
async fn metric(sidecar: &Sidecar, name: &str) -> Option<String> {
    let address = sidecar.running.metrics_addr().unwrap();
    let text = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split(' ').nth(1)).map(str::to_owned)
}

async fn open_streams(sidecar: &Sidecar) -> Option<String> {
    metric(sidecar, r#"sidelet_streams_open{app_id="todo",component="pubsub"}"#).await
}

/// How often the database was read.
async fn reads(sidecar: &Sidecar) -> u64 {
    let name = r#"sidelet_database_queries_total{app_id="todo",kind="read"}"#;
    metric(sidecar, name).await.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_stream_has_the_messages_of_its_key_in_order_from_its_opening_on() {
    for components in [COMPONENTS, IN_MEMORY] {
        let place = Place::new(components);
        let sidecar = place.start().await;
        sidecar.api.publish("t", "a", -1).await;
        let mut stream = Stream::open(&sidecar.api, "pubsub/t?key=a", "").await;
        assert_eq!(stream.headers["content-type"], "text/event-stream");
        let mut whole = Stream::open(&sidecar.api, "pubsub/t", "").await;
        for number in 0..100 {
            for key in ["a", "b", ""] {
                sidecar.api.publish("t", key, number).await;
            }
        }
        assert_eq!(stream.numbers(100).await, (0..100).collect::<Vec<_>>());
        let mut all = whole.numbers(300).await;
        all.sort_unstable();
        assert_eq!(all, (0..300).map(|index| index / 3).collect::<Vec<_>>());
        sidecar.api.publish("t", "a", 100).await;
        let event = stream.next().await.unwrap();
        let (partition, offset) = event.id.split_once('-').unwrap();
        assert!(partition.parse::<u32>().is_ok() && offset.parse::<u64>().is_ok(), "{event:?}");
        let envelope = event.json();
        assert_eq!((&envelope["specversion"], &envelope["data"]["key"]), (&"1.0".into(), &"a".into()));
        sidecar.stop().await;
    }
}

#[tokio::test]
async fn every_message_is_one_line_with_an_envelope_and_expired_ones_do_not_come() {
    let place = Place::new(COMPONENTS);
    let sidecar = place.start().await;
    let api = &sidecar.api;
    let publish = async |query: &str, body: &str| {
        let answer = api.post(&format!("/v1.0/publish/pubsub/t?metadata.partitionKey=a&{query}"), body).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    };
    let over = r#"{"specversion":"1.0","id":"1","data":1,"expiration":"2020-01-01T00:00:00Z"}"#;
    let request = api.client.post(format!("{}/v1.0/publish/pubsub/t?metadata.partitionKey=a", api.address));
    let answer = request.header("content-type", "application/cloudevents+json").body(over).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    publish("", "{\"a\":\r\n [1,\n2]}").await;
    publish("metadata.rawPayload=true", "no\njson").await;
    let mut stream = Stream::open(api, "pubsub/t?key=a&from=earliest", "").await;
    assert_eq!(stream.next().await.unwrap().json()["data"], json!({ "a": [1, 2] }));
    let wrapped = stream.next().await.unwrap().json();
    assert_eq!((&wrapped["data_base64"], &wrapped["specversion"]), (&"bm8KanNvbg==".into(), &"1.0".into()));
    sidecar.stop().await;
}

#[tokio::test]
async fn a_stream_goes_on_behind_the_id_it_is_given_also_after_a_restart() {
    let place = Place::new(COMPONENTS);
    let sidecar = place.start().await;
    for number in 0..1000 {
        let key = ["a", "b", "c", "d", "e"][number % 5];
        sidecar.api.publish("t", key, i64::try_from(number).unwrap()).await;
    }
    let mut stream = Stream::open(&sidecar.api, "pubsub/t?key=b&from=earliest", "").await;
    assert_eq!(stream.numbers(10).await, (0..10).map(|index| index * 5 + 1).collect::<Vec<_>>());
    let last = stream.next().await.unwrap();
    assert_eq!(last.number(), 51);
    drop(stream);
    // Of all keys, each once, whatever partition they are in.
    let mut seen = Vec::new();
    let mut id = String::new();
    while seen.len() < 1000 {
        let mut whole = Stream::open(&sidecar.api, "pubsub/t?from=earliest", &id).await;
        for _ in 0..100.min(1000 - seen.len()) {
            let event = whole.next().await.unwrap();
            seen.push(event.number());
            id = event.id;
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..1000).collect::<Vec<_>>());
    sidecar.stop().await;

    let sidecar = place.start().await;
    let mut stream = Stream::open(&sidecar.api, "pubsub/t?key=b", &last.id).await;
    assert_eq!(stream.numbers(189).await, (11..200).map(|index| index * 5 + 1).collect::<Vec<_>>());
    sidecar.api.publish("t", "b", 1000).await;
    assert_eq!(stream.numbers(1).await, [1000]);
    let mut whole = Stream::open(&sidecar.api, "pubsub/t", &id).await;
    assert_eq!(whole.numbers(1).await, [1000]);
    sidecar.stop().await;
}

#[tokio::test]
async fn an_id_of_a_log_that_is_gone_begins_a_new_one_whole() {
    let place = Place::new(IN_MEMORY);
    let sidecar = place.start().await;
    let mut stream = Stream::open(&sidecar.api, "pubsub/t?key=a", "").await;
    for number in 0..3 {
        sidecar.api.publish("t", "a", number).await;
    }
    let mut id = String::new();
    for _ in 0..3 {
        id = stream.next().await.unwrap().id;
    }
    sidecar.stop().await;
    let sidecar = place.start().await;
    sidecar.api.publish("t", "a", 7).await;
    let mut stream = Stream::open(&sidecar.api, "pubsub/t?key=a", &id).await;
    assert_eq!(stream.numbers(1).await, [7]);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_burst_longer_than_the_buffer_reaches_a_reader_that_reads() {
    let mut place = Place::new(COMPONENTS);
    place.max_body_size = 32 << 20;
    let sidecar = place.start().await;
    let mut stream = Stream::open(&sidecar.api, "pubsub/t?key=a", "").await;
    publish_many(&sidecar.api, "t", "a", 10_000, 500).await;
    assert_eq!(stream.numbers(10_000).await, (0..10_000).collect::<Vec<_>>());
    sidecar.api.publish("t", "a", 10_000).await;
    assert_eq!(stream.numbers(1).await, [10_000]);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_told_so_and_ended_and_the_others_are_not() {
    let mut place = Place::new(COMPONENTS);
    place.max_body_size = 32 << 20;
    let sidecar = place.start().await;
    let mut other = Stream::open(&sidecar.api, "pubsub/t?key=a", "").await;
    // A small window, so that little is on its way.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut slow = socket.connect(sidecar.running.local_addr()).await.unwrap();
    slow.write_all(b"GET /sidelet/v1/subscribe/pubsub/t?key=a HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut head = vec![0; 4096];
    let mut length = 0;
    while !head[..length].ends_with(b": ready\n\n\r\n") {
        length += slow.read(&mut head[length..]).await.unwrap();
    }
    for _ in 0..4 {
        publish_many(&sidecar.api, "t", "a", 1000, 8000).await;
        assert_eq!(other.numbers(1000).await, (0..1000).collect::<Vec<_>>());
    }
    let mut rest = Vec::new();
    tokio::time::timeout(DEADLINE, async {
        while !rest.ends_with(b"0\r\n\r\n") {
            let count = slow.read_buf(&mut rest).await.unwrap();
            assert!(count > 0, "the stream broke off");
        }
    })
    .await
    .expect("the stream is ended");
    let rest = String::from_utf8(rest).unwrap();
    assert!(rest.contains("event: end\ndata: the reader is too slow\n\n"), "{}", &rest[rest.len() - 300..]);
    sidecar.api.publish("t", "a", 1).await;
    assert_eq!(other.numbers(1).await, [1]);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_thousand_readers_have_what_is_theirs_and_leave_nothing_behind() {
    let place = Place::new(COMPONENTS);
    let sidecar = place.start().await;
    let keys: Vec<String> = (0..1000).map(|number| format!("user-{number}")).collect();
    let mut streams = Vec::new();
    for part in keys.chunks(100) {
        let open = part.iter().map(async |key| Stream::open(&sidecar.api, &format!("pubsub/t?key={key}"), "").await);
        streams.extend(join_all(open).await);
    }
    assert_eq!(open_streams(&sidecar).await.as_deref(), Some("1000"));
    for number in 0..3 {
        for part in keys.chunks(100) {
            join_all(part.iter().map(|key| sidecar.api.publish("t", key, number))).await;
        }
    }
    for (stream, key) in streams.iter_mut().zip(&keys) {
        for number in 0..3 {
            let event = stream.next().await.unwrap();
            assert_eq!((event.number(), &event.json()["data"]["key"]), (number, &Value::from(key.as_str())));
        }
    }
    drop(streams);
    eventually("the end of all streams", async || (open_streams(&sidecar).await? == "0").then_some(())).await;
    sidecar.stop().await;
}

#[tokio::test]
async fn the_log_is_read_once_for_all_readers_and_not_at_all_without_need() {
    let mut place = Place::new(COMPONENTS);
    place.stream_heartbeat = Duration::from_millis(5);
    let sidecar = place.start().await;
    let open = (0..50).map(async |_| Stream::open(&sidecar.api, "pubsub/t?key=a", "").await);
    let mut streams = join_all(open).await;
    let before = reads(&sidecar).await;
    for number in 0..10 {
        sidecar.api.publish("t", "a", number).await;
        for stream in &mut streams {
            while stream.next().await.unwrap().id.is_empty() {}
        }
    }
    assert!(reads(&sidecar).await - before <= 10, "one read for each message, not for each reader");
    let idle = reads(&sidecar).await;
    for stream in &mut streams {
        for _ in 0..10 {
            assert_eq!(stream.next().await.unwrap().comment, "heartbeat");
        }
    }
    assert_eq!(reads(&sidecar).await, idle, "nothing was appended");
    drop(streams);
    eventually("the end of all streams", async || (open_streams(&sidecar).await? == "0").then_some(())).await;
    sidecar.api.publish("t", "a", 10).await;
    assert_eq!(sidecar.api.get("/v1.0/state/statestore/none").await.status, 204);
    assert_eq!(reads(&sidecar).await, idle + 1, "nobody listens: the one read is that of the state");
    sidecar.stop().await;
}

#[tokio::test]
async fn the_end_of_the_sidecar_ends_every_stream_with_a_word_and_at_once() {
    let place = Place::new(COMPONENTS);
    let process = Process::start(&place);
    let open = (0..50).map(async |_| Stream::open(&process.api, "pubsub/t", "").await);
    let streams = join_all(open).await;
    let begin = Instant::now();
    let (status, ended) = tokio::join!(
        process.terminate(),
        join_all(streams.into_iter().map(async |mut stream| (stream.next().await, stream.next().await)))
    );
    assert!(status.success());
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    let end = Event { kind: "end".into(), data: "the sidecar ends".into(), ..Event::default() };
    assert!(ended.iter().all(|ended| *ended == (Some(end.clone()), None)), "{ended:?}");
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive_and_none_begins_once_they_are_ended() {
    let mut place = Place::new(IN_MEMORY);
    place.stream_heartbeat = Duration::from_millis(5);
    let sidecar = place.start().await;
    let mut stream = Stream::open(&sidecar.api, "pubsub/t", "").await;
    for _ in 0..3 {
        assert_eq!(stream.next().await.unwrap().comment, "heartbeat");
    }
    sidecar.api.publish("t", "a", 1).await;
    while stream.next().await.unwrap().id.is_empty() {}
    sidecar.running.end_streams();
    let refused = sidecar.api.get("/sidelet/v1/subscribe/pubsub/t").await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "ERR_STREAM_UNAVAILABLE"));
    assert_eq!(refused.header("retry-after"), "1");
    // All else goes on.
    sidecar.api.publish("t", "a", 2).await;
    sidecar.stop().await;
}

#[tokio::test]
async fn one_key_does_not_take_the_places_of_all() {
    let place = Place::new(IN_MEMORY);
    let sidecar = place.start().await;
    let open = async |key: &str| Stream::open(&sidecar.api, &format!("pubsub/t?key={key}"), "").await;
    let mut streams = join_all((0..64).map(async |_| open("a").await)).await;
    let refused = sidecar.api.get("/sidelet/v1/subscribe/pubsub/t?key=a").await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "ERR_STREAM_UNAVAILABLE"));
    // Other keys, and who wants all of them, have places of their own; one that ends is free again.
    open("b").await;
    Stream::open(&sidecar.api, "pubsub/t", "").await;
    streams.pop();
    let url = format!("{}/sidelet/v1/subscribe/pubsub/t?key=a", sidecar.api.address);
    eventually("a place for the key", async || {
        let answer = sidecar.api.client.get(&url).send().await.ok()?;
        (answer.status() == 200).then_some(())
    })
    .await;
    sidecar.stop().await;
}

#[tokio::test]
async fn what_names_no_stream_is_refused() {
    let mut place = Place::new(COMPONENTS);
    place.api_token = Some("secret".into());
    let sidecar = place.start().await;
    let get = async |path: &str, id: &str| {
        let request = sidecar.api.client.get(format!("{}/sidelet/v1/subscribe/{path}", sidecar.api.address));
        let request = request.header("dapr-api-token", "secret").header("last-event-id", id);
        let answer = crate::harness::Answer::read(request.send().await.unwrap()).await;
        (answer.status, answer.code())
    };
    assert_eq!(get("nowhere/t", "").await, (404, "ERR_PUBSUB_NOT_FOUND".into()));
    assert_eq!(get("pubsub", "").await, (404, "ERR_DIRECT_INVOKE".into()));
    assert_eq!(get("pubsub/t?from=yesterday", "").await, (400, "ERR_MALFORMED_REQUEST".into()));
    for id in ["x", "0", "0-", "0-x", "99-0", "0--1", "0-1,", "0-9223372036854775807"] {
        assert_eq!(get("pubsub/t", id).await, (400, "ERR_MALFORMED_REQUEST".into()), "{id}");
    }
    assert_eq!(sidecar.api.send(Method::GET, "/sidelet/v1/subscribe/pubsub/t", "").await.status, 401);
    sidecar.stop().await;
}
