//! How a Kafka is reached, and how it is used.

use std::{fmt, time::Duration};

use rdkafka::ClientConfig;

/// What the file of a component says.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Addresses to begin with, with commas between.
    pub(crate) brokers: String,
    /// How clients name themselves. None: by the component.
    pub(crate) client_id: Option<String>,
    /// TLS, where it is used.
    pub(crate) tls: Option<Tls>,
    /// A user and a password, where they are asked for.
    pub(crate) sasl: Option<Sasl>,
    /// The name of a consumer group, with `{appID}` and `{subscription}` in it.
    pub(crate) group: String,
    /// Where a new group begins.
    pub(crate) start: Start,
    /// The longest message, in bytes.
    pub(crate) longest: usize,
    /// How messages are packed.
    pub(crate) compression: String,
    /// How often a group says that it lives.
    pub(crate) heartbeat: Duration,
    /// How long a group's member may be silent before others get its partitions.
    pub(crate) session: Duration,
}

/// Where a new group begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Oldest,
    Newest,
}

/// TLS.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    /// PEM. None: the authorities that the machine trusts.
    pub(crate) authority: Option<String>,
    /// Certificate and key in PEM, where clients show one.
    pub(crate) identity: Option<(String, Hidden)>,
    /// Whether the broker's certificate and name are looked at.
    pub(crate) verifies: bool,
}

/// A user.
#[derive(Debug, Clone)]
pub(crate) struct Sasl {
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub(crate) mechanism: &'static str,
    pub(crate) user: String,
    pub(crate) password: Hidden,
}

/// Text that is not to be seen in a log.
#[derive(Clone)]
pub(crate) struct Hidden(pub(crate) String);

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(hidden)")
    }
}

/// What one poll of a consumer brings at most; and what it holds that was not polled.
const FETCH: usize = 1 << 20;
/// Messages that a producer holds, in kilobytes: those of a few seconds without a broker.
const PRODUCER_KILOBYTES: &str = "32768";

impl Settings {
    /// Those of a Kafka that asks for nothing.
    pub(crate) fn plain(brokers: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
            client_id: None,
            tls: None,
            sasl: None,
            group: String::new(),
            start: Start::Oldest,
            longest: 1 << 20,
            compression: "none".into(),
            heartbeat: Duration::from_secs(2),
            session: Duration::from_secs(6),
        }
    }

    /// What every client needs.
    pub(super) fn client(&self, component: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", self.client_id.as_deref().unwrap_or(component))
            .set("socket.keepalive.enable", "true")
            .set("socket.nagle.disable", "true")
            // A broker that comes back is found within a second.
            .set("reconnect.backoff.ms", "100")
            .set("reconnect.backoff.max.ms", "1000")
            .set("retry.backoff.ms", "100")
            .set("socket.timeout.ms", "10000")
            // Partitions that are added, and topics that are made after their subscriptions, are seen soon.
            .set("topic.metadata.refresh.interval.ms", "10000")
            .set("security.protocol", self.protocol());
        if let Some(sasl) = &self.sasl {
            config.set("sasl.mechanism", sasl.mechanism).set("sasl.username", &sasl.user);
            config.set("sasl.password", &sasl.password.0);
        }
        if let Some(tls) = &self.tls {
            match &tls.authority {
                Some(authority) => config.set("ssl.ca.pem", authority),
                None => config.set("ssl.ca.location", authorities()),
            };
            if let Some((certificate, key)) = &tls.identity {
                config.set("ssl.certificate.pem", certificate).set("ssl.key.pem", &key.0);
            }
            if !tls.verifies {
                config.set("enable.ssl.certificate.verification", "false");
            }
        }
        config
    }

    fn protocol(&self) -> &'static str {
        match (&self.tls, &self.sasl) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        }
    }

    /// A producer whose messages keep their order whatever happens: it goes on trying for ever, and who waits does not.
    ///
    /// A key's partition is the one that daprd chooses.
    pub(super) fn producer(&self, component: &str) -> ClientConfig {
        let mut config = self.client(component);
        config
            .set("enable.idempotence", "true")
            .set("message.timeout.ms", "0")
            // Before whoever appends gives up, so that a topic that is not there is a failure of its own.
            .set("topic.metadata.propagation.max.ms", "3000")
            .set("linger.ms", "0")
            .set("partitioner", "fnv1a_random")
            .set("message.max.bytes", self.longest.to_string())
            .set("compression.type", &self.compression)
            .set("queue.buffering.max.kbytes", PRODUCER_KILOBYTES);
        config
    }

    /// A consumer that holds little.
    pub(super) fn consumer(&self, component: &str, group: &str) -> ClientConfig {
        let mut config = self.client(component);
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("allow.auto.create.topics", "true")
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", self.session.as_millis().to_string())
            .set("heartbeat.interval.ms", self.heartbeat.as_millis().to_string())
            .set("queued.min.messages", "1000")
            .set("queued.max.messages.kbytes", (FETCH >> 10).to_string())
            .set("fetch.message.max.bytes", (FETCH / 2).to_string())
            .set("fetch.max.bytes", FETCH.max(self.longest).to_string())
            .set("message.max.bytes", self.longest.to_string())
            .set("fetch.queue.backoff.ms", "10")
            .set("fetch.error.backoff.ms", "100");
        config
    }
}

/// What the machine trusts: OpenSSL's usual variable, or what is found in the usual places.
fn authorities() -> String {
    std::env::var("SSL_CERT_FILE").ok().filter(|path| !path.is_empty()).unwrap_or_else(|| "probe".into())
}
