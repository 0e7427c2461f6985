//! Globs of relative paths: `*` and `?` within a name, `**` for any folders.

use std::path::{Path, PathBuf};

/// Deepest folder that a glob looks into.
const MAX_DEPTH: usize = 32;
/// Takes any number of folders, none included.
const ANY_FOLDERS: &str = "**";

/// A parsed glob.
#[derive(Debug)]
pub(super) struct Glob {
    segments: Vec<String>,
}

impl Glob {
    /// Parses a glob; `None` if it is empty, absolute or has `..`.
    pub(super) fn parse(pattern: &str) -> Option<Self> {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        let mut segments: Vec<String> = pattern.split('/').map(str::to_owned).collect();
        // At the end it takes every file below, as `**/*` does.
        if segments.last().is_some_and(|segment| segment == ANY_FOLDERS) {
            segments.push("*".to_owned());
        }
        let fits = segments.iter().all(|segment| !segment.is_empty() && segment != "." && segment != "..");
        fits.then_some(Self { segments })
    }

    /// Matches every file.
    pub(super) fn all() -> Self {
        Self { segments: vec![ANY_FOLDERS.to_owned(), "*".to_owned()] }
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
    let is_one = |segment: &String, name: &String| name_matches(segment.as_bytes(), name.as_bytes());
    sequence_matches(pattern, names, |segment| segment == ANY_FOLDERS, is_one)
}

/// Matches one name.
fn name_matches(pattern: &[u8], name: &[u8]) -> bool {
    sequence_matches(pattern, name, |sign| *sign == b'*', |sign, byte| *sign == b'?' || sign == byte)
}

/// Matches a sequence with a pattern in which `is_any` takes any number of items and the others take one each.
///
/// Goes back only to the last of the former, so that no pattern is exponential.
fn sequence_matches<T>(
    pattern: &[T],
    items: &[T],
    is_any: impl Fn(&T) -> bool,
    is_one: impl Fn(&T, &T) -> bool,
) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut any: Option<(usize, usize)> = None;
    while position < items.len() {
        match pattern.get(at) {
            Some(sign) if is_any(sign) => {
                any = Some((at, position));
                at += 1;
            }
            Some(sign) if is_one(sign, &items[position]) => {
                at += 1;
                position += 1;
            }
            _ => match any {
                Some((any_at, taken)) => {
                    any = Some((any_at, taken + 1));
                    at = any_at + 1;
                    position = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(is_any)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fuzzing::{computed, config, damaged};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

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
            ("web/**/**", "web", false),
            ("**/a/**/b", "x/a/y/a/z/b", true),
            ("**/a/**/b", "x/b/y/a", false),
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

    /// What a glob means, said as plainly as can be; exponential in the number of `**`.
    fn plainly(pattern: &[&str], names: &[&str]) -> bool {
        match (pattern.split_first(), names.split_first()) {
            (None, _) => names.is_empty(),
            (Some((&"**", [])), _) => !names.is_empty(),
            (Some((&"**", rest)), _) => (0..=names.len()).any(|skipped| plainly(rest, &names[skipped..])),
            (Some((segment, rest)), Some((name, names))) => {
                name_matches(segment.as_bytes(), name.as_bytes()) && plainly(rest, names)
            }
            (Some(_), None) => false,
        }
    }

    proptest! {
        #![proptest_config(config(3_000))]

        #[test]
        fn globs_match_what_they_say(
            pattern in vec(select(vec!["**", "*", "a", "b", "a*", "?b"]), 1..6),
            names in vec(select(vec!["a", "b", "ab", "bb"]), 0..7),
        ) {
            let glob = Glob::parse(&pattern.join("/")).unwrap();
            let path: PathBuf = names.iter().collect();
            prop_assert_eq!(glob.matches(&path), plainly(&pattern, &names));
        }

        #[test]
        fn any_text_is_a_glob_or_refused(text in damaged(Just("web/**/*.html".to_owned()), &["**", "/", "../", "?"]), path in "[a-c./]{0,20}") {
            if let Some(glob) = Glob::parse(&text) {
                let _ = glob.matches(Path::new(&path));
            }
        }
    }

    #[test]
    fn no_glob_takes_long() {
        let names: PathBuf = std::iter::repeat_n("a", MAX_DEPTH).collect();
        for pattern in
            [format!("{}b", "**/".repeat(300)), format!("{}b", "**/a/".repeat(16)), format!("{}b", "*a".repeat(2_000))]
        {
            let glob = Glob::parse(&pattern).unwrap();
            let (matched, time) = computed(|| glob.matches(&names) || glob.matches(Path::new(&"a".repeat(255))));
            assert!(!matched && time < Duration::from_secs(1), "{time:?} for {pattern}");
        }
    }
}
