//! A certificate authority for one test, and what it signed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// PEM files in a folder: the authority, a server for `127.0.0.1` and `localhost`, and a client.
#[derive(Debug, Clone)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Writes new ones.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(folder: &Path) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let certificates = Self { folder: folder.to_owned() };
        std::fs::write(certificates.authority(), authority.pem())?;
        for (name, hosts) in [("server", vec!["127.0.0.1".to_owned(), "localhost".to_owned()]), ("client", vec![])] {
            let mut params = CertificateParams::new(hosts)?;
            params.distinguished_name.push(DnType::CommonName, name);
            let key = KeyPair::generate()?;
            let signed = params.signed_by(&key, &authority)?;
            std::fs::write(folder.join(format!("{name}.pem")), signed.pem())
                .context("could not write a certificate")?;
            std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).context("could not write a key")?;
        }
        Ok(certificates)
    }

    /// The authority's certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// The server's certificate.
    pub fn server(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    /// The server's key, as PKCS #8.
    pub fn server_key(&self) -> PathBuf {
        self.folder.join("server.key")
    }

    /// A client's certificate, with the common name `client`.
    pub fn client(&self) -> PathBuf {
        self.folder.join("client.pem")
    }

    /// The client's key, as PKCS #8.
    pub fn client_key(&self) -> PathBuf {
        self.folder.join("client.key")
    }
}
