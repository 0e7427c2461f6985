//! The secrets API. What a store holds is answered, and nowhere noted.

use std::{collections::BTreeMap, time::Instant};

use dapr::code;
use http::StatusCode;

use super::answer::{Answer, Refusal, json};
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
pub(super) fn get_secret(sidecar: &Sidecar, name: &str, key: &str) -> Result<Answer, Refusal> {
    let (store, start) = (store(sidecar, name)?, Instant::now());
    if !sidecar.resources.configuration.secrets.allow(name, key) {
        let message = format!("access denied by policy to get \"{key}\" from \"{name}\"");
        return Err(Refusal::new(StatusCode::FORBIDDEN, code::PERMISSION_DENIED, message));
    }
    let secret = store.get(key);
    sidecar.metrics.secret(name, "get", secret.is_some(), start);
    let secret = secret.ok_or_else(|| {
        let message = format!("failed getting secret with key {key} from secret store {name}: secret {key} not found");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::SECRET_GET, message)
    })?;
    Ok(answer(&secret))
}

/// Every secret that the configuration does not keep from the apps.
pub(super) fn get_secrets(sidecar: &Sidecar, name: &str) -> Result<Answer, Refusal> {
    let (store, start) = (store(sidecar, name)?, Instant::now());
    let mut secrets = store.all();
    secrets.retain(|key, _| sidecar.resources.configuration.secrets.allow(name, key));
    sidecar.metrics.secret(name, "bulk_get", true, start);
    Ok(answer(&secrets))
}

fn answer<T: serde::Serialize>(secrets: &BTreeMap<String, T>) -> Answer {
    json(StatusCode::OK, serde_json::to_vec(secrets).expect("a map of text is JSON"))
}
