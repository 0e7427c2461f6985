//! The chart `charts/todo`, and what is applied without it: rendered in every way, and held against the schemas of a
//! real cluster, the rules below and the budget.

mod budget;
mod cases;
mod documents;
mod manifest;
mod pods;
mod refusals;
mod rendering;
mod schemas;
mod secrets;
mod spinapps;
mod values;

use anyhow::{Context, Result, ensure};

use crate::build::{root, target};
use crate::command::run;
use crate::go;
use rendering::Rendering;

pub(crate) use schemas::renew as renew_schemas;

/// The chart's folder.
const CHART: &str = "charts/todo";
/// What is applied without the chart.
const FOLDERS: [&str; 5] = ["spinkube", "dapr/cluster", "dapr/mail", "kafka/strimzi", "kafka/topics"];

/// Renders everything and holds it against everything.
pub(crate) fn check() -> Result<()> {
    let started = std::time::Instant::now();
    let helm = go::HELM.path()?;
    let folder = target().join("chart/check");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("could not clear what was rendered before")?;
    }
    std::fs::create_dir_all(&folder).context("could not make a folder for what is rendered")?;

    let cases = cases::all();
    let rendered: Vec<Rendering> = cases.iter().map(|case| case.render(&helm, &folder)).collect::<Result<_>>()?;
    let folders: Vec<Rendering> = FOLDERS.iter().map(|name| Rendering::of_folder(name)).collect::<Result<_>>()?;

    for rendering in rendered.iter().chain(&folders) {
        check_one(rendering).with_context(|| rendering.name.clone())?;
    }
    for (case, rendering) in cases.iter().zip(&rendered) {
        documents::check(case, rendering).with_context(|| rendering.name.clone())?;
    }
    conform(rendered.iter().chain(&folders))?;
    cases::check_package(&helm, &folder)?;
    values::check()?;
    let refused = refusals::check(&helm)?;
    for line in budget::check(&cases, &rendered)? {
        println!("chart: {line}");
    }
    let objects: usize = rendered.iter().chain(&folders).map(|rendering| rendering.objects.len()).sum();
    println!(
        "chart: {objects} objects in {} renderings and {} folders are as they should be, {refused} wrong values were \
         refused by name, in {:.1} s",
        rendered.len(),
        folders.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// What holds for each rendering by itself.
fn check_one(rendering: &Rendering) -> Result<()> {
    pods::check(rendering)?;
    secrets::check(rendering)?;
    spinapps::check(rendering)
}

/// Holds all objects against the committed schemas.
fn conform<'a>(renderings: impl Iterator<Item = &'a Rendering>) -> Result<()> {
    let location = format!("{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json", root().join(schemas::FOLDER).display());
    let mut arguments = vec!["-strict".to_owned(), "-schema-location".to_owned(), location];
    arguments.extend(["-ignore-filename-pattern".to_owned(), r"README\.md".to_owned()]);
    arguments.extend(renderings.map(|rendering| rendering.path.display().to_string()));
    let kubeconform = go::KUBECONFORM.path()?;
    run(&kubeconform.display().to_string(), &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Refuses two things that are to be the same, with both.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Result<()> {
    ensure!(found == wanted, "{what}: {found:?}, which is to be {wanted:?}");
    Ok(())
}
