//! The command `todo`, as a process with a data folder of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::RwLock;

use crate::{
    Answer, User,
    servers::Servers,
    stock::{Stock, with_daprd},
};

/// How long a start may take, compiling the components included.
const START: Duration = Duration::from_secs(120);

/// The password of every account under test.
const PASSWORD: &str = "correct horse";

fn email(name: &str) -> String {
    format!("{name}@example.com")
}

/// What differs from the usual start.
#[derive(Debug, Clone, Default)]
pub struct TodoOptions {
    /// Leaves out the test component, as for a benchmark.
    pub without_recorder: bool,
    /// Leaves out the application's own subscriptions: its handlers are given nothing by the sidecar.
    pub without_subscriptions: bool,
    /// A folder of data to begin with a copy of; that of an application that has stopped.
    pub data: Option<PathBuf>,
    /// Folders of Dapr resources beside the application's own.
    pub resources: Vec<PathBuf>,
    /// Other apps that subscribe, as `id=http://host:port`.
    pub apps: Vec<String>,
    /// Variables of the application, by name. Rates are not bounded unless told otherwise here.
    pub variables: Vec<(&'static str, String)>,
    /// Lets components call private addresses that only `*` in their `allowed_outbound_hosts` allows.
    pub allow_private_networks: bool,
    /// What a shell does first, such as `ulimit -f 2000`; the command takes its place.
    pub shell: Option<String>,
    /// Variables of the application's process. A clock of its own is sidelet's too, and no other sidecar's.
    pub environment: Vec<(&'static str, String)>,
}

impl TodoOptions {
    /// Whether they change something that is daprd's own business where it takes sidelet's place.
    fn needs_sidelet(&self) -> bool {
        let has_clock = self.environment.iter().any(|(name, _)| name.starts_with("FAKETIME"));
        has_clock || !self.apps.is_empty() || self.without_subscriptions || self.data.is_some() || self.shell.is_some()
    }
}

/// One running application. It ends with this value.
#[derive(Debug)]
pub struct Todo {
    /// `None` between a stop and the next start.
    process: Option<Child>,
    address: Arc<RwLock<String>>,
    sidecar: String,
    metrics: String,
    folder: TempDir,
    options: TodoOptions,
    client: Client,
    /// daprd, where it takes sidelet's place.
    stock: Option<Stock>,
    /// What is behind sidelet in place of its file.
    servers: Option<Servers>,
}

impl Todo {
    /// Starts the application with the test component and an empty data folder.
    ///
    /// # Errors
    /// When something is not built, or the application does not start.
    pub async fn start() -> Result<Self> {
        Self::start_with(TodoOptions::default()).await
    }

    /// Starts the application with an empty data folder.
    ///
    /// # Errors
    /// As [`Todo::start`].
    pub async fn start_with(options: TodoOptions) -> Result<Self> {
        let folder = tempfile::tempdir().context("a folder for data")?;
        let mut todo = Self {
            process: None,
            address: Arc::default(),
            sidecar: String::new(),
            metrics: String::new(),
            folder,
            options,
            client: Client::new(),
            stock: None,
            servers: Servers::start_if_wanted().await?,
        };
        std::fs::write(todo.manifest(), manifest(&todo.options)?).context("could not write the manifest")?;
        todo.prepare().context("could not prepare the folder")?;
        if let Some(servers) = &todo.servers {
            servers.write(&todo.resources())?;
        }
        if with_daprd() && todo.options.needs_sidelet() {
            bail!("these options are for sidelet alone: call `needs_sidelet` first");
        }
        todo.stock = Stock::start_if_given(todo.folder.path(), &todo.data(), &todo.options).await?;
        todo.start_again().await?;
        Ok(todo)
    }

    /// Copies the data to begin with, and the resources that the application is to have.
    fn prepare(&self) -> Result<()> {
        let copy = |from: &Path, to: &Path, wanted: &dyn Fn(&str) -> bool| -> Result<()> {
            std::fs::create_dir_all(to)?;
            for entry in std::fs::read_dir(from)? {
                let path = entry?.path();
                if path.is_file() && (wanted)(&std::fs::read_to_string(&path).unwrap_or_default()) {
                    std::fs::copy(&path, to.join(path.file_name().context("a file has a name")?))?;
                }
            }
            Ok(())
        };
        if let Some(data) = &self.options.data {
            copy(data, &self.data(), &|_| true)?;
        }
        let subscription = |text: &str| text.contains("\nkind: Subscription");
        copy(&local_resources(), &self.resources(), &|text| !self.options.without_subscriptions || !subscription(text))
    }

    /// Starts the application anew on the data that is there.
    ///
    /// # Errors
    /// When it does not start; its own message is part of the error.
    pub async fn start_again(&mut self) -> Result<()> {
        let mut command = match &self.options.shell {
            None => Command::new(todo_binary()?),
            Some(first) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(format!("{first}; exec \"$0\" \"$@\"")).arg(todo_binary()?);
                shell
            }
        };
        command.envs(self.options.environment.iter().map(|(name, value)| (name, value)));
        command.arg("up").arg("--data").arg(self.data());
        // All applications under test share what has been compiled.
        command.arg("--cache").arg(workspace_root().join("target/devhost-cache"));
        command.arg("--from").arg(self.manifest());
        if self.options.allow_private_networks {
            command.arg("--allow-private-networks");
        }
        match &self.stock {
            Some(stock) => {
                command.args(["--port", &stock.app_port.to_string(), "--sidecar", &stock.daprd.address()]);
            }
            None => self.own_sidecar(&mut command),
        }
        command.env("SPIN_VARIABLE_WRITES_PER_MINUTE", "0").env("SPIN_VARIABLE_SIGN_UPS_PER_HOUR", "0");
        for (name, value) in &self.options.variables {
            command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
        }
        let log = std::fs::File::options().create(true).append(true).open(self.log()).context("a file for the log")?;
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("could not start `todo up`")?;
        let mut lines = BufReader::new(process.stdout.take().context("the output is piped")?).lines();
        let announced = async {
            let (mut api, mut sidecar, mut metrics) = (None, None, None);
            while let Some(line) = lines.next_line().await.context("could not read what `todo up` prints")? {
                let mut words = line.split_whitespace();
                match words.next() {
                    Some("API") => api = words.next().map(str::to_owned),
                    Some("sidecar") => sidecar = words.next().map(str::to_owned),
                    Some("metrics") => metrics = words.next().map(str::to_owned),
                    Some("Ctrl-C") => break,
                    _ => {}
                }
            }
            anyhow::Ok(api.zip(sidecar).map(|(api, sidecar)| (api, sidecar, metrics)))
        };
        let announced = tokio::time::timeout(START, announced).await.context("`todo up` did not start in time")??;
        let Some((api, sidecar, metrics)) = announced else { bail!("`todo up` ended: {}", self.log_text()) };
        // Whatever comes later is read away, so that the process never waits for its reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        *self.address.write().await = api;
        self.sidecar = sidecar;
        // A sidecar that runs by itself has its own.
        self.metrics = metrics.unwrap_or_default();
        self.process = Some(process);
        Ok(())
    }

    fn own_sidecar(&self, command: &mut Command) {
        command.args(["--port", "0", "--dapr-port", "0", "--metrics-port", "0", "--resources"]).arg(self.resources());
        if !self.options.without_recorder {
            command.arg("--resources").arg(workspace_root().join("tests/dapr"));
        }
        for folder in &self.options.resources {
            command.arg("--resources").arg(folder);
        }
        for app in &self.options.apps {
            command.arg("--app").arg(app);
        }
    }

    /// Changes what the next start does first.
    pub fn set_shell(&mut self, shell: Option<String>) {
        self.options.shell = shell;
    }

    /// Kills the process, as a power cut would.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill().await.context("could not kill `todo up`")?;
        }
        Ok(())
    }

    /// Tells the process to stop, and waits until it has.
    ///
    /// # Errors
    /// When it does not end well within half a minute.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let id = process.id().context("the process has ended already")?;
        let told =
            Command::new("kill").args(["-TERM", &id.to_string()]).status().await.context("could not run `kill`")?;
        if !told.success() {
            bail!("could not tell process {id} to stop");
        }
        let status = tokio::time::timeout(Duration::from_secs(30), process.wait())
            .await
            .context("`todo up` did not stop in time")?
            .context("could not wait for `todo up`")?;
        if !status.success() {
            bail!("`todo up` ended with {status}: {}", self.log_text());
        }
        Ok(())
    }

    /// Runs another of the command's commands, such as `replay`, on the data of this application, and gives what it prints.
    ///
    /// # Errors
    /// When it fails; what it says is part of the error.
    pub async fn command(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(todo_binary()?);
        command.args(arguments).arg("--data").arg(self.data());
        command.arg("--resources").arg(self.resources());
        let output = command.output().await.with_context(|| format!("could not run `todo {}`", arguments.join(" ")))?;
        if !output.status.success() {
            bail!("`todo {}`: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        String::from_utf8(output.stdout).context("what a command prints is text")
    }

    /// Makes an account and signs it in. Each name is another account.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn sign_up(&self, name: &str) -> Result<User> {
        let account = json!({ "email": email(name), "name": name, "password": PASSWORD });
        let body = self.post("/api/auth/sign-up", &account).await?.expect(201)?;
        self.user(&body)
    }

    /// Signs a user in anew who has signed up.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn sign_in(&self, name: &str) -> Result<User> {
        let credentials = json!({ "email": email(name), "password": PASSWORD });
        let body = self.post("/api/auth/sign-in", &credentials).await?.expect(200)?;
        self.user(&body)
    }

    fn user(&self, signed_in: &Value) -> Result<User> {
        let text = |value: &Value| value.as_str().map(str::to_owned).context("a sign-in answers with token and user");
        Ok(User {
            id: text(&signed_in["user"]["id"])?,
            token: text(&signed_in["token"])?,
            address: Arc::clone(&self.address),
            client: self.client.clone(),
        })
    }

    /// Begins a request as nobody.
    pub async fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address.read().await))
    }

    /// Sends a request that was begun with [`Todo::request`].
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer> {
        Answer::read(request.send().await.context("no answer")?).await
    }

    /// `POST` with a JSON body, as nobody.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(self.request(reqwest::Method::POST, path).await.json(body)).await
    }

    /// `GET`, as nobody.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.request(reqwest::Method::GET, path).await).await
    }

    /// The address of the API.
    pub async fn address(&self) -> String {
        self.address.read().await.clone()
    }

    /// The address of the sidecar.
    pub fn sidecar(&self) -> &str {
        &self.sidecar
    }

    /// The folder of the data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// daprd and its broker, where they take sidelet's place.
    pub fn stock(&mut self) -> Option<&mut Stock> {
        self.stock.as_mut()
    }

    /// The process, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref()?.id()
    }

    /// What the process wrote to its log.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// The tokens of this application: `signingKey`, `daprApiToken`, `appApiToken`.
    ///
    /// # Errors
    /// When it has never started.
    pub fn keys(&self) -> Result<Value> {
        let text = std::fs::read_to_string(self.data().join("keys.json")).context("could not read the keys")?;
        serde_json::from_str(&text).context("the keys are JSON")
    }

    /// Begins a request to the sidecar's API, with its token.
    ///
    /// # Errors
    /// When the application has never started.
    pub fn sidecar_request(&self, method: reqwest::Method, path: &str) -> Result<reqwest::RequestBuilder> {
        let token = self.keys()?["daprApiToken"].as_str().context("a token")?.to_owned();
        Ok(self.client.request(method, format!("{}{path}", self.sidecar)).header("dapr-api-token", token))
    }

    /// The value of one of the sidecar's metrics: of the series whose line begins with `series`; 0 when there is none.
    ///
    /// # Errors
    /// When the metrics cannot be read.
    pub async fn metric(&self, series: &str) -> Result<f64> {
        let text = self.client.get(&self.metrics).send().await.context("no answer")?.text().await?;
        let line = text.lines().find(|line| line.starts_with(series));
        let value = line.and_then(|line| line.rsplit(' ').next()).unwrap_or("0");
        value.parse().with_context(|| format!("`{value}` is no number"))
    }

    fn resources(&self) -> PathBuf {
        self.folder.path().join("resources")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn manifest(&self) -> PathBuf {
        self.folder.path().join("spin.toml")
    }
}

