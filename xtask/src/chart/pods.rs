//! What every pod has that the chart writes: bounds, the security that the standard `restricted` asks for, probes, and
//! images that run on arm64.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::budget::Amount;
use super::rendering::{Rendering, list, text, title};

/// The repositories of images, and why each runs on arm64 nodes.
const IMAGES: [(&str, &str); 4] = [
    ("registry.example.com/todo/app", "components are the same on every architecture"),
    ("registry.example.com/todo/sidelet", "`cargo xtask image` builds it for arm64 and amd64"),
    ("ghcr.io/spinframework/spin", "its releases have linux/amd64 and linux/arm64"),
    ("docker.io/curlimages/curl", "its releases have linux/amd64 and linux/arm64"),
];

pub(super) fn check(rendering: &Rendering) -> Result<()> {
    for object in &rendering.objects {
        for image in images(object) {
            check_image(image).with_context(|| title(object))?;
        }
        if let Some(pod) = pod(object) {
            check_pod(pod).with_context(|| title(object))?;
        }
        if text(object, "/kind") == "SpinApp" {
            bounds(&object["spec"]["resources"]).with_context(|| title(object))?;
        }
    }
    Ok(())
}

/// The pod that an object makes.
pub(super) fn pod(object: &Value) -> Option<&Value> {
    match text(object, "/kind") {
        "Deployment" | "Job" => object.pointer("/spec/template/spec"),
        "Pod" => object.get("spec"),
        _ => None,
    }
}

/// Every image that an object names.
fn images(object: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    let mut places = vec![object];
    while let Some(place) = places.pop() {
        match place {
            Value::Object(fields) => {
                let named = fields.iter().filter(|(name, _)| *name == "image" || *name == "spinImage");
                found.extend(named.filter_map(|(_, image)| image.as_str()));
                places.extend(fields.values());
            }
            Value::Array(items) => places.extend(items),
            _ => {}
        }
    }
    found
}

/// One of ours, and one particular.
fn check_image(image: &str) -> Result<()> {
    let (repository, version) = match image.split_once('@') {
        Some((repository, digest)) => (repository, digest),
        None => image.rsplit_once(':').with_context(|| format!("the image `{image}` has neither tag nor digest"))?,
    };
    ensure!(!version.is_empty() && version != "latest", "the image `{image}` is a different one every day");
    ensure!(
        IMAGES.iter().any(|(known, _)| *known == repository),
        "nothing says that the image `{image}` runs on arm64: write it down in xtask/src/chart/pods.rs"
    );
    Ok(())
}

fn check_pod(pod: &Value) -> Result<()> {
    let security = &pod["securityContext"];
    ensure!(security["runAsNonRoot"] == true, "the pod may run as root");
    ensure!(security["seccompProfile"]["type"] == "RuntimeDefault", "the pod may make every call of the kernel");
    ensure!(
        pod["serviceAccountName"].is_string() || pod["automountServiceAccountToken"] == false,
        "the pod has the namespace's default account"
    );
    let containers = list(pod, "/containers");
    ensure!(!containers.is_empty(), "the pod has no container");
    for container in containers {
        let security = &container["securityContext"];
        ensure!(security["allowPrivilegeEscalation"] == false, "a container may gain privileges");
        ensure!(security["readOnlyRootFilesystem"] == true, "a container may write to its image");
        ensure!(security["capabilities"]["drop"] == json!(["ALL"]), "a container has capabilities");
        bounds(&container["resources"])?;
    }
    Ok(())
}

/// Requests and limits, of which no limit is below its request.
fn bounds(resources: &Value) -> Result<()> {
    let requests = Amount::of(&resources["requests"]).context("the requests")?;
    let limits = Amount::of(&resources["limits"]).context("the limits")?;
    ensure!(requests.fits(&limits), "more is requested than the limit is");
    Ok(())
}
