//! Globs of relative paths: `*` and `?` within a name, `**` for any folders.

use std::path::{Path, PathBuf};

/// Deepest folder that a glob looks into.
const MAX_DEPTH: usize = 32;

/// A parsed glob.
#[derive(Debug)]
pub(super) struct Glob {
    segments: Vec<String>,
}

impl Glob {
    /// Parses a glob; `None` if it is empty, absolute or has `..`.
    pub(super) fn parse(pattern: &str) -> Option<Self> {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        let segments: Vec<String> = pattern.split('/').map(str::to_owned).collect();
        let fits = segments.iter().all(|segment| !segment.is_empty() && segment != "." && segment != "..");
        fits.then_some(Self { segments })
    }

    /// Matches every file.
    pub(super) fn all() -> Self {
        Self { segments: vec!["**".to_owned(), "*".to_owned()] }
    }

    /// True if the whole relative path matches.
    pub(super) fn matches(&self, relative: &Path) -> bool {
        let names: Vec<String> =
            relative.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        path_matches(&self.segments, &names)
    }

    /// Adds the matching files below `root` with their relative paths.
    pub(super) fn find(&self, root: &Path, most: usize, found: &mut Vec<(PathBuf, PathBuf)>) -> Result<(), String> {
        // Folders before the first wildcard are entered, not searched.
        let fixed: PathBuf = self
            .segments
            .iter()
            .take(self.segments.len() - 1)
            .take_while(|segment| !segment.contains(['*', '?']))
            .collect();
        self.walk(root, &fixed, 0, most, found)
    }

    fn walk(
        &self,
        root: &Path,
        relative: &Path,
        depth: usize,
        most: usize,
        found: &mut Vec<(PathBuf, PathBuf)>,
    ) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("looks into more than {MAX_DEPTH} folders"));
        }
        let folder = root.join(relative);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(format!("could not be searched: {error}")),
        };
        for entry in entries {
            let entry = entry.map_err(|error| format!("could not be searched: {error}"))?;
            let relative = relative.join(entry.file_name());
            let path = entry.path();
            // Links to folders are not followed, so the walk ends.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.walk(root, &relative, depth + 1, most, found)?;
            } else if path.is_file() && self.matches(&relative) {
                if found.len() >= most {
                    return Err(format!("matches more than {most} files"));
                }
                found.push((path, relative));
            }
        }
        Ok(())
    }
}

fn path_matches(pattern: &[String], names: &[String]) -> bool {
    match pattern.split_first() {
        None => names.is_empty(),
        Some((segment, rest)) if segment == "**" => {
            // At the end it takes every file below, as `**/*` does.
            if rest.is_empty() {
                return !names.is_empty();
            }
            (0..=names.len()).any(|skipped| path_matches(rest, &names[skipped..]))
        }
        Some((segment, rest)) => names.split_first().is_some_and(|(name, names)| {
            name_matches(segment.as_bytes(), name.as_bytes()) && path_matches(rest, names)
        }),
    }
}

/// Matches one name, going back only to the last `*`, so that no pattern is exponential.
fn name_matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while position < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, position));
                at += 1;
            }
            Some(b'?') => {
                at += 1;
                position += 1;
            }
            Some(byte) if *byte == name[position] => {
                at += 1;
                position += 1;
            }
            _ => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    at = star_at + 1;
                    position = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_paths() {
        for (pattern, path, expected) in [
            ("a.txt", "a.txt", true),
            ("a.txt", "b/a.txt", false),
            ("*.txt", "a.txt", true),
            ("*.txt", "b/a.txt", false),
            ("**/*.txt", "a.txt", true),
            ("**/*.txt", "b/c/a.txt", true),
            ("web/**", "web/x/y", true),
            ("web/**", "web", false),
            ("web/*/y", "web/x/y", true),
            ("web/?/y", "web/xx/y", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
        ] {
            let glob = Glob::parse(pattern).unwrap();
            assert_eq!(glob.matches(Path::new(path)), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn globs_that_leave_the_folder_are_refused() {
        for pattern in ["", "/etc/*", "../x", "a/../b", "a//b"] {
            assert!(Glob::parse(pattern).is_none(), "{pattern}");
        }
    }
}
