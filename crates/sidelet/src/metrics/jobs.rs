//! Jobs and input bindings.

use std::time::Instant;

use prometheus::{HistogramVec, IntCounterVec};

use super::{Definitions, Measured, truth};

/// Dapr's name for bringing a job to its app.
const OPERATION: &str = "job_trigger_op";

/// Calls of apps with jobs and ticks.
#[derive(Debug)]
pub(crate) struct Jobs {
    success: IntCounterVec,
    failure: IntCounterVec,
    latency: HistogramVec,
    ticks: Measured,
    late: IntCounterVec,
}

impl Jobs {
    pub(super) fn new(define: &Definitions<'_>) -> Self {
        let operation = ["operation"];
        Self {
            success: define.counters("dapr_component_job_success_count", "Jobs that an app took", &operation),
            failure: define.counters("dapr_component_job_failure_count", "Jobs that an app failed on", &operation),
            latency: define.latencies("dapr_component_job_latencies", &operation),
            ticks: define.measured("dapr_component_input_binding", "Ticks brought to apps", &["component", "success"]),
            late: define.counters("sidelet_jobs_late_total", "Jobs and ticks that came more than a second late", &[]),
        }
    }

    /// An app was called with a job, and took it or failed.
    pub(crate) fn fired(&self, success: bool, start: Instant) {
        let count = if success { &self.success } else { &self.failure };
        count.with_label_values(&[OPERATION]).inc();
        self.latency.with_label_values(&[OPERATION]).observe(start.elapsed().as_secs_f64() * 1000.0);
    }

    /// An app was called with a tick of a binding, and took it or failed.
    pub(crate) fn ticked(&self, binding: &str, success: bool, start: Instant) {
        self.ticks.note(&[binding, truth(success)], start.elapsed());
    }

    /// A job or a tick was due more than a second before the app was called.
    pub(crate) fn late(&self) {
        self.late.with_label_values(&[] as &[&str]).inc();
    }
}
