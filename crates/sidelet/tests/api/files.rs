//! Bad files are refused before anything is opened, with what is wrong and what would be right.

use crate::harness::{COMPONENTS, Place, subscription};

fn component(kind: &str, metadata: &str) -> String {
    format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: x\nspec:\n  type: {kind}\n  version: v1\n  metadata: {metadata}\n"
    )
}

#[tokio::test]
async fn bad_files_are_refused_by_name() {
    let outbox = "[{name: connectionString, value: a.db}, {name: outboxPublishPubsub, value: nobody}, {name: outboxPublishTopic, value: t}]";
    let v1 = subscription("s", "t", "/t", "").replace("v2alpha1", "v1alpha1");
    let plain = subscription("s", "t", "/t", "");
    let rules =
        |rules: &str| format!("{COMPONENTS}{}", plain.replace("default:", &format!("rules: {rules}\n    default:")));
    let with = |key: &str| format!("{COMPONENTS}{}", plain.replace("topic: t\n", &format!("topic: t\n  {key}\n")));
    let resiliency = |spec: &str| {
        format!("---\napiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata:\n  name: r\nspec:\n  {spec}\n")
    };
    let cases: Vec<(String, &[&str])> = vec![
        ("{".into(), &["all.yaml", "not YAML"]),
        ("kind: Component".into(), &["document 1", "apiVersion", "expected"]),
        (component("state.redis", "[]"), &["component `x`", "`spec.type` is `state.redis`", "`state.sqlite`"]),
        (component("state.sqlite", "[]"), &["`connectionString` is missing", "expected a file such as"]),
        (
            component("state.sqlite", "[{name: connectionString, value: 'a.db?mode=ro'}]"),
            &["`a.db?mode=ro`", "without parameters"],
        ),
        (
            component("state.sqlite", "[{name: connectionString, value: a.db}, {name: keyPrefx, value: none}]"),
            &["`keyPrefx` is not known", "keyPrefix"],
        ),
        (
            component("state.sqlite", "[{name: connectionString, value: a.db}, {name: keyPrefix, value: namespace}]"),
            &["`keyPrefix` is `namespace`", "`appid`"],
        ),
        (
            component("state.sqlite", "[{name: connectionString, value: a.db}, {name: outboxPublishPubsub, value: p}]"),
            &["`outboxPublishTopic` is missing"],
        ),
        (
            component("state.sqlite", "[{name: connectionString, secretKeyRef: {name: a, key: b}}]"),
            &["`secretKeyRef`", "`auth.secretStore` is missing"],
        ),
        (
            component("state.sqlite", "[{name: connectionString, envRef: SIDELET_TEST_UNSET}]"),
            &["`SIDELET_TEST_UNSET`", "not set"],
        ),
        (component("state.sqlite", outbox), &["`outboxPublishPubsub` is `nobody`", "which no component is"]),
        (
            component("pubsub.sqlite", "[{name: connectionString, value: a.db}, {name: partitions, value: 0}]"),
            &["`partitions` is `0`", "from 1 to 64"],
        ),
        (
            component("pubsub.sqlite", "[{name: connectionString, value: a.db}, {name: retention, value: 7}]"),
            &["`retention` is `7`", "`7d`"],
        ),
        (component("pubsub.sqlite", "[{name: a, value: 1}, {name: A, value: 1}]"), &["`A` is there twice"]),
        (format!("{0}---\n{0}", component("state.in-memory", "[]")), &["document 2", "`x` is taken"]),
        (
            component("state.in-memory", "[]").replace("version: v1\n", "version: v2\n"),
            &["`spec.version` is `v2`", "`v1`"],
        ),
        (component("state.in-memory", "[]").replace("metadata: []", "metadta: []"), &["metadta"]),
        (
            format!(
                "{COMPONENTS}{}",
                subscription("s", "t", "/t", "").replace("pubsubname: pubsub", "pubsubname: nobody")
            ),
            &["document 4", "`spec.pubsubname` is `nobody`", "one of `pubsub`"],
        ),
        (format!("{COMPONENTS}{0}{0}", subscription("s", "t", "/t", "")), &["document 5", "`s` is taken"]),
        (format!("{COMPONENTS}{v1}"), &["`spec.route` is missing", "`/events/task`"]),
        (format!("{COMPONENTS}{}", subscription("s", "t", "/a b", "")), &["`spec.routes.default`", "`/a b`"]),
        (
            rules("[{match: 'event.type ==', path: /b}]"),
            &["subscription `s`", "`routes.rules[0]`", "is no CEL expression"],
        ),
        (rules("[{match: 'evnt.type == 1', path: /b}]"), &["`routes.rules[0]`", "names `evnt`; expected event alone"]),
        (rules("[{match: 'event.data.a', path: '/a b'}]"), &["`routes.rules[0]`", "the path is `/a b`"]),
        (rules("[{mtch: 'event.data.a', path: /b}]"), &["`s`", "mtch"]),
        (
            with("bulkSubscribe: {enabled: true, maxMessagesCount: 5000}"),
            &["`bulkSubscribe.maxMessagesCount` is `5000`", "1 to 1000"],
        ),
        (with("metadata: {rawPayload: perhaps}"), &["`rawPayload` is `perhaps`", "`true` or `false`"]),
        (resiliency("policies: {timeouts: {t: soon}}"), &["resiliency `r`", "`policies.timeouts.t` is `soon`", "`5s`"]),
        (resiliency("policies: {timeout: {t: 5s}}"), &["Resiliency `r`", "timeout"]),
        (
            resiliency("policies: {retries: {r: {policy: linear}}}"),
            &["`policies.retries.r.policy` is `linear`", "`constant`"],
        ),
        (
            resiliency("policies: {retries: {r: {maxRetries: -2}}}"),
            &["`policies.retries.r.maxRetries`", "-1 for no end"],
        ),
        (
            resiliency("policies: {retries: {r: {matching: {httpStatusCodes: '7'}}}}"),
            &["httpStatusCodes", "`429,500-599`"],
        ),
        (
            resiliency("policies: {circuitBreakers: {b: {trip: failures > 5}}}"),
            &["`policies.circuitBreakers.b.trip`", "names `failures`"],
        ),
        (
            resiliency("targets: {components: {pubsub: {inbound: {retry: r}}}}"),
            &["`targets.components.pubsub.inbound.retry` is `r`"],
        ),
        (
            format!("{0}{0}", resiliency("targets: {components: {a: {inbound: {}}}}")),
            &["the target `components.a` is in a document before"],
        ),
    ];
    for (text, expected) in cases {
        let place = Place::new(&text);
        let error = sidelet::start(place.config()).await.map(drop).unwrap_err();
        let message = error.to_string();
        assert_eq!(error.exit_code(), 3, "{message}");
        for part in expected {
            assert!(message.contains(part), "`{part}` is not in: {message}");
        }
        assert!(!message.contains('\n'), "{message}");
        assert!(!place.path().join("data").exists(), "nothing was opened: {message}");
    }
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let mut config = Place::new(COMPONENTS).config();
    config.resources = vec!["/nowhere/resources".into()];
    let error = sidelet::start(config).await.map(drop).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.exit_code()), ("could not read `/nowhere/resources`", 3));
}

