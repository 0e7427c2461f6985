//! `Resiliency` documents: policies by name, and which targets they apply to.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::Value;

use super::document::{Document, Location};
use crate::{
    error::StartError,
    expression::Expression,
    resiliency::{COUNTS, Named, Policy, Resiliency, Retry, Trip, Waits},
};

/// Dapr's defaults of a retry policy and of a circuit breaker.
const WAIT: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(60);
const OPEN: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    #[serde(default)]
    policies: PoliciesText,
    #[serde(default)]
    targets: TargetsText,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PoliciesText {
    #[serde(default)]
    timeouts: BTreeMap<String, Value>,
    #[serde(default)]
    retries: BTreeMap<String, RetryText>,
    #[serde(default)]
    circuit_breakers: BTreeMap<String, BreakerText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RetryText {
    #[serde(default)]
    policy: Option<String>,
    #[serde(default)]
    duration: Option<Value>,
    #[serde(default)]
    max_interval: Option<Value>,
    #[serde(default)]
    max_retries: Option<Value>,
    #[serde(default)]
    matching: Option<MatchingText>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MatchingText {
    #[serde(default, rename = "httpStatusCodes")]
    http: Option<Value>,
    /// For calls over gRPC, of which there are none.
    #[serde(default, rename = "gRPCStatusCodes")]
    _grpc: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BreakerText {
    #[serde(default)]
    max_requests: Option<u32>,
    #[serde(default)]
    interval: Option<Value>,
    #[serde(default)]
    timeout: Option<Value>,
    #[serde(default)]
    trip: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetsText {
    #[serde(default)]
    apps: BTreeMap<String, NamesText>,
    #[serde(default)]
    components: BTreeMap<String, DirectionsText>,
    /// Dapr's third kind of target, which is not served.
    #[serde(default)]
    actors: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DirectionsText {
    #[serde(default)]
    inbound: Option<NamesText>,
    #[serde(default)]
    outbound: Option<NamesText>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NamesText {
    #[serde(default)]
    timeout: Option<String>,
    #[serde(default)]
    retry: Option<String>,
    #[serde(default)]
    circuit_breaker: Option<String>,
    /// Dapr keeps a breaker for each endpoint of an app; here an app has one.
    #[serde(default, rename = "circuitBreakerCacheSize")]
    _cache: Option<Value>,
}

/// A document whose policies are known and whose targets are not looked up.
#[derive(Debug)]
pub(super) struct Draft {
    location: Location,
    name: String,
    named: Named,
    targets: TargetsText,
}

impl std::fmt::Debug for TargetsText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TargetsText").finish_non_exhaustive()
    }
}

impl Draft {
    pub(super) fn read(mut document: Document) -> Result<Self, StartError> {
        let spec: Spec = document.spec()?;
        let refuse = |reason: String| document.location.refuse(format!("resiliency `{}`: {reason}", document.name));
        if spec.targets.actors.is_some() {
            let resiliency = &document.name;
            tracing::warn!(resiliency, target = "actors", "a target of a resiliency document has no effect here");
        }
        let named = policies(spec.policies).map_err(refuse)?;
        Ok(Self { named, targets: spec.targets, name: document.name, location: document.location })
    }
}

/// Puts all documents together. A target finds policies of its own document first, then those of others, as in Dapr.
pub(super) fn join(drafts: Vec<Draft>) -> Result<Resiliency, StartError> {
    let mut all = Resiliency::default();
    for draft in &drafts {
        all.named.timeouts.extend(draft.named.timeouts.clone());
        all.named.retries.extend(draft.named.retries.clone());
        all.named.breakers.extend(draft.named.breakers.clone());
    }
    for Draft { location, name, named, targets } in drafts {
        let refuse = |reason: String| location.refuse(format!("resiliency `{name}`: {reason}"));
        let find = |target: &str, names: NamesText| look_up(names, target, &named, &all.named).map_err(refuse);
        for (app, names) in targets.apps {
            let policy = find(&format!("apps.{app}"), names)?;
            if all.apps.insert(app.clone(), policy).is_some() {
                return Err(refuse(format!("the target `apps.{app}` is in a document before; expected it once")));
            }
        }
        for (component, directions) in targets.components {
            let find = |direction: &str, names: Option<NamesText>| {
                find(&format!("components.{component}.{direction}"), names.unwrap_or_default())
            };
            let (inbound, outbound) = (find("inbound", directions.inbound)?, find("outbound", directions.outbound)?);
            all.outbound.insert(component.clone(), outbound);
            if all.inbound.insert(component.clone(), inbound).is_some() {
                let message = "is in a document before; expected it once";
                return Err(refuse(format!("the target `components.{component}` {message}")));
            }
        }
    }
    Ok(all)
}

fn look_up(names: NamesText, target: &str, own: &Named, all: &Named) -> Result<Policy, String> {
    fn find<T: Clone>(name: Option<String>, maps: [&BTreeMap<String, T>; 2], key: String) -> Result<Option<T>, String> {
        let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(None) };
        let found = maps.iter().find_map(|map| map.get(&name)).cloned();
        found
            .map(Some)
            .ok_or_else(|| format!("`targets.{key}` is `{name}`, which no policy is; expected the name of one"))
    }
    Ok(Policy {
        timeout: find(names.timeout, [&own.timeouts, &all.timeouts], format!("{target}.timeout"))?,
        retry: find(names.retry, [&own.retries, &all.retries], format!("{target}.retry"))?,
        breaker: find(names.circuit_breaker, [&own.breakers, &all.breakers], format!("{target}.circuitBreaker"))?,
    })
}

fn policies(text: PoliciesText) -> Result<Named, String> {
    let mut named = Named::default();
    for (name, value) in text.timeouts {
        let timeout = duration(&format!("timeouts.{name}"), Some(value), Duration::ZERO)?;
        if timeout.is_zero() {
            return Err(format!("`policies.timeouts.{name}` is nothing; expected a duration such as `5s`"));
        }
        named.timeouts.insert(name, timeout);
    }
    for (name, text) in text.retries {
        let retry = retry(&format!("retries.{name}"), text)?;
        named.retries.insert(name, retry);
    }
    for (name, text) in text.circuit_breakers {
        let breaker = breaker(&format!("circuitBreakers.{name}"), text)?;
        named.breakers.insert(name, breaker);
    }
    Ok(named)
}

fn retry(key: &str, text: RetryText) -> Result<Retry, String> {
    let waits = match text.policy.as_deref().unwrap_or("constant").to_ascii_lowercase().as_str() {
        "constant" => Waits::Constant(duration(&format!("{key}.duration"), text.duration, WAIT)?),
        "exponential" => Waits::Exponential(duration(&format!("{key}.maxInterval"), text.max_interval, LONGEST)?),
        other => return Err(format!("`policies.{key}.policy` is `{other}`; expected `constant` or `exponential`")),
    };
    let most = text.max_retries.map_or(Some(-1), |value| plain(&value).parse::<i64>().ok());
    let most = most
        .filter(|most| (-1..=i64::from(u32::MAX)).contains(most))
        .ok_or_else(|| format!("`policies.{key}.maxRetries` is no number; expected one from 0 on, or -1 for no end"))?;
    let statuses = text.matching.and_then(|matching| matching.http).map(|value| plain(&value)).unwrap_or_default();
    let statuses = statuses.split(',').map(str::trim).filter(|part| !part.is_empty()).map(range);
    let statuses = statuses.collect::<Option<Vec<_>>>().ok_or_else(|| {
        format!("`policies.{key}.matching.httpStatusCodes` is no list of statuses; expected one such as `429,500-599`")
    })?;
    Ok(Retry { waits, most: u32::try_from(most).ok(), statuses })
}

/// `500` or `500-599`.
fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (100 <= first && first <= last && last <= 599).then_some((first, last))
}

fn breaker(key: &str, text: BreakerText) -> Result<Trip, String> {
    let trip = text.trip.filter(|trip| !trip.trim().is_empty());
    let trip = trip.map(|trip| Expression::compile(trip.trim(), &COUNTS)).transpose();
    Ok(Trip {
        max_requests: text.max_requests.unwrap_or(1).max(1),
        interval: duration(&format!("{key}.interval"), text.interval, Duration::ZERO)?,
        timeout: duration(&format!("{key}.timeout"), text.timeout, OPEN)?,
        trip: trip.map_err(|reason| format!("`policies.{key}.trip`: {reason}"))?.map(Arc::new),
    })
}

fn duration(key: &str, value: Option<Value>, default: Duration) -> Result<Duration, String> {
    let Some(value) = value else { return Ok(default) };
    let text = plain(&value);
    go_duration(&text)
        .ok_or_else(|| format!("`policies.{key}` is `{text}`; expected a duration such as `5s`, `1m30s` or `200ms`"))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned())
}

/// `200ms`, `1.5s`, `1h30m` as Go reads durations; a bare number is milliseconds, as Dapr reads it. At most a year.
fn go_duration(text: &str) -> Option<Duration> {
    const YEAR: f64 = 365.0 * 86_400.0;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_millis).filter(|whole| whole.as_secs_f64() <= YEAR);
    }
    let (mut seconds, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let number = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (count, unit) = (rest[..number].parse::<f64>().ok()?, &rest[number..]);
        let letters = unit.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(unit.len());
        seconds += count
            * match &unit[..letters] {
                "ns" => 1e-9,
                "us" | "µs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = &unit[letters..];
    }
    (!text.is_empty() && seconds <= YEAR).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_dapr_reads_them() {
        for (text, milliseconds) in [("5s", 5000), ("1m30s", 90_000), ("1.5s", 1500), ("250", 250), ("0s", 0)] {
            assert_eq!(go_duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "5", "-5s", "5d", "1..5s", "99999h", "five"] {
            assert_eq!(go_duration(text).is_some(), text == "5", "{text}");
        }
    }

    #[test]
    fn statuses_are_single_or_ranges() {
        assert_eq!((range("429"), range("500-599")), (Some((429, 429)), Some((500, 599))));
        for text in ["99", "600", "500-400", "a", "1-2-3", ""] {
            assert_eq!(range(text), None, "{text}");
        }
    }
}