/// The workspace's folder.
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("testkit is in the workspace").to_owned()
}

/// The application's own resources for the laptop.
fn local_resources() -> PathBuf {
    workspace_root().join("dapr/local")
}

/// The built command, beside the program that is running.
///
/// # Errors
/// When it is not built.
pub fn todo_binary() -> Result<PathBuf> {
    let program = std::env::current_exe().context("where this program is")?;
    let found = program.ancestors().skip(1).take(2).map(|folder| folder.join("todo")).find(|path| path.is_file());
    found.context("the command `todo` is not built: run `cargo xtask test`")
}

/// The application's own manifest with absolute paths, and the test component unless it is left out.
fn manifest(options: &TodoOptions) -> Result<String> {
    let root = workspace_root();
    let mut text = std::fs::read_to_string(root.join("spin.toml")).context("could not read spin.toml")?;
    if !options.without_recorder {
        text.push_str(RECORDER);
    }
    Ok(text.replace("source = \"target/", &format!("source = \"{}/target/", root.display())))
}

const RECORDER: &str = r#"
[[trigger.http]]
route = "/recorder/..."
component = "recorder"

[component.recorder]
source = "target/wasm32-wasip2/wasm/recorder.wasm"
allowed_outbound_hosts = ["{{ dapr_url }}"]
[component.recorder.variables]
dapr_url = "{{ dapr_url }}"
dapr_api_token = "{{ dapr_api_token }}"
app_api_token = "{{ app_api_token }}"
state_store = "{{ state_store }}"
signing_key = "{{ signing_key }}"
"#;
