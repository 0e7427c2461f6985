//! Names of environment variables.

/// `true` or `false`: whether components may call private addresses that only an entry for every host allows; the flag
/// `--allow-private-networks`. Absent: `false`. Empty is refused, as no truth.
pub const ALLOW_PRIVATE_NETWORKS: &str = "DEVHOST_ALLOW_PRIVATE_NETWORKS";
