//! Keys of one data folder, made once and readable by its owner alone.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// Secrets of one installation. Never printed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Keys {
    /// Signs access tokens.
    pub(crate) signing_key: String,
    /// Opens the sidecar's API.
    pub(crate) dapr_api_token: String,
    /// Opens the event routes of the application.
    pub(crate) app_api_token: String,
    /// By what push services know the application; empty in files of earlier builds until they are next read.
    #[serde(default)]
    pub(crate) vapid_private_key: String,
}

/// The file of a data folder.
pub(crate) fn path(data: &Path) -> PathBuf {
    data.join("keys.json")
}

impl Keys {
    /// Reads the keys of a data folder, or makes them.
    pub(crate) fn load_or_make(data: &Path) -> Result<Self> {
        let path = path(data);
        match std::fs::read(&path) {
            Ok(text) => {
                let keys: Self = serde_json::from_slice(&text).with_context(|| {
                    format!("`{}` is damaged: put it back, or delete it and sign in anew", path.display())
                })?;
                if !keys.vapid_private_key.is_empty() {
                    return Ok(keys);
                }
                let keys = Self { vapid_private_key: vapid_key()?, ..keys };
                keys.write(&path)?;
                Ok(keys)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let keys = Self {
                    signing_key: random()?,
                    dapr_api_token: random()?,
                    app_api_token: random()?,
                    vapid_private_key: vapid_key()?,
                };
                keys.write(&path)?;
                Ok(keys)
            }
            Err(error) => Err(error).with_context(|| format!("could not read `{}`", path.display())),
        }
    }

    /// The same with tokens that were given from outside, where they were.
    pub(crate) fn with_tokens(self, dapr_api_token: Option<String>, app_api_token: Option<String>) -> Self {
        Self {
            dapr_api_token: dapr_api_token.unwrap_or(self.dapr_api_token),
            app_api_token: app_api_token.unwrap_or(self.app_api_token),
            ..self
        }
    }

    fn write(&self, path: &Path) -> Result<()> {
        let attempt = || format!("could not write `{}`", path.display());
        // Written beside and moved, so that a stop in the middle leaves no half a file.
        let draft = path.with_extension("json.new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .with_context(attempt)?;
        file.write_all(&serde_json::to_vec_pretty(self).context("keys are JSON")?).with_context(attempt)?;
        file.sync_all().with_context(attempt)?;
        std::fs::rename(&draft, path).with_context(attempt)
    }
}

/// 256 random bits as text.
fn random() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes()?))
}

/// A private key of the curve P-256: a number below the curve's order, which is a little less than 2^256.
fn vapid_key() -> Result<String> {
    let mut bytes = random_bytes()?;
    bytes[0] &= 0x7f;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn random_bytes() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    Ok(bytes)
}
