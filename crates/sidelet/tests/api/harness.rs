//! A sidecar in this process on a free port with a real file, and an app that listens to it.

pub(crate) mod app;
pub(crate) mod mail;
pub(crate) mod postgres;
mod process;
pub(crate) mod stream;
pub(crate) mod wire;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{Method, Response};
use serde_json::Value;
use sidelet::{AppAddress, Config, Running};
use tempfile::TempDir;

pub(crate) use app::App;
pub(crate) use process::{Process, faketime};

/// Long enough for a machine under load; a test that waits so long fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// State and log in one file, with an outbox, as on a laptop.
pub(crate) const COMPONENTS: &str = "
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: statestore
spec:
  type: state.sqlite
  version: v1
  metadata:
    - name: connectionString
      value: todo.db
    - name: outboxPublishPubsub
      value: pubsub
    - name: outboxPublishTopic
      value: task-events
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: plain
spec:
  type: state.sqlite
  version: v1
  metadata:
    - name: connectionString
      value: todo.db
    - name: keyPrefix
      value: name
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: pubsub
spec:
  type: pubsub.sqlite
  version: v1
  metadata:
    - name: connectionString
      value: todo.db
";

/// A subscription document.
pub(crate) fn subscription(name: &str, topic: &str, route: &str, dead_letter_topic: &str) -> String {
    let spec = format!("  routes:\n    default: {route}\n  deadLetterTopic: '{dead_letter_topic}'");
    subscription_with(name, topic, &spec)
}

/// A subscription document with more in its `spec`, each line with two spaces in front.
pub(crate) fn subscription_with(name: &str, topic: &str, spec: &str) -> String {
    format!(
        "
---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata:
  name: {name}
spec:
  pubsubname: pubsub
  topic: {topic}
{spec}
"
    )
}

/// A resiliency document with this `spec` in flow style.
pub(crate) fn resiliency(spec: &str) -> String {
    format!("\n---\napiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata:\n  name: resiliency\nspec: {spec}\n")
}

/// A folder with resources and data, which lasts as long as it or a sidecar in it.
pub(crate) struct Place {
    folder: Arc<TempDir>,
    pub(crate) apps: BTreeMap<String, AppAddress>,
    pub(crate) api_token: Option<String>,
    pub(crate) app_token: Option<String>,
    pub(crate) max_body_size: usize,
    pub(crate) body_timeout: Duration,
    pub(crate) stream_heartbeat: Duration,
    /// Whether health waits for the app.
    pub(crate) awaited: bool,
    /// Whether there is a file `configuration.yaml`.
    configured: bool,
}

impl Place {
    /// With `resources` in one file.
    pub(crate) fn new(resources: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("resources")).unwrap();
        std::fs::write(folder.path().join("resources/all.yaml"), resources).unwrap();
        Self {
            folder: Arc::new(folder),
            apps: BTreeMap::new(),
            api_token: None,
            app_token: None,
            max_body_size: 4 << 20,
            body_timeout: DEADLINE,
            stream_heartbeat: DEADLINE,
            awaited: false,
            configured: false,
        }
    }

    /// Adds a configuration file with this `spec`, whose lines are indented by two.
    pub(crate) fn configure(&mut self, spec: &str) {
        let text = format!("apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: c\nspec:\n{spec}");
        std::fs::write(self.path().join("configuration.yaml"), text).unwrap();
        self.configured = true;
    }

    /// With the usual components and one subscription to `task-events`.
    pub(crate) fn with_app(app: &App) -> Self {
        let mut place = Self::new(&format!("{COMPONENTS}{}", subscription("tasks", "task-events", "/events/task", "")));
        place.serve(app);
        place
    }

    pub(crate) fn serve(&mut self, app: &App) {
        self.apps.insert("todo".into(), AppAddress::parse(&app.address()).unwrap());
    }

    /// Writes one more file of resources, or another text into one.
    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path().join("resources").join(file), text).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.path().join("data/todo.db")
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            apps: self.apps.clone(),
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            resources: vec![self.path().join("resources")],
            data_directory: self.path().join("data"),
            api_token: self.api_token.clone(),
            app_token: self.app_token.clone(),
            max_body_size: self.max_body_size,
            body_timeout: self.body_timeout,
            stream_heartbeat: self.stream_heartbeat,
            awaited_app: self.awaited.then(|| "todo".into()),
            configuration: self.configured.then(|| self.path().join("configuration.yaml")).into_iter().collect(),
            metrics: Some("127.0.0.1:0".parse().unwrap()),
            scaler: vec!["127.0.0.1:0".parse().unwrap()],
            ..Config::new("todo")
        }
    }

    pub(crate) async fn start(&self) -> Sidecar {
        // A program that another test is starting at this moment has the files of all tests until it has begun.
        let config = Config { waits_for_database: true, ..self.config() };
        let running = sidelet::start(config).await.unwrap();
        let api = Api::new(format!("http://{}", running.local_addr()));
        Sidecar { api, running, _folder: self.folder.clone() }
    }
}

/// A running sidecar and its API.
pub(crate) struct Sidecar {
    pub(crate) api: Api,
    pub(crate) running: Running,
    _folder: Arc<TempDir>,
}

impl Sidecar {
    pub(crate) async fn stop(self) {
        self.running.shutdown(DEADLINE).await.unwrap();
    }
}

/// The API of a sidecar.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) client: reqwest::Client,
    pub(crate) address: String,
}

impl Api {
    pub(crate) fn new(address: String) -> Self {
        let client = reqwest::Client::builder().timeout(DEADLINE).no_proxy().build().unwrap();
        Self { client, address }
    }

    /// Sends `body` as it is, as JSON.
    pub(crate) async fn send(&self, method: Method, path: &str, body: impl Into<String>) -> Answer {
        let request = self.client.request(method, format!("{}{path}", self.address));
        let request = request.header("content-type", "application/json").body(body.into());
        Answer::read(request.send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<String>) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    /// Publishes a number under a key, or without one where the key is empty.
    pub(crate) async fn publish(&self, topic: &str, key: &str, number: i64) {
        let path = format!("/v1.0/publish/pubsub/{topic}?metadata.partitionKey={key}");
        let answer = self.post(&path, serde_json::json!({ "key": key, "number": number }).to_string()).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    pub(crate) async fn save(&self, key: &str, value: &str) {
        let answer = self.post("/v1.0/state/statestore", format!(r#"[{{"key":"{key}","value":{value}}}]"#)).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    pub(crate) async fn etag(&self, key: &str) -> String {
        self.get(&format!("/v1.0/state/statestore/{key}")).await.header("etag")
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }

    pub(crate) fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["errorCode"].as_str().unwrap_or_default().to_owned()
    }
}

/// Waits until `holds` gives something, or fails with `what`.
pub(crate) async fn eventually<T>(what: &str, mut holds: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = holds().await {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