#[tokio::test]
async fn what_has_no_effect_or_is_for_others_does_no_harm() {
    let others = subscription("s", "t", "/t", "")
        .replace("spec:", "scopes: [somebody]\nspec:")
        .replace("pubsubname: pubsub", "pubsubname: theirs");
    let resiliency =
        "---\napiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata:\n  name: r\nspec:\n  policies: {}\n";
    let place = Place::new(&format!("{COMPONENTS}{others}{resiliency}---\n"));
    place.start().await.stop().await;
}

#[tokio::test]
async fn a_file_in_use_of_another_program_or_of_a_newer_release_is_refused() {
    let place = Place::new(COMPONENTS);
    let sidecar = place.start().await;
    let second = sidelet::start(place.config()).await.map(drop).unwrap_err();
    assert_eq!(second.exit_code(), 4);
    assert!(
        second.to_string().contains("todo.db") && second.to_string().contains("another process is using it"),
        "{second}"
    );
    sidecar.api.save("k", "1").await;
    sidecar.stop().await;
    let file = rusqlite::Connection::open(place.database()).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    let newer = sidelet::start(place.config()).await.map(drop).unwrap_err();
    assert!(newer.to_string().contains("version 99") && newer.exit_code() == 4, "{newer}");
    file.pragma_update(None, "user_version", 1).unwrap();
    file.pragma_update(None, "application_id", 0).unwrap();
    let foreign = sidelet::start(place.config()).await.map(drop).unwrap_err();
    assert!(foreign.to_string().contains("another program"), "{foreign}");
}
