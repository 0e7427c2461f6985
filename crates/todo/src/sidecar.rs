//! The sidecar that the commands for operators ask: that of a running service, or one of their own on its data.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::keys::Keys;

/// The database of `dapr/local`, in the data folder.
pub(crate) const DATABASE: &str = "todo.db";
/// Where a running service says how its sidecar is reached, in the data folder.
const ADDRESS: &str = "sidecar";
/// A walk through a long log takes a while.
const PATIENCE: Duration = Duration::from_secs(300);

/// Which sidecar.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The sidecar to ask, as `http://host:port`. Unless given: the one of the service that runs on the data folder, or,
    /// while none runs, the data itself.
    #[arg(long, env = "TODO_SIDECAR", value_name = "URL")]
    sidecar: Option<String>,
    /// The token of the sidecar given with --sidecar.
    #[arg(long, env = "DAPR_API_TOKEN", hide_env_values = true)]
    sidecar_token: Option<String>,
    /// The data folder of the service.
    #[arg(long, default_value = ".todo")]
    data: PathBuf,
    /// Folders of Dapr components, for the data of a service that does not run; may be given more than once.
    #[arg(long, default_value = "dapr/local")]
    resources: Vec<PathBuf>,
}

/// A sidecar that answers.
pub(crate) struct Sidecar {
    client: Client,
    address: String,
    token: String,
    /// Started for this command alone, on the data of a service that is down.
    own: Option<sidelet::Running>,
}

#[derive(Deserialize)]
struct ApiError {
    message: String,
}

impl Options {
    /// Finds the sidecar, or starts one.
    pub(crate) async fn open(&self) -> Result<Sidecar> {
        let client = Client::builder().timeout(PATIENCE).no_proxy().build().context("an HTTP client")?;
        if let Some(address) = &self.sidecar {
            let (address, token) = (address.trim_end_matches('/').to_owned(), self.sidecar_token.clone());
            return Ok(Sidecar { client, address, token: token.unwrap_or_default(), own: None });
        }
        if !self.data.join(DATABASE).is_file() {
            bail!(
                "`{}` holds no data: name the folder with --data, or the sidecar with --sidecar",
                self.data.display()
            );
        }
        let token = Keys::load_or_make(&self.data)?.dapr_api_token;
        if is_in_use(&self.data) {
            let path = self.data.join(ADDRESS);
            let address = std::fs::read_to_string(&path).with_context(|| {
                format!("a service uses the data, but `{}` does not say where its sidecar is", path.display())
            })?;
            return Ok(Sidecar { client, address: address.trim().to_owned(), token, own: None });
        }
        let config = sidelet::Config {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
            resources: self.resources.clone(),
            data_directory: self.data.canonicalize().context("could not resolve the data folder")?,
            api_token: Some(token.clone()),
            // The groups that still need old messages do not run here.
            keeps_old_messages: true,
            ..sidelet::Config::new("todo")
        };
        let own = sidelet::start(config).await.context("could not open the data")?;
        Ok(Sidecar { client, address: format!("http://{}", own.local_addr()), token, own: Some(own) })
    }
}

impl Sidecar {
    /// Whether the service is down, so that nothing is delivered now.
    pub(crate) fn is_alone(&self) -> bool {
        self.own.is_some()
    }

    /// `GET`. None: there is no such thing.
    pub(crate) async fn get(&self, path: &str) -> Result<Option<Value>> {
        self.call(Method::GET, path).await
    }

    /// `POST`. None: there is no such thing.
    pub(crate) async fn post(&self, path: &str) -> Result<Option<Value>> {
        self.call(Method::POST, path).await
    }

    async fn call(&self, method: Method, path: &str) -> Result<Option<Value>> {
        let mut request = self.client.request(method, format!("{}{path}", self.address));
        if !self.token.is_empty() {
            request = request.header("dapr-api-token", &self.token);
        }
        let answer =
            request.send().await.with_context(|| format!("could not reach the sidecar at {}", self.address))?;
        let status = answer.status();
        let text = answer.text().await.context("the sidecar's answer broke off")?;
        match status {
            StatusCode::NO_CONTENT => Ok(None),
            StatusCode::UNAUTHORIZED => bail!("the sidecar does not take the token: give it with --sidecar-token"),
            status if status.is_success() => {
                serde_json::from_str(&text).map(Some).context("the sidecar's answer is no JSON")
            }
            status => {
                let error: ApiError = serde_json::from_str(&text).unwrap_or(ApiError { message: text });
                if error.message.contains("has no topic") {
                    return Ok(None);
                }
                bail!("the sidecar answered {status}: {}", error.message)
            }
        }
    }

    /// Gives the data free.
    pub(crate) async fn close(self) {
        if let Some(own) = self.own {
            // Nothing was in flight.
            let _ended = own.shutdown(Duration::from_secs(10)).await;
        }
    }
}

/// Whether a process uses the data of this folder.
pub(crate) fn is_in_use(data: &Path) -> bool {
    File::open(data.join(format!("{DATABASE}.lock"))).is_ok_and(|file| file.try_lock().is_err())
}

/// Says how the sidecar of the service on this data folder is reached.
pub(crate) fn announce(data: &Path, address: &str) -> Result<()> {
    let path = data.join(ADDRESS);
    std::fs::write(&path, format!("{address}\n")).with_context(|| format!("could not write `{}`", path.display()))
}

/// A part of a path, percent-encoded.
pub(crate) fn segment(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
