//! What the metadata of `pubsub.kafka` means: Dapr's keys.

use std::time::Duration;

use super::metadata::{Metadata, duration};
use crate::{
    config::size,
    error::StartError,
    kafka::{Hidden, Sasl, Settings, Start, Tls},
};

/// Keys that are served.
const KNOWN: [&str; 20] = [
    "brokers",
    "clientID",
    "consumerGroup",
    "consumerID",
    "initialOffset",
    "authType",
    "authRequired",
    "saslUsername",
    "saslPassword",
    "saslMechanism",
    "caCert",
    "clientCert",
    "clientKey",
    "skipVerify",
    "disableTls",
    "maxMessageBytes",
    "compression",
    "heartbeatInterval",
    "sessionTimeout",
    "consumerGroupRebalanceStrategy",
];
/// Dapr's keys whose work is done another way here: the protocol's version is found out, retries are the resiliency's
/// and never hold up other keys, and what is read ahead is bounded by memory.
const IGNORED: [&str; 12] = [
    "version",
    "consumeRetryEnabled",
    "consumeRetryInterval",
    "channelBufferSize",
    "consumerFetchMin",
    "consumerFetchDefault",
    "clientConnectionTopicMetadataRefreshInterval",
    "clientConnectionKeepAliveInterval",
    "schemaCachingEnabled",
    "schemaLatestVersionCacheTTL",
    "escapeHeaders",
    "excludeHeaderMetaRegex",
];

/// The group of each app's subscription is its own unless the file says otherwise.
const GROUP: &str = "{appID}/{subscription}";
/// As a broker's default.
const LONGEST: usize = 1 << 20;
/// Half of Dapr's, so that what a killed sidecar had goes to another within ten seconds.
const SESSION: Duration = Duration::from_secs(6);
const HEARTBEAT: Duration = Duration::from_secs(2);

pub(super) fn read(mut metadata: Metadata<'_>) -> Result<Settings, StartError> {
    let form = "`host:port`, with commas between several";
    let brokers = metadata.parse("brokers", form, |text| is_list(text).then(|| text.to_owned()))?;
    let brokers = brokers.ok_or_else(|| metadata.refuse("brokers", &format!("is missing; expected {form}")))?;
    let start = metadata.parse("initialOffset", "`newest` or `oldest`", |text| match text {
        "oldest" => Some(Start::Oldest),
        "newest" => Some(Start::Newest),
        _ => None,
    })?;
    let (tls, sasl) = security(&mut metadata)?;
    let bytes = "a number of bytes, or a size such as `4Mi`";
    let compression = metadata.parse("compression", "`none`, `gzip`, `snappy` or `lz4`", |text| {
        matches!(text, "none" | "gzip" | "snappy" | "lz4").then(|| text.to_owned())
    })?;
    let longest = metadata.parse("maxMessageBytes", bytes, size)?;
    let seconds = "a duration such as `10s`";
    let heartbeat = metadata.parse("heartbeatInterval", seconds, duration)?.unwrap_or(HEARTBEAT);
    let session = metadata.parse("sessionTimeout", seconds, duration)?.unwrap_or(SESSION);
    if heartbeat.is_zero() || heartbeat * 2 > session || session > Duration::from_secs(3600) {
        return Err(metadata.refuse(
            "sessionTimeout",
            &format!(
                "is {session:?}; expected twice the `heartbeatInterval` ({heartbeat:?}) or more, and an hour at most"
            ),
        ));
    }
    let settings = Settings {
        brokers,
        client_id: metadata.take("clientID"),
        tls,
        sasl,
        group: group(&mut metadata)?,
        start: start.unwrap_or(Start::Oldest),
        longest: longest.unwrap_or(LONGEST),
        compression: compression.unwrap_or_else(|| "none".into()),
        heartbeat,
        session,
    };
    metadata.parse("consumerGroupRebalanceStrategy", "`sticky`, which is the cooperative one here", |text| {
        text.eq_ignore_ascii_case("sticky").then_some(())
    })?;
    metadata.finish(&IGNORED, &KNOWN)?;
    Ok(settings)
}

fn is_list(text: &str) -> bool {
    let is_address = |part: &str| {
        part.trim().rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
    };
    text.split(',').all(is_address)
}

