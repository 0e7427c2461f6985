//! A Kafka broker with empty topics.

mod java;

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::server::Server;
use crate::{Certificates, ports};

/// What every broker has, and what it logs.
const PROPERTIES: &str = include_str!("../kafka/server.properties");
/// What a broker logs when it serves.
const READY: &str = "Kafka Server started";

/// What differs from the usual broker.
#[derive(Debug, Clone)]
pub struct KafkaOptions {
    /// The partitions of a topic that is made by being published to.
    pub partitions: u16,
    /// Whether a topic is made by being published to.
    pub auto_create: bool,
    /// Where it listens, for clients that are not on this machine.
    pub address: Ipv4Addr,
    /// Adds listeners with passwords and with TLS: [`Kafka::sasl`] and its neighbours.
    pub secure: bool,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self { partitions: 3, auto_create: true, address: Ipv4Addr::LOCALHOST, secure: false }
    }
}

/// A running broker on free ports. It ends with this value.
#[derive(Debug)]
pub struct Kafka {
    /// `None` between a stop and the next start.
    server: Option<Server>,
    address: Ipv4Addr,
    ports: Vec<u16>,
    certificates: Certificates,
    folder: TempDir,
}

/// The listeners in the order of their ports. With passwords: user `todo`, password `secret`.
const LISTENERS: [&str; 6] = ["CONTROLLER", "PLAINTEXT", "SASL", "SASL_TLS", "TLS", "MTLS"];
/// How many of them there are without `secure`.
const PLAIN: usize = 2;

