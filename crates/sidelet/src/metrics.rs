//! What is measured, under Dapr's names for Prometheus.
//!
//! No label has a value that a caller may choose without bound: components are those of the files, paths are those of the
//! configuration, and of topics only the first few have names of their own.

mod jobs;
mod paths;
mod process;
mod queries;

use std::{
    collections::BTreeSet,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::resources::MetricsSettings;

use paths::Paths;

pub(crate) use jobs::Jobs;
pub(crate) use queries::Queries;

/// Dapr's bounds of the latencies' buckets, in milliseconds.
const LATENCIES: [f64; 34] = [
    1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0, 25.0, 30.0, 40.0, 50.0, 65.0, 80.0, 100.0, 130.0, 160.0,
    200.0, 250.0, 300.0, 400.0, 500.0, 650.0, 800.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, 20_000.0, 50_000.0,
    100_000.0,
];
/// Dapr's bounds of the sizes' buckets, in bytes.
const SIZES: [f64; 13] = [
    1_024.0,
    2_048.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
    1_073_741_824.0,
    4_294_967_296.0,
];
/// Topics with a label of their own, at most. Each is some 70 lines of what is served.
const TOPICS: usize = 100;

/// Everything that is measured.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    paths: Paths,
    topics: RwLock<BTreeSet<String>>,
    requests: Measured,
    request_bytes: Histogram,
    response_bytes: Histogram,
    state: Measured,
    secrets: Measured,
    egress: Measured,
    bulk_egress: Measured,
    bulk_egress_events: IntCounterVec,
    ingress: Measured,
    ignored: IntCounterVec,
    jobs: Jobs,
    queries: Queries,
    streams: IntGaugeVec,
    output_bindings: Measured,
}

/// A request of the API that was answered.
#[derive(Debug)]
pub(crate) struct Request<'call> {
    /// Dapr's name of the call.
    pub(crate) name: &'call str,
    /// The request's method.
    pub(crate) verb: &'call str,
    /// The request's path.
    pub(crate) path: &'call str,
    /// The status of the answer.
    pub(crate) status: u16,
    /// Length of the body that came, where it is known.
    pub(crate) received: Option<u64>,
    /// Length of the body that went, where it is known.
    pub(crate) sent: Option<u64>,
    /// How long it took.
    pub(crate) took: Duration,
}

/// How often, and how long.
#[derive(Debug)]
struct Measured {
    count: IntCounterVec,
    latency: HistogramVec,
}

impl Measured {
    fn note(&self, labels: &[&str], took: Duration) {
        self.count.with_label_values(labels).inc();
        self.latency.with_label_values(labels).observe(took.as_secs_f64() * 1000.0);
    }
}

