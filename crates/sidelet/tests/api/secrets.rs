//! Secrets: what apps read, what component files refer to, and that no value gets into the log.

use serde_json::json;

use crate::harness::{Place, Process};

/// A component with metadata, and what stands beside its `spec`.
fn component(name: &str, kind: &str, metadata: &str, beside: &str) -> String {
    format!(
        "---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: {kind}\n  version: v1\n  metadata: {metadata}\n{beside}\n"
    )
}

/// A place with a file of secrets, and stores over it.
fn place(more: &str) -> Place {
    let place = Place::new("");
    let file = place.path().join("secrets.json");
    let secrets =
        json!({"plain": "a", "nested": {"b": "c", "deep": {"d": 5}}, "list": ["e"], "path": {"db": "hidden.db"}});
    std::fs::write(&file, secrets.to_string()).unwrap();
    let file = file.display();
    let mut text = component("flat", "secretstores.local.file", &format!("[{{name: secretsFile, value: {file}}}]"), "");
    let many = format!(
        "[{{name: secretsFile, value: {file}}}, {{name: nestedSeparator, value: .}}, {{name: multiValued, value: 'true'}}]"
    );
    text += &component("many", "secretstores.local.file", &many, "");
    text += &component("environment", "secretstores.local.env", "[{name: prefix, value: SECRET_}]", "");
    std::fs::write(place.path().join("resources/all.yaml"), text + more).unwrap();
    place
}

#[tokio::test]
async fn secrets_are_answered_as_dapr_does() {
    let place = place("");
    let process = Process::spawn(Process::command(&place).env("SECRET_ONE", "1").env("OTHER", "2").env("DAPR_X", "3"));
    let api = &process.api;
    for (path, expected) in [
        ("flat/plain", json!({"plain": "a"})),
        ("flat/nested:b", json!({"nested:b": "c"})),
        ("flat/nested%3Adeep%3Ad", json!({"nested:deep:d": "5"})),
        ("flat/list:0", json!({"list:0": "e"})),
        ("many/nested", json!({"b": "c", "deep.d": "5"})),
        ("many/plain", json!({"plain": "a"})),
        ("environment/ONE", json!({"ONE": "1"})),
        ("environment/ABSENT", json!({"ABSENT": ""})),
        ("environment/bulk", json!({"ONE": {"ONE": "1"}})),
    ] {
        let answer = api.get(&format!("/v1.0/secrets/{path}")).await;
        assert_eq!((answer.status, answer.json()), (200, expected), "{path}");
    }
    assert_eq!(api.get("/v1.0/secrets/many/bulk").await.json()["nested"]["b"], "c");
    for (path, status, code) in [
        ("flat/absent", 500, "ERR_SECRET_GET"),
        ("nobody/plain", 401, "ERR_SECRET_STORE_NOT_FOUND"),
        ("nobody/bulk", 401, "ERR_SECRET_STORE_NOT_FOUND"),
        ("flat", 404, "ERR_DIRECT_INVOKE"),
    ] {
        let answer = api.get(&format!("/v1.0/secrets/{path}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}");
    }
    let metadata = api.get("/v1.0/metadata").await.json();
    assert_eq!(metadata["components"][1]["capabilities"], json!(["MULTIPLE_KEY_VALUES_PER_SECRET"]));
    assert!(process.terminate().await.success());
    let none = Place::new("").start().await;
    assert_eq!(none.api.get("/v1.0/secrets/x/y").await.code(), "ERR_SECRET_STORES_NOT_CONFIGURED");
    none.stop().await;
}

#[tokio::test]
async fn the_sidecars_own_variables_are_no_secrets() {
    let place = Place::new(&component("all", "secretstores.local.env", "[]", ""));
    let mut command = Process::command(&place);
    let process = Process::spawn(command.env("APP_API_TOKEN", "app").env("DAPR_SECRET", "own").env("OPEN", "1"));
    for name in ["APP_API_TOKEN", "DAPR_SECRET"] {
        assert_eq!(process.api.get(&format!("/v1.0/secrets/all/{name}")).await.json(), json!({ name: "" }));
    }
    assert_eq!(process.api.get("/v1.0/secrets/all/bulk").await.json(), json!({"OPEN": {"OPEN": "1"}}));
    assert!(process.terminate().await.success());
}

#[tokio::test]
async fn scopes_keep_secrets_from_apps_and_not_from_components() {
    let reference = "[{name: connectionString, secretKeyRef: {name: 'path:db'}}]";
    let mut place = place(&component("state", "state.sqlite", reference, "auth:\n  secretStore: flat"));
    place.configure(
        "  secrets:
    scopes:
      - {storeName: flat, allowedSecrets: [plain]}
      - {storeName: many, deniedSecrets: [nested]}
      - {storeName: environment, defaultAccess: deny}
",
    );
    let sidecar = place.start().await;
    assert!(place.path().join("data/hidden.db").exists(), "the component had its secret");
    for (path, status) in [
        ("flat/plain", 200),
        ("flat/nested:b", 403),
        ("many/plain", 200),
        ("many/nested", 403),
        ("environment/ONE", 403),
    ] {
        let answer = sidecar.api.get(&format!("/v1.0/secrets/{path}")).await;
        assert_eq!(answer.status, status, "{path}");
        if status == 403 {
            assert_eq!(answer.code(), "ERR_PERMISSION_DENIED");
        }
    }
    let seen = |answer: serde_json::Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(seen(sidecar.api.get("/v1.0/secrets/flat/bulk").await.json()), ["plain"]);
    assert_eq!(seen(sidecar.api.get("/v1.0/secrets/many/bulk").await.json()), ["list", "path", "plain"]);
    assert_eq!(sidecar.api.get("/v1.0/secrets/environment/bulk").await.json(), json!({}));
    sidecar.stop().await;
}

#[tokio::test]
async fn a_reference_that_leads_nowhere_is_refused_without_a_value() {
    let reference = |secret: &str, store: &str| {
        let metadata = format!("[{{name: connectionString, secretKeyRef: {secret}}}]");
        component("state", "state.sqlite", &metadata, &format!("auth:\n  secretStore: {store}"))
    };
    for (text, expected) in [
        (reference("{name: absent}", "flat"), "`flat` has no value for `name: absent, key: absent`"),
        (reference("{name: nested, key: z}", "many"), "`many` has no value for `name: nested, key: z`"),
        (reference("{name: plain}", "nobody"), "`auth.secretStore` is `nobody`, which no component is"),
        (
            component(
                "log",
                "pubsub.in-memory",
                "[{name: partitions, secretKeyRef: {name: plain}}]",
                "auth:\n  secretStore: flat",
            ),
            "`partitions` is a secret of another form; expected a number from 1 to 64",
        ),
        (
            component("x", "secretstores.local.file", "[{name: secretsFile, value: /nowhere.json}]", ""),
            "`secretsFile` is `/nowhere.json`, which cannot be read",
        ),
    ] {
        let error = sidelet::start(place(&text).config()).await.map(drop).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn no_value_of_a_secret_gets_into_the_log() {
    let mut place = place("");
    place.configure("  logging:\n    apiLogging: {enabled: true}\n");
    let process =
        Process::spawn(Process::command(&place).env("SECRET_ONE", "veryhidden").args(["--log-level", "debug"]));
    assert!(process.api.get("/v1.0/secrets/environment/ONE").await.body.contains("veryhidden"));
    let (status, log) = process.terminate_with_log().await;
    assert!(status.success());
    assert!(log.contains("GET /v1.0/secrets/environment/ONE"), "{log}");
    assert!(!log.contains("veryhidden"), "{log}");
}