impl Kafka {
    /// Starts a broker: some 3 s; the first time on a machine some 15 s more.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub async fn start() -> Result<Self> {
        Self::start_with(KafkaOptions::default()).await
    }

    /// Starts a broker that differs from the usual one.
    ///
    /// # Errors
    /// As [`Kafka::start`].
    pub async fn start_with(options: KafkaOptions) -> Result<Self> {
        java::prepare().await?;
        let mut kafka = Self::make(options).await?;
        kafka.start_again().await?;
        Ok(kafka)
    }

    /// Makes a broker's folder.
    async fn make(options: KafkaOptions) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("kafka-").tempdir().context("a folder for data")?;
        let certificates = Certificates::write(folder.path())?;
        let count = if options.secure { LISTENERS.len() } else { PLAIN };
        let ports = (0..count).map(|_| ports::free_at(options.address)).collect::<Result<_>>()?;
        let kafka = Self { server: None, address: options.address, ports, certificates, folder };
        std::fs::write(kafka.properties(), kafka.configuration(&options)?).context("could not write its properties")?;
        java::format(&kafka.properties()).await?;
        Ok(kafka)
    }

    /// One broker for all tests of this process that break nothing; each has topics of its own.
    ///
    /// # Errors
    /// As [`Kafka::start`].
    pub async fn shared() -> Result<&'static Self> {
        static SHARED: OnceCell<Kafka> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    /// Starts the broker on the data that is there, and waits until it serves.
    ///
    /// # Errors
    /// When it does not start; its log is part of the error.
    pub async fn start_again(&mut self) -> Result<()> {
        self.run(java::prepared()).await
    }

    async fn run(&mut self, mut java: Command) -> Result<()> {
        let mut server = Server::spawn("Kafka", java.arg("kafka.Kafka").arg(self.properties()), self.folder.path())?;
        server.ready(async |log| log.contains(READY)).await?;
        self.server = Some(server);
        Ok(())
    }

    /// Lets the broker finish, and waits until it has stopped.
    ///
    /// # Errors
    /// When it does not stop in time.
    pub async fn stop(&mut self) -> Result<()> {
        if let Some(server) = self.server.take() {
            server.end(Signal::TERM).await?;
        }
        Ok(())
    }

    /// Ends the broker at once, as a power cut would.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Stops the broker where it is: connections stay open, and nobody answers.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&self) -> Result<()> {
        self.server.as_ref().context("Kafka does not run")?.freeze(true)
    }

    /// Lets a paused broker go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> Result<()> {
        self.server.as_ref().context("Kafka does not run")?.freeze(false)
    }

    /// Lets no file of the broker grow beyond so many bytes, as a full disk does; it ends when it meets that. The next
    /// start has room.
    ///
    /// # Errors
    /// When it does not run.
    pub fn limit_files(&self, bytes: u64) -> Result<()> {
        self.server.as_ref().context("Kafka does not run")?.limit_files(bytes)
    }

    /// Whether the broker has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.server.as_mut().is_none_or(|server| server.ended().is_some())
    }

    /// `host:port` of the broker without password and TLS.
    pub fn brokers(&self) -> String {
        self.listener("PLAINTEXT")
    }

    /// With a password (PLAIN, SCRAM-SHA-256 and -512), without TLS: user `todo`, password `secret`.
    ///
    /// # Panics
    /// As its neighbours, on a broker that was not made `secure`.
    pub fn sasl(&self) -> String {
        self.listener("SASL")
    }

    /// With the same password, and TLS.
    pub fn sasl_tls(&self) -> String {
        self.listener("SASL_TLS")
    }

    /// With TLS.
    pub fn tls(&self) -> String {
        self.listener("TLS")
    }

    /// With TLS, for those who have a client's certificate.
    pub fn mtls(&self) -> String {
        self.listener("MTLS")
    }

    /// What the broker shows to those who come with TLS, and what they need.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// The version of the broker that is installed.
    ///
    /// # Errors
    /// When none is.
    pub fn version() -> Result<String> {
        java::version()
    }

    /// The broker's process, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.server.as_ref().map(Server::id)
    }

    fn listener(&self, name: &str) -> String {
        let found = LISTENERS.iter().zip(&self.ports).find(|(listener, _)| **listener == name);
        let (_, port) = found.expect("the broker was started with `secure`");
        format!("{}:{port}", self.address)
    }

    fn properties(&self) -> PathBuf {
        self.folder.path().join("server.properties")
    }

    fn configuration(&self, options: &KafkaOptions) -> Result<String> {
        let pairs = || LISTENERS.into_iter().zip(&self.ports);
        let named = |skip: usize| -> String {
            let all: Vec<String> =
                pairs().skip(skip).map(|(name, port)| format!("{name}://{}:{port}", self.address)).collect();
            all.join(",")
        };
        let data = self.folder.path().join("data");
        let mut text = PROPERTIES.to_owned();
        writeln!(text, "listeners={}\nadvertised.listeners={}", named(0), named(1))?;
        writeln!(text, "controller.quorum.voters=1@{}:{}\nlog.dirs={}", self.address, self.ports[0], data.display())?;
        writeln!(text, "num.partitions={}", options.partitions)?;
        writeln!(text, "auto.create.topics.enable={}", options.auto_create)?;
        for (name, _) in pairs().skip(PLAIN) {
            let listener = format!("listener.name.{}", name.to_lowercase());
            if name.starts_with("SASL") {
                let security = "org.apache.kafka.common.security";
                writeln!(
                    text,
                    "{listener}.plain.sasl.jaas.config={security}.plain.PlainLoginModule required user_todo=\"secret\";\n\
                     {listener}.scram-sha-256.sasl.jaas.config={security}.scram.ScramLoginModule required;\n\
                     {listener}.scram-sha-512.sasl.jaas.config={security}.scram.ScramLoginModule required;"
                )?;
            }
            if name.ends_with("TLS") {
                writeln!(
                    text,
                    "{listener}.ssl.keystore.type=PEM\n{listener}.ssl.truststore.type=PEM\n\
                     {listener}.ssl.keystore.certificate.chain={}\n{listener}.ssl.keystore.key={}\n\
                     {listener}.ssl.truststore.certificates={}\n{listener}.ssl.client.auth={}",
                    inline(&self.certificates.server())?,
                    inline(&self.certificates.server_key())?,
                    inline(&self.certificates.authority())?,
                    if name == "MTLS" { "required" } else { "none" },
                )?;
            }
        }
        Ok(text)
    }
}

/// A PEM file as a value of a properties file.
fn inline(path: &std::path::Path) -> Result<String> {
    Ok(std::fs::read_to_string(path)?.trim().replace("\r\n", "\n").replace('\n', "\\n\\\n"))
}
