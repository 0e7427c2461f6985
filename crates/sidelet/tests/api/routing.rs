//! Which route takes a message, and what arrives there.

use serde_json::json;

use crate::harness::{App, COMPONENTS, Place, eventually, subscription, subscription_with};

const ROUTES: &str = r#"  routes:
    rules:
      - match: event.type == "widget"
        path: /widgets
      - match: event.data.number > 1 && event.data.key == "a"
        path: many
    default: /rest"#;

async fn publish_typed(place: &crate::harness::Sidecar, kind: &str, data: &str) {
    let path = format!("/v1.0/publish/pubsub/t?metadata.cloudevent.type={kind}");
    assert_eq!(place.api.post(&path, data).await.status, 204);
}

#[tokio::test]
async fn the_first_rule_that_holds_chooses_the_route() {
    let app = App::start().await;
    let mut place = Place::new(&format!("{COMPONENTS}{}", subscription_with("s", "t", ROUTES)));
    place.serve(&app);
    let sidecar = place.start().await;
    publish_typed(&sidecar, "widget", r#"{"n":0}"#).await;
    publish_typed(&sidecar, "other", r#"{"n":1,"number":2,"key":"a"}"#).await;
    publish_typed(&sidecar, "other", r#"{"n":2,"number":1,"key":"a"}"#).await;
    // A field that is not there is no match, and the default takes it.
    publish_typed(&sidecar, "other", r#"{"n":3}"#).await;
    let mut routes: Vec<_> = app
        .wait_for(4)
        .await
        .iter()
        .map(|delivered| (delivered.data()["n"].as_i64().unwrap(), delivered.route.clone()))
        .collect();
    routes.sort_unstable();
    let expected = [(0, "/widgets"), (1, "/many"), (2, "/rest"), (3, "/rest")];
    assert_eq!(routes, expected.map(|(number, route)| (number, route.to_owned())));
    let metadata = sidecar.api.get("/v1.0/metadata").await.json();
    assert_eq!(
        metadata["subscriptions"],
        json!([{
            "pubsubname": "pubsub", "topic": "t", "deadLetterTopic": "", "type": "DECLARATIVE",
            "rules": [
                {"match": "event.type == \"widget\"", "path": "/widgets"},
                {"match": "event.data.number > 1 && event.data.key == \"a\"", "path": "many"},
                {"path": "/rest"},
            ],
        }])
    );
    sidecar.stop().await;
}

#[tokio::test]
async fn what_no_route_takes_is_finished_or_a_dead_letter() {
    let app = App::start().await;
    let rule = |name: &str, topic: &str| {
        subscription_with(name, topic, "  routes: {rules: [{match: event.type == 'widget', path: /widgets}]}")
    };
    let mut place = Place::new(&format!(
        "{COMPONENTS}{}{}{}",
        rule("silent", "t"),
        rule("letters", "u").replace("topic: u\n", "topic: u\n  deadLetterTopic: u-dlq\n"),
        subscription("dlq", "u-dlq", "/letters", "")
    ));
    place.serve(&app);
    let sidecar = place.start().await;
    for topic in ["t", "u"] {
        sidecar.api.publish(topic, "k", 1).await;
    }
    let letter = app.wait_for(1).await.remove(0);
    assert_eq!(letter.headers["deadletterreason"], "no route of the subscription takes it");
    assert_eq!(letter.headers["deadletterattempts"], "0");
    publish_typed(&sidecar, "widget", "{}").await;
    assert_eq!(app.wait_for(2).await[1].route, "/widgets");
    sidecar.stop().await;
    assert_eq!(app.delivered().len(), 2);
}

#[tokio::test]
async fn the_first_version_of_the_document_has_one_route() {
    let app = App::start().await;
    let document = subscription_with("s", "t", "  route: /one").replace("v2alpha1", "v1alpha1");
    let mut place = Place::new(&format!("{COMPONENTS}{document}"));
    place.serve(&app);
    let sidecar = place.start().await;
    sidecar.api.publish("t", "k", 1).await;
    assert_eq!(app.wait_for(1).await[0].route, "/one");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_raw_subscription_wraps_whatever_comes() {
    let app = App::start().await;
    let raw = subscription_with("s", "t", "  routes: {default: /raw}\n  metadata: {rawPayload: 'true'}");
    let mut place = Place::new(&format!("{COMPONENTS}{raw}"));
    place.serve(&app);
    let sidecar = place.start().await;
    let path = "/v1.0/publish/pubsub/t?metadata.rawPayload=true&metadata.partitionKey=k";
    assert_eq!(sidecar.api.post(path, "not JSON").await.status, 204);
    let delivered = app.wait_for(1).await.remove(0);
    assert_eq!(delivered.headers["content-type"], "application/cloudevents+json");
    let mut event = delivered.event;
    assert!(event["id"].as_str().unwrap().starts_with("t/"), "{event}");
    event["id"] = json!("masked");
    assert_eq!(
        event,
        json!({
            "data_base64": "bm90IEpTT04=", "datacontenttype": "application/octet-stream", "id": "masked",
            "pubsubname": "pubsub", "source": "Dapr", "specversion": "1.0", "topic": "t",
            "type": "com.dapr.event.sent",
        })
    );
    sidecar.stop().await;
}

#[tokio::test]
async fn a_payload_that_is_no_event_is_a_dead_letter_where_there_are_any() {
    let app = App::start().await;
    let mut place = Place::new(&format!(
        "{COMPONENTS}{}{}{}",
        subscription("with", "t", "/with", "t-dlq"),
        subscription("without", "t", "/without", ""),
        subscription("dlq", "t-dlq", "/letters", "")
    ));
    place.serve(&app);
    let sidecar = place.start().await;
    let path = "/v1.0/publish/pubsub/t?metadata.rawPayload=true&metadata.partitionKey=k";
    assert_eq!(sidecar.api.post(path, "not JSON").await.status, 204);
    sidecar.api.publish("t", "k", 1).await;
    let delivered = eventually("both subscriptions", async || {
        let delivered = app.delivered();
        let of = |route: &str| delivered.iter().filter(|message| message.route == route).count();
        (of("/with") == 1 && of("/without") == 2 && of("/letters") == 1).then_some(delivered.clone())
    })
    .await;
    let letter = delivered.iter().find(|message| message.route == "/letters").unwrap();
    assert_eq!(letter.headers["deadletterreason"], "it is not a CloudEvent");
    sidecar.stop().await;
}
