//! The environment variables that are read.

/// Secret that every call of the API must bring as `dapr-api-token`. Any visible text. Empty or unset: none is asked for.
pub const API_TOKEN: &str = "DAPR_API_TOKEN";

/// Secret that is sent with every call into an app. Any visible text. Empty or unset: none is sent.
pub const APP_TOKEN: &str = "APP_API_TOKEN";

/// Port of the API when `--dapr-http-port` is not given. A number up to 65535. Empty or unset: 3500.
pub const HTTP_PORT: &str = "DAPR_HTTP_PORT";

/// What is logged, in the form of `tracing`'s filters (`info,sidelet=debug`), in place of `--log-level`.
/// Empty or unset: what the flag says.
pub const LOG: &str = "SIDELET_LOG";
