//! Stands in for SpinKube's shim on a node, for tests: serves the Spin artefact that a pod of its runtime class names.
//!
//! The node runs this program in the pod, alone: the artefact has no files, so the program is built static. It finds the
//! artefact's layers in `/.spin-app`: `locked.json`, and each component as `<sha256>.wasm`. As the shim does, it takes
//! the address from `SPIN_HTTP_LISTEN_ADDR`, the components to serve from `SPIN_COMPONENTS_TO_RETAIN`, with commas between,
//! and variables from `SPIN_VARIABLE_*`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use tokio::signal::unix::{SignalKind, signal};

/// Where the layers are, and where what is made of them goes.
const ARTEFACT: &str = "/.spin-app";
const WORK: &str = "/tmp/spin";
/// As long as the command `devhost` gives to requests in flight.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stderr).init();
    // The first process of a pod has to listen, or nobody ends it.
    let mut stop = signal(SignalKind::terminate())?;
    devhost::raise_open_files();
    let locked = Path::new(ARTEFACT).join("locked.json");
    let locked = std::fs::read(&locked).with_context(|| format!("could not read `{}`", locked.display()))?;
    let manifest = manifest(&serde_json::from_slice(&locked).context("the locked application is JSON")?)?;
    std::fs::create_dir_all(WORK).with_context(|| format!("could not make `{WORK}`"))?;
    let path = Path::new(WORK).join("spin.toml");
    std::fs::write(&path, toml::to_string(&manifest)?)
        .with_context(|| format!("could not write `{}`", path.display()))?;

    let mut config = devhost::Config::new(path, Path::new(WORK).join("cache"));
    config.listen = variable("SPIN_HTTP_LISTEN_ADDR")?.parse::<SocketAddr>().context("`SPIN_HTTP_LISTEN_ADDR`")?;
    if let Ok(retained) = variable("SPIN_COMPONENTS_TO_RETAIN") {
        config.component_ids = retained.split(',').map(str::to_owned).collect();
    }
    let running = devhost::start(config).await?;
    println!("Serving http://{}", running.local_addr());
    stop.recv().await;
    running.shutdown(GRACE).await;
    Ok(())
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("`{name}` is not given"))
}

/// The manifest of which the application was locked, with sources where the layers are.
fn manifest(locked: &Value) -> Result<Value> {
    let list = |key: &str| locked[key].as_array().with_context(|| format!("the locked application has no `{key}`"));
    let triggers: Vec<&Value> = list("triggers")?.iter().map(|trigger| &trigger["trigger_config"]).collect();
    let mut components = Map::new();
    for component in list("components")? {
        let id = component["id"].as_str().context("a component has no id")?;
        let digest = component["source"]["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:"));
        let digest = digest.with_context(|| format!("the component `{id}` has no digest"))?;
        let read = json!({
            "source": format!("{ARTEFACT}/{digest}.wasm"),
            "allowed_outbound_hosts": component["metadata"]["allowed_outbound_hosts"],
            "variables": component["config"],
        });
        components.insert(id.to_owned(), read);
    }
    let mut variables = locked["variables"].as_object().cloned().unwrap_or_default();
    for variable in variables.values_mut() {
        if variable.get("default").is_none() {
            variable["required"] = true.into();
        }
    }
    let given = &locked["metadata"];
    Ok(json!({
        "spin_manifest_version": 2,
        "application": { "name": given["name"], "version": given["version"], "description": given["description"] },
        "variables": variables,
        "trigger": { "http": triggers },
        "component": components,
    }))
}