/// `consumerGroup`, or else `consumerID`, as in Dapr.
fn group(metadata: &mut Metadata<'_>) -> Result<String, StartError> {
    let form = "a name, in which `{appID}` and `{subscription}` stand for these";
    let read = |text: &str| {
        let rest = text.replace("{appID}", "").replace("{subscription}", "");
        (!rest.contains(['{', '}'])).then(|| text.to_owned())
    };
    let id = metadata.parse("consumerID", form, read)?;
    let group = metadata.parse("consumerGroup", form, read)?;
    Ok(group.or(id).unwrap_or_else(|| GROUP.into()))
}

/// Dapr's rules: no TLS and no user without `authType`, TLS with every other unless `disableTls` is true. Beyond Dapr, a
/// `caCert` alone asks for TLS.
fn security(metadata: &mut Metadata<'_>) -> Result<(Option<Tls>, Option<Sasl>), StartError> {
    let (truth, read) = ("`true` or `false`", |text: &str| text.parse::<bool>().ok());
    let required = metadata.parse("authRequired", truth, read)?.unwrap_or(false);
    let kind = metadata.take("authType").unwrap_or_else(|| if required { "password".into() } else { "none".into() });
    let disabled = metadata.parse("disableTls", truth, read)?.unwrap_or(false);
    let skips = metadata.parse("skipVerify", truth, read)?.unwrap_or(false);
    let authority = pem(metadata, "caCert")?;
    let (certificate, key) = (pem(metadata, "clientCert")?, pem(metadata, "clientKey")?);
    let mechanism = metadata.parse("saslMechanism", "`PLAIN`, `SHA-256` or `SHA-512`", |text| match text {
        "PLAIN" | "PLAINTEXT" => Some("PLAIN"),
        "SHA-256" | "SCRAM-SHA-256" => Some("SCRAM-SHA-256"),
        "SHA-512" | "SCRAM-SHA-512" => Some("SCRAM-SHA-512"),
        _ => None,
    })?;
    let (user, password) = (metadata.take("saslUsername"), metadata.take("saslPassword"));
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, Hidden(key))),
        (None, None) => None,
        (Some(_), None) => return Err(metadata.refuse("clientKey", "is missing; expected the key of `clientCert`")),
        (None, Some(_)) => {
            return Err(metadata.refuse("clientCert", "is missing; expected the certificate of `clientKey`"));
        }
    };
    let sasl = match (kind.as_str(), user, password) {
        ("password", Some(user), Some(password)) => {
            Some(Sasl { mechanism: mechanism.unwrap_or("PLAIN"), user, password: Hidden(password) })
        }
        ("password", None, _) => return Err(metadata.refuse("saslUsername", "is missing; expected a user")),
        ("password", _, None) => return Err(metadata.refuse("saslPassword", "is missing; expected a password")),
        ("mtls" | "certificate", ..) if identity.is_none() => {
            return Err(metadata.refuse("clientCert", "is missing; expected a certificate in PEM"));
        }
        ("none" | "mtls" | "certificate", ..) => None,
        (other, ..) => {
            let form = "expected `none`, `password` or `mtls`";
            return Err(metadata.refuse("authType", &format!("is `{other}`; {form}")));
        }
    };
    let wanted = kind != "none" || authority.is_some() || identity.is_some();
    let tls = (wanted && !disabled).then_some(Tls { authority, identity, verifies: !skips });
    if tls.is_none() && sasl.as_ref().is_some_and(|sasl| sasl.mechanism == "PLAIN") {
        tracing::warn!(
            "a password for Kafka is sent in the clear: `disableTls` is `true` and `saslMechanism` is `PLAIN`"
        );
    }
    Ok((tls, sasl))
}

/// Text of the form PEM, which no error shows. What it says is read by the client when it begins.
fn pem(metadata: &mut Metadata<'_>, key: &str) -> Result<Option<String>, StartError> {
    match metadata.take(key) {
        Some(text) if !text.trim_start().starts_with("-----BEGIN") => {
            Err(metadata.refuse(key, "is of another form; expected PEM, which begins with `-----BEGIN`"))
        }
        taken => Ok(taken),
    }
}
