//! Wrong values, and what Helm says of each: the value's name, and what it may be.

use std::path::Path;

use anyhow::{Result, bail, ensure};

use super::CHART;
use super::cases::{Case, run};

/// What is set, the place that is named, and a part of the reason.
const WRONG: &[(&str, &str, &str)] = &[
    ("executr=shim", "", "'executr' not allowed"),
    ("api.replica=1", "/api", "'replica' not allowed"),
    ("handlers.mailer.maxReplicas=1", "/handlers", "'mailer' not allowed"),
    ("executor=wasmtime", "/executor", "must be one of 'shim', 'spinImage'"),
    ("sidecar=none", "/sidecar", "must be one of 'sidelet', 'dapr'"),
    ("broker=rabbitmq", "/broker", "must be one of 'strimzi', 'external', 'embedded'"),
    ("database=mysql", "/database", "must be one of 'external', 'embedded'"),
    ("image.tag=latest", "/image/tag", "'not' failed"),
    ("image.digest=sha256:abc", "/image/digest", "does not match pattern"),
    ("spinImage=ghcr.io/spinframework/spin:latest", "/spinImage", "'not' failed"),
    ("spinImage=ghcr.io/spinframework/spin", "/spinImage", "does not match pattern"),
    ("test.image=curl", "/test/image", "does not match pattern"),
    ("settings.proxies=many", "/settings/proxies", "want integer"),
    ("settings.corsOrigins=example.com", "/settings/corsOrigins", "does not match pattern"),
    ("settings.vapidSubject=ada", "/settings/vapidSubject", "does not match pattern"),
    ("api.minReplicas=0", "/api/minReplicas", "minimum"),
    ("handler.maxReplicas=0", "/handler/maxReplicas", "minimum"),
    ("handlers.notifier.minReplicas=-1", "/handlers/notifier/minReplicas", "minimum"),
    ("api.resources.limits.memory=512", "/api/resources/limits/memory", "want string"),
    ("api.resources.limits.memory=512MB", "/api/resources/limits/memory", "does not match pattern"),
    ("sidelet.resources.requests.cpu=1 core", "/sidelet/resources/requests/cpu", "does not match pattern"),
    ("scaling.trigger=cron", "/scaling/trigger", "must be one of 'push', 'kafka', 'both', 'none'"),
    ("scaling.lag=0", "/scaling/lag", "minimum"),
    ("sidelet.scalerPort=80", "/sidelet/scalerPort", "minimum"),
    ("sidelet.logLevel=verbose", "/sidelet/logLevel", "must be one of"),
    ("sidelet.storage.size=large", "/sidelet/storage/size", "does not match pattern"),
    ("kafka.brokers=kafka", "/kafka/brokers", "does not match pattern"),
    ("kafka.sasl=SCRAM", "/kafka/sasl", "must be one of 'none', 'PLAIN', 'SHA-256', 'SHA-512'"),
    ("postgres.secret=", "/postgres/secret", "does not match pattern"),
    ("mail.host=smtp://mail.example.com", "/mail/host", "does not match pattern"),
    ("mail.port=0", "/mail/port", "minimum"),
    ("mail.from=todo", "/mail/from", "does not match pattern"),
    ("mail.secret=", "/mail/secret", "does not match pattern"),
    ("ingress.host=https://todo.example.com", "/ingress/host", "does not match pattern"),
    ("networkPolicy.enabled=maybe", "/networkPolicy/enabled", "want boolean"),
    ("networkPolicy.privateNets={anywhere}", "/networkPolicy/privateNets/0", "does not match pattern"),
    // What does not go together.
    ("sidelet.replicas=2", "/sidelet/replicas", "value must be 1"),
    ("broker=strimzi,sidelet.replicas=2", "/sidelet/replicas", "value must be 1"),
    ("sidecar=dapr,scaling.trigger=none", "/sidecar", "value must be 'sidelet'"),
    ("scaling.trigger=kafka", "/scaling/trigger", "must be one of 'push', 'none'"),
    ("sidecar=dapr,broker=strimzi,database=external", "/scaling/trigger", "must be one of 'kafka', 'none'"),
    ("broker=external", "/kafka/brokers", "minLength"),
    ("mail.host=mail.example.com", "/mail/from", "minLength"),
    ("kafka.sasl=PLAIN,kafka.tls=false", "/kafka/tls", "value must be true"),
];

/// Tries each, and gives how many there are.
pub(super) fn check(helm: &Path) -> Result<usize> {
    for (values, place, reason) in WRONG {
        let case = Case { profile: "", values: (*values).to_owned() };
        let Err(error) = run(helm, &["template", "todo", CHART], &case) else {
            bail!("the values `{values}` were taken");
        };
        let told = error.to_string();
        let named = told.lines().any(|line| line.contains(&format!("at '{place}'")) && line.contains(reason));
        ensure!(named, "of the values `{values}` Helm says nothing of `{place}` with \"{reason}\": {told}");
    }
    Ok(WRONG.len())
}
