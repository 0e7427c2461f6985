//! How many files, connections among them, the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The share of the limit that is left for everything but clients' connections: files, the requests that components
/// make, and whatever else the process does.
const RESERVED_PART: u64 = 4;

/// Raises the limit on open files to the most that the system lets this process have.
///
/// For a program's start. Where it cannot be raised it stays as it is.
pub fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_err() {
        tracing::debug!("the limit on open files could not be raised");
    }
}

/// How many of the connections that are wanted fit the limit on open files; fewer are told in the log.
pub(crate) fn connections_within(wanted: usize) -> usize {
    let Some(limit) = getrlimit(Resource::Nofile).current else { return wanted };
    let fitting = usize::try_from(limit - limit / RESERVED_PART).unwrap_or(usize::MAX).max(1);
    if fitting < wanted {
        tracing::warn!(
            connections.wanted = wanted,
            connections.possible = fitting,
            open_files.limit = limit,
            "the limit on open files allows fewer connections: raise it, such as with `ulimit -n`"
        );
    }
    wanted.min(fitting)
}
