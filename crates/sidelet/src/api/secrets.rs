//! The secrets API. What a store holds is answered, and nowhere noted.

use std::{collections::BTreeMap, time::Instant};

use dapr::code;
use http::StatusCode;

use super::{
    answer::{Answer, Refusal, json},
    request::Call,
};
use crate::{secrets::SecretStore, sidecar::Sidecar};

fn store<'sidecar>(sidecar: &'sidecar Sidecar, name: &str) -> Result<&'sidecar SecretStore, Refusal> {
    let stores = &sidecar.resources.secret_stores;
    stores.get(name).map(AsRef::as_ref).ok_or_else(|| {
        if stores.is_empty() {
            let message = "secret store is not configured";
            return Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::SECRET_STORES_NOT_CONFIGURED, message);
        }
        let message = format!("failed finding secret store with key {name}");
        Refusal::new(StatusCode::UNAUTHORIZED, code::SECRET_STORE_NOT_FOUND, message)
    })
}

/// One secret, unless the configuration keeps it from the apps.
pub(super) async fn get_secret(sidecar: &Sidecar, name: &str, key: &str, call: &Call) -> Result<Answer, Refusal> {
    let (store, start) = (store(sidecar, name)?, Instant::now());
    if !sidecar.resources.configuration.secrets.allow(name, key) {
        let message = format!("access denied by policy to get \"{key}\" from \"{name}\"");
        return Err(Refusal::new(StatusCode::FORBIDDEN, code::PERMISSION_DENIED, message));
    }
    let namespace = namespace(call);
    let found = sidecar.guards.ask(name, || store.get(key, namespace.as_deref())).await;
    sidecar.metrics.secret(name, "get", matches!(found, Ok(Some(_))), start);
    let reason = match found {
        Ok(Some(secret)) => return Ok(answer(&secret)),
        Ok(None) => format!("secret {key} not found"),
        Err(error) => error.to_string(),
    };
    let message = format!("failed getting secret with key {key} from secret store {name}: {reason}");
    Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::SECRET_GET, message))
}

/// Every secret that the configuration does not keep from the apps.
pub(super) async fn get_secrets(sidecar: &Sidecar, name: &str, call: &Call) -> Result<Answer, Refusal> {
    let (store, start) = (store(sidecar, name)?, Instant::now());
    let namespace = namespace(call);
    let found = sidecar.guards.ask(name, || store.all(namespace.as_deref())).await;
    sidecar.metrics.secret(name, "bulk_get", found.is_ok(), start);
    let mut secrets = found.map_err(|error| {
        let message = format!("failed getting secrets from secret store {name}: {error}");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::SECRET_GET, message)
    })?;
    secrets.retain(|key, _| sidecar.resources.configuration.secrets.allow(name, key));
    Ok(answer(&secrets))
}

/// The Kubernetes namespace that a call asks for.
fn namespace(call: &Call) -> Option<String> {
    call.metadata().remove("namespace").filter(|namespace| !namespace.is_empty())
}

fn answer<T: serde::Serialize>(secrets: &BTreeMap<String, T>) -> Answer {
    json(StatusCode::OK, serde_json::to_vec(secrets).expect("a map of text is JSON"))
}
