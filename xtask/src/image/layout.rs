//! The files of an OCI image layout.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

/// Whose the process and its folder are: a user that no machine knows, as images without a shell have it.
const USER: u64 = 65_532;
/// Where the process starts, and where it may write.
const HOME: &str = "data";
const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";

/// One image of the layout.
pub(super) struct Image<'program> {
    /// As OCI names it: `arm64`.
    pub(super) architecture: &'static str,
    /// The static program.
    pub(super) program: &'program [u8],
}

/// A layout that is being written.
pub(super) struct Layout {
    folder: PathBuf,
    manifests: Vec<Value>,
}

impl Layout {
    /// Begins an empty layout in `folder`; what is there goes.
    pub(super) fn create(folder: &Path) -> Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder).with_context(|| format!("could not clear `{}`", folder.display()))?;
        }
        let blobs = folder.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).with_context(|| format!("could not make `{}`", blobs.display()))?;
        Ok(Self { folder: folder.to_owned(), manifests: Vec::new() })
    }

    /// Adds an image.
    pub(super) fn add(&mut self, image: &Image<'_>) -> Result<()> {
        let files = layer(image.program)?;
        let layer = self.blob("application/vnd.oci.image.layer.v1.tar+gzip", &compressed(&files)?)?;
        let configuration = json!({
            "architecture": image.architecture,
            "os": "linux",
            "config": {
                "User": format!("{USER}:{USER}"),
                "Entrypoint": ["/sidelet"],
                "WorkingDir": format!("/{HOME}"),
                "Env": [format!("SSL_CERT_FILE=/{CERTIFICATES}")],
                "ExposedPorts": { "3500/tcp": {}, "9090/tcp": {} },
                "Labels": {
                    "org.opencontainers.image.title": "sidelet",
                    "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
                    "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
                },
            },
            "rootfs": { "type": "layers", "diff_ids": [digest(&files)] },
        });
        let configuration =
            self.blob("application/vnd.oci.image.config.v1+json", configuration.to_string().as_bytes())?;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": configuration,
            "layers": [layer],
        });
        let mut manifest = self.blob("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes())?;
        manifest["platform"] = json!({ "architecture": image.architecture, "os": "linux" });
        self.manifests.push(manifest);
        Ok(())
    }

    /// Writes the index of all images, and gives its digest.
    pub(super) fn finish(self) -> Result<String> {
        let version = env!("CARGO_PKG_VERSION");
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": self.manifests,
        });
        let mut images = self.blob("application/vnd.oci.image.index.v1+json", index.to_string().as_bytes())?;
        images["annotations"] = json!({ "org.opencontainers.image.ref.name": version });
        let name = images["digest"].as_str().context("a blob has a digest")?.to_owned();
        let entrance = json!({ "schemaVersion": 2, "manifests": [images] });
        self.write("index.json", entrance.to_string().as_bytes())?;
        self.write("oci-layout", json!({ "imageLayoutVersion": "1.0.0" }).to_string().as_bytes())?;
        Ok(name)
    }

    /// Stores bytes under their digest, and gives what names them.
    fn blob(&self, kind: &str, bytes: &[u8]) -> Result<Value> {
        let digest = digest(bytes);
        self.write(&format!("blobs/{}", digest.replace(':', "/")), bytes)?;
        Ok(json!({ "mediaType": kind, "digest": digest, "size": bytes.len() }))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("could not write `{}`", path.display()))
    }
}

fn digest(bytes: &[u8]) -> String {
    let hexadecimal: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hexadecimal}")
}

fn compressed(bytes: &[u8]) -> Result<Vec<u8>> {
    // Without a time and a name, the same bytes are the same file.
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// The files of an image, as a tar archive.
fn layer(program: &[u8]) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |path: &str, kind, mode, user, content: &[u8]| -> Result<()> {
        let mut header = Header::new_ustar();
        header.set_path(path)?;
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(user);
        header.set_gid(user);
        header.set_size(content.len() as u64);
        header.set_mtime(0);
        header.set_cksum();
        Ok(archive.append(&header, content)?)
    };
    add(&format!("{HOME}/"), EntryType::Directory, 0o755, USER, &[])?;
    for folder in ["etc/", "etc/ssl/", "etc/ssl/certs/"] {
        add(folder, EntryType::Directory, 0o755, 0, &[])?;
    }
    add(CERTIFICATES, EntryType::Regular, 0o644, 0, authorities().as_bytes())?;
    add("sidelet", EntryType::Regular, 0o755, 0, program)?;
    Ok(archive.into_inner()?)
}

/// Mozilla's certificate authorities, as text.
fn authorities() -> String {
    let authority = |certificate: &[u8]| {
        let text = STANDARD.encode(certificate);
        let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    };
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|certificate| authority(certificate)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path) -> String {
        let mut layout = Layout::create(folder).unwrap();
        layout.add(&Image { architecture: "arm64", program: b"a program" }).unwrap();
        layout.add(&Image { architecture: "amd64", program: b"another" }).unwrap();
        layout.finish().unwrap()
    }

    fn blob(folder: &Path, descriptor: &Value) -> Vec<u8> {
        let name = descriptor["digest"].as_str().unwrap();
        let bytes = std::fs::read(folder.join("blobs").join(name.replace(':', "/"))).unwrap();
        assert_eq!((digest(&bytes).as_str(), bytes.len() as u64), (name, descriptor["size"].as_u64().unwrap()));
        bytes
    }

    fn document(folder: &Path, descriptor: &Value) -> Value {
        serde_json::from_slice(&blob(folder, descriptor)).unwrap()
    }

    #[test]
    fn a_layout_leads_to_the_files_of_each_architecture_and_is_the_same_every_time() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let name = written(first.path());
        assert_eq!(written(second.path()), name);
        let entrance: Value = serde_json::from_slice(&std::fs::read(first.path().join("index.json")).unwrap()).unwrap();
        assert_eq!(entrance["manifests"][0]["digest"], name);
        let index = document(first.path(), &entrance["manifests"][0]);
        for (number, (architecture, program)) in
            [("arm64", &b"a program"[..]), ("amd64", b"another")].into_iter().enumerate()
        {
            let listed = &index["manifests"][number];
            assert_eq!(listed["platform"]["architecture"], architecture);
            let manifest = document(first.path(), listed);
            let configuration = document(first.path(), &manifest["config"]);
            assert_eq!(configuration["architecture"], architecture);
            let compressed = blob(first.path(), &manifest["layers"][0]);
            let mut files = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&compressed[..]), &mut files).unwrap();
            assert_eq!(configuration["rootfs"]["diff_ids"][0], digest(&files));
            let mut archive = tar::Archive::new(&files[..]);
            let mut seen = Vec::new();
            for entry in archive.entries().unwrap() {
                let mut entry = entry.unwrap();
                let mut content = Vec::new();
                std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
                let path = entry.path().unwrap().display().to_string();
                if path == "sidelet" {
                    assert_eq!((content.as_slice(), entry.header().mode().unwrap()), (program, 0o755));
                }
                if path == CERTIFICATES {
                    assert!(String::from_utf8(content).unwrap().matches("BEGIN CERTIFICATE").count() > 50);
                }
                seen.push(path);
            }
            assert_eq!(seen, ["data/", "etc/", "etc/ssl/", "etc/ssl/certs/", CERTIFICATES, "sidelet"]);
        }
    }
}