impl Metrics {
    /// Metrics of the app `app_id`, with `components` loaded and the rest at zero.
    pub(crate) fn new<'name>(
        app_id: &str,
        settings: &MetricsSettings,
        components: impl Iterator<Item = &'name str>,
    ) -> Self {
        let buckets = settings.latency_distribution_buckets.clone().unwrap_or_else(|| LATENCIES.to_vec());
        let define = Definitions { registry: Registry::new(), app_id, buckets };
        let loaded = define.counters("dapr_runtime_component_loaded", "Components that were loaded", &[]);
        let begun = define.counters("dapr_runtime_component_init_total", "Components that were made", &["component"]);
        for component in components {
            loaded.with_label_values(&[] as &[&str]).inc();
            begun.with_label_values(&[component]).inc();
        }
        let operation = ["component", "operation", "success"];
        let published = ["component", "success", "topic"];
        let http = |name| format!("dapr_http_server_{name}");
        Self {
            paths: Paths::new(settings),
            topics: RwLock::default(),
            requests: Measured {
                count: define.counters(&http("request_count"), "Requests of the API", &["method", "path", "status"]),
                latency: define.latencies(&http("latency"), &["method", "path", "status"]),
            },
            request_bytes: define.sizes(&http("request_bytes"), "Lengths of the bodies of requests"),
            response_bytes: define.sizes(&http("response_bytes"), "Lengths of the bodies of answers"),
            state: define.measured("dapr_component_state", "Operations on state stores", &operation),
            secrets: define.measured("dapr_component_secret", "Operations on secret stores", &operation),
            egress: define.measured("dapr_component_pubsub_egress", "Messages published", &published),
            bulk_egress: define.measured("dapr_component_pubsub_egress_bulk", "Calls that publish in bulk", &published),
            bulk_egress_events: define.counters(
                "dapr_component_pubsub_egress_bulk_event_count",
                "Messages published in bulk",
                &published,
            ),
            ingress: define.measured(
                "dapr_component_pubsub_ingress",
                "Messages brought to apps",
                &["component", "process_status", "status", "topic"],
            ),
            ignored: define.counters(
                "sidelet_pubsub_ignored_count",
                "Messages that an app acknowledged without knowing their kind",
                &["component", "topic"],
            ),
            jobs: Jobs::new(&define),
            queries: Queries::new(&define),
            streams: define.gauges("sidelet_streams_open", "Streams of topics that are open", &["component"]),
            output_bindings: define.measured(
                "dapr_component_output_binding",
                "Operations of output bindings",
                &operation,
            ),
            registry: define.registry,
        }
    }

    /// A request of the API was answered.
    pub(crate) fn request(&self, request: &Request<'_>) {
        let (method, path) = self.paths.labels(request);
        self.requests.note(&[method, path, &request.status.to_string()], request.took);
        #[expect(clippy::cast_precision_loss, reason = "a length in a bucket need not be exact")]
        let observe =
            |sizes: &Histogram, length: Option<u64>| length.iter().for_each(|length| sizes.observe(*length as f64));
        observe(&self.request_bytes, request.received);
        observe(&self.response_bytes, request.sent);
    }

    /// An operation on a state store has ended.
    pub(crate) fn state(&self, store: &str, operation: &str, success: bool, start: Instant) {
        self.state.note(&[store, operation, truth(success)], start.elapsed());
    }

    /// An operation on a secret store has ended.
    pub(crate) fn secret(&self, store: &str, operation: &str, success: bool, start: Instant) {
        self.secrets.note(&[store, operation, truth(success)], start.elapsed());
    }

    /// A message was published, or was not.
    pub(crate) fn published(&self, pubsub: &str, topic: &str, success: bool, start: Instant) {
        self.egress.note(&[pubsub, truth(success), self.topic(topic)], start.elapsed());
    }

    /// `count` messages were published by one call, or none were.
    pub(crate) fn published_in_bulk(&self, pubsub: &str, topic: &str, success: bool, count: usize, start: Instant) {
        let topic = self.topic(topic);
        self.bulk_egress.note(&[pubsub, truth(success), topic], start.elapsed());
        if success {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            self.bulk_egress_events.with_label_values(&[pubsub, "true", topic]).inc_by(count);
        }
    }

    /// An app has judged a message: `success`, `retry` or `drop`.
    pub(crate) fn delivered(&self, pubsub: &str, topic: &str, verdict: &str, start: Instant) {
        self.ingress.note(&[pubsub, verdict, verdict, self.topic(topic)], start.elapsed());
    }

    /// An app has acknowledged a message of a kind that it does not know.
    pub(crate) fn ignored(&self, pubsub: &str, topic: &str) {
        self.ignored.with_label_values(&[pubsub, self.topic(topic)]).inc();
    }

    /// What is measured of jobs and of input bindings.
    pub(crate) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// What counts the questions to databases.
    pub(crate) fn queries(&self) -> Queries {
        self.queries.clone()
    }

    /// An operation of an output binding has ended. One that the binding does not know has no name here.
    pub(crate) fn output_binding(&self, name: &str, operation: &str, success: bool, start: Instant) {
        self.output_bindings.note(&[name, operation, truth(success)], start.elapsed());
    }

    /// The open streams of a pub/sub component.
    pub(crate) fn streams(&self, pubsub: &str) -> IntGauge {
        self.streams.with_label_values(&[pubsub])
    }

    /// The name of a topic, or nothing once there are too many.
    fn topic<'name>(&self, name: &'name str) -> &'name str {
        if self.topics.read().unwrap_or_else(PoisonError::into_inner).contains(name) {
            return name;
        }
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        if topics.len() >= TOPICS && !topics.contains(name) {
            return "";
        }
        topics.insert(name.to_owned());
        name
    }

    /// All of it in Prometheus' text format.
    pub(crate) fn text(&self) -> String {
        let ours = TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default();
        ours + &process::text()
    }
}

fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Makes metrics and registers them.
struct Definitions<'app> {
    registry: Registry,
    app_id: &'app str,
    buckets: Vec<f64>,
}

impl Definitions<'_> {
    /// `<name>_count` and `<name>_latencies`.
    fn measured(&self, name: &str, help: &str, labels: &[&str]) -> Measured {
        let count = self.counters(&format!("{name}_count"), help, labels);
        Measured { count, latency: self.latencies(&format!("{name}_latencies"), labels) }
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        let counters = IntCounterVec::new(Opts::new(name, help).const_label("app_id", self.app_id), labels);
        let counters = counters.expect("names and labels are valid");
        self.register(counters.clone());
        counters
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        let gauges = IntGaugeVec::new(Opts::new(name, help).const_label("app_id", self.app_id), labels);
        let gauges = gauges.expect("names and labels are valid");
        self.register(gauges.clone());
        gauges
    }

    fn latencies(&self, name: &str, labels: &[&str]) -> HistogramVec {
        let options = HistogramOpts::new(name, "How long it took, in milliseconds").const_label("app_id", self.app_id);
        let latencies = HistogramVec::new(options.buckets(self.buckets.clone()), labels);
        let latencies = latencies.expect("names and labels are valid");
        self.register(latencies.clone());
        latencies
    }

    fn sizes(&self, name: &str, help: &str) -> Histogram {
        let options = HistogramOpts::new(name, help).const_label("app_id", self.app_id).buckets(SIZES.to_vec());
        let sizes = Histogram::with_opts(options).expect("names and labels are valid");
        self.register(sizes.clone());
        sizes
    }

    fn register(&self, metric: impl prometheus::core::Collector + 'static) {
        self.registry.register(Box::new(metric)).expect("every metric has a name of its own");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_beyond_a_number_are_counted_without_a_name() {
        let metrics = Metrics::new("todo", &MetricsSettings::default(), ["pubsub"].into_iter());
        for number in 0..TOPICS + 50 {
            metrics.published("pubsub", &format!("t{number}"), true, Instant::now());
        }
        let text = metrics.text();
        let counts = text.lines().filter(|line| line.starts_with("dapr_component_pubsub_egress_count{"));
        assert_eq!(counts.count(), TOPICS + 1);
        let rest = r#"dapr_component_pubsub_egress_count{app_id="todo",component="pubsub",success="true",topic=""} 50"#;
        assert!(text.lines().any(|line| line == rest), "{text}");
        assert!(text.contains(r#"dapr_runtime_component_init_total{app_id="todo",component="pubsub"} 1"#), "{text}");
    }
}
