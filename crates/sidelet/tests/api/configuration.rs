//! The configuration file: what may be called, what may be loaded, what is logged.

use serde_json::Value;

use crate::harness::{App, COMPONENTS, Place, Process};

#[tokio::test]
async fn denied_parts_of_the_api_are_not_there_and_health_always_is() {
    let mut place = Place::new(COMPONENTS);
    place.configure(
        "  api:
    allowed:
      - {name: state, version: v1.0}
      - {name: publish, version: v1, protocol: http}
      - {name: bindings, version: v1.0, protocol: grpc}
    denied:
      - {name: publish, version: v1}
",
    );
    let sidecar = place.start().await;
    sidecar.api.save("k", "1").await;
    for (path, status) in [("/v1.0/metadata", 404), ("/v1.0/secrets/s/k", 404), ("/v1.0/healthz", 204)] {
        assert_eq!(sidecar.api.get(path).await.status, status, "{path}");
    }
    let answer = sidecar.api.post("/v1.0/publish/pubsub/t", "1").await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "ERR_DIRECT_INVOKE"));
    assert_eq!(sidecar.api.post("/v1.0/shutdown", "").await.status, 404);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_denied_type_of_component_is_as_if_absent() {
    let mut place = Place::new(COMPONENTS);
    place.configure("  components:\n    deny: [state.sqlite/v1, bindings.smtp, pubsub.sqlite/v2]\n");
    let sidecar = place.start().await;
    let metadata = sidecar.api.get("/v1.0/metadata").await.json();
    let names: Vec<_> = metadata["components"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["pubsub"]);
    assert_eq!(sidecar.api.get("/v1.0/state/statestore/k").await.code(), "ERR_STATE_STORE_NOT_CONFIGURED");
    sidecar.stop().await;
}

#[tokio::test]
async fn bad_configurations_are_refused_by_name() {
    for (spec, expected) in [
        ("  accessControl: {defaultAction: deny}\n", "`spec.accessControl` is not served"),
        ("  httpPipeline: {handlers: [{name: a, type: b}]}\n", "`spec.httpPipeline` is not served"),
        ("  loging: {}\n", "`spec.loging` is not known"),
        ("  logging: {apiLoging: {}}\n", "`spec.logging`: unknown field `apiLoging`"),
        ("  api: {denied: [{name: stat, version: v1}]}\n", "`name` is `stat`; expected one of actors"),
        ("  api: {denied: [{name: state, version: v2}]}\n", "`version` is `v2`; expected `v1`"),
        ("  secrets: {scopes: [{storeName: a, defaultAccess: none}]}\n", "`defaultAccess` is `none`; expected `allow`"),
        ("  secrets: {scopes: [{storeName: a}, {storeName: a}]}\n", "`a` is there twice"),
        ("  metrics: {latencyDistributionBuckets: [2, 1]}\n", "`spec.metrics.latencyDistributionBuckets`"),
        ("  metrics: {http: {pathMatching: [orders]}}\n", "`spec.metrics.http.pathMatching`"),
    ] {
        let mut place = Place::new(COMPONENTS);
        place.configure(spec);
        let error = sidelet::start(place.config()).await.map(drop).unwrap_err();
        assert!(error.to_string().contains(expected) && error.exit_code() == 3, "{spec}: {error}");
        assert!(!error.to_string().contains('\n') && error.to_string().contains("configuration.yaml"), "{error}");
    }
    let place = Place::new(COMPONENTS);
    let mut config = place.config();
    config.configuration = vec![config.resources[0].join("all.yaml")];
    let error = sidelet::start(config).await.map(drop).unwrap_err();
    assert!(error.to_string().contains("`kind` is `Component`; expected `Configuration`"), "{error}");
}

#[tokio::test]
async fn what_has_no_effect_does_no_harm() {
    let mut place = Place::new(COMPONENTS);
    place.configure(
        "  tracing: {samplingRate: '1'}\n  mtls: {enabled: true}\n  accessControl: {defaultAction: allow}\n",
    );
    place.start().await.stop().await;
}

#[tokio::test]
async fn calls_are_logged_as_the_configuration_says() {
    let lines = async |spec: &str, arguments: &[&str]| -> Vec<Value> {
        let mut place = Place::with_app(&App::start().await);
        place.configure(spec);
        let process = Process::spawn(Process::command(&place).args(arguments));
        process.api.get("/v1.0/healthz/outbound").await;
        process.api.get("/v1.0/state/statestore/personal?metadata.x=1").await;
        let (_, log) = process.terminate_with_log().await;
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .map(|line| line["fields"].clone())
            .filter(|fields| fields["message"] == "a call of the API was answered")
            .collect()
    };
    let logging = |settings: &str| format!("  logging:\n    apiLogging: {settings}\n");
    let all = lines(&logging("{enabled: true}"), &[]).await;
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0]["method"], &all[0]["code"]), (&"GET /v1.0/healthz/outbound".into(), &204.into()));
    assert_eq!(all[1]["method"], "GET /v1.0/state/statestore/personal");
    assert!(all[1]["duration_ms"].is_number() && all[1]["useragent"].is_string());
    let few = lines(&logging("{enabled: true, obfuscateURLs: true, omitHealthChecks: true}"), &[]).await;
    assert_eq!(few.iter().map(|line| line["method"].clone()).collect::<Vec<_>>(), ["GetState"]);
    assert_eq!(lines(&logging("{enabled: true}"), &["--enable-api-logging=false"]).await.len(), 0);
    assert_eq!(lines(&logging("{}"), &["--enable-api-logging"]).await.len(), 2);
}
