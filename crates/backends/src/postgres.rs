//! A PostgreSQL server with an empty data folder.

use std::net::Ipv4Addr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::server::{DEADLINE, Server};
use crate::{Certificates, ports};

/// What to do where it is not installed.
const MISSING: &str = "PostgreSQL is missing: run `cargo xtask backends`, or `apt-get install postgresql`";

/// What a server says while processes of the one before it are alive, and the wait before another try.
const STILL_THERE: &str = "pre-existing shared memory block";
const PAUSE: Duration = Duration::from_millis(20);

/// Who may come in how: the role `postgres` without a password, and `todo` with one, over TLS or not.
const ACCESS: &str = "\
local all all trust
host all todo all scram-sha-256
host all all 127.0.0.1/32 trust
host all all samehost trust
";

/// A running server on a free port. It ends with this value.
#[derive(Debug)]
pub struct Postgres {
    /// `None` between a stop and the next start.
    server: Option<Server>,
    address: Ipv4Addr,
    port: u16,
    programs: PathBuf,
    user: Option<User>,
    certificates: Certificates,
    folder: TempDir,
}

impl Postgres {
    /// Makes a cluster and starts its server: some 2 s. It takes connections with TLS and without.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub async fn start() -> Result<Self> {
        Self::start_at(Ipv4Addr::LOCALHOST).await
    }

    /// Starts a server that listens at an address of this machine, for clients that are not on it: `todo` alone may come
    /// from elsewhere.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub async fn start_at(address: Ipv4Addr) -> Result<Self> {
        let programs = programs().context(MISSING)?;
        let folder = tempfile::Builder::new().prefix("postgres-").tempdir().context("a folder for data")?;
        let certificates = Certificates::write(folder.path())?;
        std::fs::set_permissions(certificates.server_key(), PermissionsExt::from_mode(0o600))?;
        let user = User::for_server()?;
        if let Some(user) = &user {
            chown(folder.path(), Some(user.id), Some(user.group))?;
            chown(certificates.server_key(), Some(user.id), Some(user.group))?;
        }
        let port = ports::free_at(address)?;
        let mut postgres = Self { server: None, address, port, programs, user, certificates, folder };
        let made = postgres
            .command("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"])
            .arg(postgres.data())
            .output()
            .context(MISSING)?;
        if !made.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        }
        std::fs::write(postgres.data().join("pg_hba.conf"), ACCESS).context("could not write who may come in")?;
        postgres.start_again().await?;
        postgres.query(&postgres.url("postgres"), "create role todo superuser login password 'secret'").await?;
        Ok(postgres)
    }

    /// One server for all tests of this process that break nothing; each makes a database of its own.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub async fn shared() -> Result<&'static Self> {
        static SHARED: OnceCell<Postgres> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    /// Starts the server on the data that is there, and waits until it answers.
    ///
    /// # Errors
    /// When it does not start; its log is part of the error.
    pub async fn start_again(&mut self) -> Result<()> {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data());
        let (address, port) = (self.address.to_string(), self.port.to_string());
        let (socket, certificates) = (self.folder.path().display().to_string(), &self.certificates);
        for (name, value) in [
            ("listen_addresses", address.as_str()),
            ("port", &port),
            ("unix_socket_directories", &socket),
            ("max_connections", "200"),
            ("ssl", "on"),
            ("ssl_cert_file", &certificates.server().display().to_string()),
            ("ssl_key_file", &certificates.server_key().display().to_string()),
        ] {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let url = self.url("postgres");
        let begin = Instant::now();
        loop {
            let mut server = Server::spawn("PostgreSQL", &mut command, self.folder.path())?;
            match server.ready(async |_| self.query(&url, "select 1").await.is_ok()).await {
                Ok(()) => {
                    self.server = Some(server);
                    return Ok(());
                }
                // The last processes of a server that was killed are still on their way out.
                Err(_) if server.log_text().contains(STILL_THERE) && begin.elapsed() < DEADLINE => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Lets the server end its connections and stop.
    ///
    /// # Errors
    /// When it does not stop in time.
    pub async fn stop(&mut self) -> Result<()> {
        if let Some(server) = self.server.take() {
            server.end(Signal::INT).await?;
        }
        Ok(())
    }

    /// Ends all processes of the server at once, as a power cut would.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Stops the server where it is: connections stay open, and nobody answers.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&self) -> Result<()> {
        self.server.as_ref().context("PostgreSQL does not run")?.freeze(true)
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> Result<()> {
        self.server.as_ref().context("PostgreSQL does not run")?.freeze(false)
    }

    /// Makes an empty database that no other call gives, and gives its address.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn create_database(&self) -> Result<String> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.query(&self.url("postgres"), &format!("create database {name}")).await?;
        Ok(self.url(&name))
    }

    /// The address of a database, as its only user without a password; `sslmode` may be added to its query.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}:{}/{database}", self.address, self.port)
    }

    /// The address of a database for the role `todo`, which needs its password `secret` (SCRAM-SHA-256).
    pub fn url_with_password(&self, database: &str) -> String {
        format!("postgres://todo:secret@{}:{}/{database}", self.address, self.port)
    }

    /// The server's version, such as `15.18`.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn version(&self) -> Result<String> {
        let text = self.query(&self.url("postgres"), "show server_version").await?;
        // Debian adds its own in brackets.
        Ok(text.split_whitespace().next().unwrap_or_default().to_owned())
    }

    /// The server's port, which it keeps over a stop.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the server shows to those who come with TLS.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// The server's first process, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.server.as_ref().map(Server::id)
    }

    /// Runs SQL on a database by `psql`; rows are lines, columns have `|` between them.
    ///
    /// # Errors
    /// When it is refused, with what PostgreSQL says, or the server does not answer.
    pub async fn query(&self, url: &str, sql: &str) -> Result<String> {
        let output = tokio::process::Command::new(self.programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "--dbname", url])
            .args(["--command", sql])
            .kill_on_drop(true)
            .output()
            .await
            .context(MISSING)?;
        if !output.status.success() {
            bail!("`{sql}`: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// One of PostgreSQL's programs, as the user that may run it.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let Some(user) = &self.user else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={}", user.id)).arg(format!("--regid={}", user.group)).arg("--clear-groups");
        // A folder that it may look at.
        command.arg(program).current_dir("/");
        command
    }
}

/// Where PostgreSQL's programs are: what `PATH` names, or the newest of Debian's folders.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = debian.map(|entry| entry.path().join("bin")).collect();
    debian.sort_by_key(|folder| version(folder));
    debian.into_iter().rev().chain(std::env::split_paths(&path)).find(|folder| folder.join("initdb").is_file())
}

fn version(programs: &Path) -> Option<u32> {
    programs.parent()?.file_name()?.to_str()?.parse().ok()
}

/// Whom the server runs as; it refuses to run as root.
#[derive(Debug)]
struct User {
    id: u32,
    group: u32,
}

impl User {
    /// `None` when this process may run the server itself.
    fn for_server() -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let of = |name: &str, what: &str| -> Option<u32> {
            let output = Command::new("id").args([what, name]).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        let found = ["postgres", "nobody"].into_iter().find_map(|name| of(name, "-u").zip(of(name, "-g")));
        let (id, group) = found.context("PostgreSQL refuses to run as root: make a user `postgres`")?;
        Ok(Some(Self { id, group }))
    }
}
