//! What the process itself takes, under the names that Prometheus' own clients use.

use std::fmt::Write;

/// Clock ticks in a second: what Linux tells programs on every architecture that it still supports.
const TICKS: f64 = 100.0;

/// Lines in the text format; none where there is no `/proc`.
pub(super) fn text() -> String {
    let mut text = String::new();
    let mut line = |name: &str, kind: &str, help: &str, value: Option<f64>| {
        if let Some(value) = value {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        }
    };
    line("process_resident_memory_bytes", "gauge", "Memory of the process", resident());
    line("process_cpu_seconds_total", "counter", "Processor time of the process", processor());
    line("process_open_fds", "gauge", "Open files and connections of the process", open_files());
    text
}

fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().trim_end_matches(" kB");
    Some(kilobytes.parse::<f64>().ok()? * 1024.0)
}

fn processor() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may have spaces; it ends with the last parenthesis. Then come 11 fields before the two.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11).map(|field| field.parse::<f64>().ok());
    Some((fields.next()?? + fields.next()??) / TICKS)
}

fn open_files() -> Option<f64> {
    let count = u32::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count()).ok()?;
    Some(f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_tells_what_it_takes() {
        assert!(resident().is_some_and(|bytes| bytes > 1e6));
        assert!(processor().is_some_and(|seconds| (0.0..1e6).contains(&seconds)));
        assert!(open_files().is_some_and(|count| count >= 3.0));
        assert_eq!(text().lines().count(), 9);
    }
}
