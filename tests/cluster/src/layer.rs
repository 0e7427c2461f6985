//! Images as OCI archives: what `kind load`, `minikube image load` and `ctr images import` take.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// Whose the processes and the files are, as in the project's own images.
const USER: u64 = 65_532;

/// The files of an image.
pub(crate) struct Layer(Builder<Vec<u8>>);

impl Layer {
    pub(crate) fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    /// Adds a folder that its user alone may write to.
    pub(crate) fn folder(&mut self, path: &str) -> Result<()> {
        self.add(&format!("{path}/"), EntryType::Directory, 0o755, &[])
    }

    /// Adds a file of this machine.
    pub(crate) fn file(&mut self, path: &str, from: &Path) -> Result<()> {
        let content = fs::read(from).with_context(|| format!("could not read `{}`", from.display()))?;
        self.add(path.trim_start_matches('/'), EntryType::Regular, 0o755, &content)
    }

    fn add(&mut self, path: &str, kind: EntryType, mode: u32, content: &[u8]) -> Result<()> {
        let mut header = Header::new_ustar();
        header.set_path(path)?;
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(USER);
        header.set_gid(USER);
        header.set_size(content.len() as u64);
        header.set_mtime(0);
        header.set_cksum();
        Ok(self.0.append(&header, content)?)
    }

    /// Writes the archive of an image with these files, which runs `entrypoint`.
    pub(crate) fn write(self, name: &str, entrypoint: &str, path: &Path) -> Result<()> {
        let files = self.0.into_inner()?;
        let configuration = json!({
            "architecture": architecture(),
            "os": "linux",
            "config": { "Entrypoint": [entrypoint], "User": format!("{USER}:{USER}"), "WorkingDir": "/" },
            "rootfs": { "type": "layers", "diff_ids": [digest(&files)] },
        });
        archive(name, &configuration, &[("application/vnd.oci.image.layer.v1.tar", files)], path)
    }
}

/// Writes the archive of anything that is a configuration and layers of some kinds.
pub(crate) fn archive(name: &str, configuration: &Value, layers: &[(&str, Vec<u8>)], path: &Path) -> Result<()> {
    let configuration = configuration.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("application/vnd.oci.image.config.v1+json", &configuration),
        "layers": layers.iter().map(|(kind, bytes)| described(kind, bytes)).collect::<Vec<_>>(),
    });
    let manifest = manifest.to_string().into_bytes();
    let mut listed = described("application/vnd.oci.image.manifest.v1+json", &manifest);
    let tag = name.rsplit(':').next().unwrap_or_default();
    listed["annotations"] = json!({ "io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag });
    let index = json!({ "schemaVersion": 2, "manifests": [listed] }).to_string().into_bytes();
    let mut image = Layer(Builder::new(Vec::new()));
    image.add("oci-layout", EntryType::Regular, 0o644, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    image.add("index.json", EntryType::Regular, 0o644, &index)?;
    for blob in [&configuration, &manifest].into_iter().chain(layers.iter().map(|(_, bytes)| bytes)) {
        let path = format!("blobs/{}", digest(blob).replace(':', "/"));
        image.add(&path, EntryType::Regular, 0o644, blob)?;
    }
    fs::write(path, image.0.into_inner()?).with_context(|| format!("could not write `{}`", path.display()))
}

/// This machine's, as OCI names it: what is built here runs on nodes alike.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    }
}

fn described(kind: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": kind, "digest": digest(bytes), "size": bytes.len() })
}

/// As OCI writes it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let hexadecimal: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hexadecimal}")
}
