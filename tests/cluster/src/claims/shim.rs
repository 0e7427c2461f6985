//! The executor `shim`: nodes run the application as it is in registries.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::objects::{all_ready, handled_write, spin_apps, uninstall};
use crate::Setting;

/// The runtime class that the chart asks for.
const CLASS: &str = "wasmtime-spin-v2";

/// Installs where nothing is, looks at what SpinKube made, and writes.
pub(super) async fn install(setting: &Setting) -> Result<String> {
    let application = setting.images.application.as_ref().context("the application is there with `--shim`")?;
    uninstall(setting).await?;
    let begin = Instant::now();
    setting.release.apply_on_shim(application, &["handler.minReplicas=1"]).await?;
    all_ready(setting).await?;
    let ready = begin.elapsed();
    let apps = spin_apps(setting).await?;
    for (name, app) in &apps {
        let pod = setting.cluster.get(&["deployment", name]).await?["spec"]["template"]["spec"].take();
        ensure!(pod["runtimeClassName"] == CLASS, "the pods of `{name}` have the class {}", pod["runtimeClassName"]);
        let container = &pod["containers"][0];
        ensure!(container["command"][0] == "/", "`{name}` runs {}, expected [\"/\"]", container["command"]);
        ensure!(container["image"] == application.name(), "`{name}` runs {}", container["image"]);
        let components = app["spec"]["components"].as_array().into_iter().flatten();
        let components = components.filter_map(|component| component.as_str()).collect::<Vec<_>>().join(",");
        let mut variables = container["env"].as_array().into_iter().flatten();
        let kept = variables.find(|variable| variable["name"] == "SPIN_COMPONENTS_TO_RETAIN");
        let kept =
            kept.map(|variable| &variable["value"]).with_context(|| format!("`{name}` keeps every component"))?;
        ensure!(*kept == *components, "`{name}` keeps the components {kept}, expected {components}");
    }
    let handled = handled_write(setting, "shim").await?;
    Ok(format!("{} SpinApps, all pods ready after {ready:.1?}, the write handled after {handled:.1?}", apps.len()))
}
