//! Which component answers a path.
//!
//! Routes are Spin's: `/exact`, `/named/:segment`, and `/...` or `/*` at the end for any rest,
//! the empty one included. Segment by segment from the left, an exact one wins over a named one
//! and a named one over a wildcard; then the longer route wins. A slash at the end of a path or of
//! a route makes no difference.

/// Routes in the order in which they are tried.
#[derive(Debug)]
pub(crate) struct Router<T> {
    routes: Vec<(Pattern, T)>,
}

/// A parsed route.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    written: String,
    segments: Vec<Segment>,
    wildcard: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Exact(String),
    Named(String),
}

/// A path that a route took.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Match<'path> {
    /// What the named segments stood for.
    pub(crate) named: Vec<(&'path str, &'path str)>,
    /// What the wildcard stood for, with its leading slash; empty if nothing or no wildcard.
    pub(crate) path_info: &'path str,
}

impl<T> Router<T> {
    /// Orders the routes by how specific they are.
    pub(crate) fn new(mut routes: Vec<(Pattern, T)>) -> Self {
        routes.sort_by(|(one, _), (other, _)| one.rank().cmp(&other.rank()));
        Self { routes }
    }

    /// The most specific route that takes `path`.
    pub(crate) fn find<'a>(&'a self, path: &'a str) -> Option<(&'a Pattern, Match<'a>, &'a T)> {
        if !path.starts_with('/') {
            // `*` of OPTIONS and the authority of CONNECT are no paths.
            return None;
        }
        self.routes.iter().find_map(|(pattern, target)| {
            let found = pattern.matches(path)?;
            Some((pattern, found, target))
        })
    }
}

impl Pattern {
    /// Parses a route; `None` if a wildcard is not at the end or a segment has no name.
    pub(crate) fn parse(route: &str) -> Option<Self> {
        if route.contains(['?', '#']) || route.contains(char::is_whitespace) {
            return None;
        }
        let absolute = route.strip_prefix('/').unwrap_or(route);
        let absolute = absolute.strip_suffix('/').unwrap_or(absolute);
        let mut wildcard = false;
        let mut segments = Vec::new();
        let mut rest = absolute.split('/').peekable();
        while let Some(segment) = rest.next() {
            match segment {
                "..." | "*" if rest.peek().is_none() => wildcard = true,
                "" if absolute.is_empty() => {}
                "" => return None,
                other => segments.push(Segment::parse(other)?),
            }
        }
        Some(Self { written: route.to_owned(), segments, wildcard })
    }

    /// True if both take the same paths, whatever their segments are called.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.wildcard == other.wildcard
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(|pair| match pair {
                (Segment::Exact(one), Segment::Exact(other)) => one == other,
                (Segment::Named(_), Segment::Named(_)) => true,
                _ => false,
            })
    }

    /// The route as written in the manifest.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// The route as it is matched: absolute and without a slash at its end.
    pub(crate) fn based(&self) -> String {
        let trimmed = self.written.strip_suffix('/').unwrap_or(&self.written);
        if trimmed.starts_with('/') || trimmed.is_empty() { trimmed.to_owned() } else { format!("/{trimmed}") }
    }

    /// The route as written, without a wildcard `/...` at its end.
    pub(crate) fn prefix(&self) -> &str {
        self.written.strip_suffix("/...").unwrap_or(&self.written)
    }

    fn matches<'a>(&'a self, path: &'a str) -> Option<Match<'a>> {
        let mut rest = path;
        let mut named = Vec::new();
        for segment in &self.segments {
            let after = rest.strip_prefix('/')?;
            let end = after.find('/').unwrap_or(after.len());
            let (value, remainder) = after.split_at(end);
            match segment {
                Segment::Exact(text) if text != value => return None,
                Segment::Exact(_) => {}
                Segment::Named(_) if value.is_empty() => return None,
                Segment::Named(name) => named.push((name.as_str(), value)),
            }
            rest = remainder;
        }
        if !self.wildcard && !rest.is_empty() && rest != "/" {
            return None;
        }
        let path_info = if self.wildcard { rest } else { "" };
        Some(Match { named, path_info })
    }

    /// Sorts the most specific first.
    fn rank(&self) -> (Vec<u8>, std::cmp::Reverse<usize>, &[Segment]) {
        let mut kinds: Vec<u8> = self
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Exact(_) => 0,
                Segment::Named(_) => 1,
            })
            .collect();
        kinds.push(if self.wildcard { 2 } else { 0 });
        (kinds, std::cmp::Reverse(self.segments.len()), &self.segments)
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix(':') {
            let fits = !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
            return fits.then(|| Self::Named(name.to_owned()));
        }
        if text == "..." || text.contains('*') {
            return None;
        }
        Some(Self::Exact(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use fuzzing::{computed, config, damaged};
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn find(routes: &[&'static str], path: &str) -> Option<(&'static str, String)> {
        let routes = routes.iter().map(|route| (Pattern::parse(route).unwrap(), *route)).collect();
        Router::new(routes).find(path).map(|(_, found, route)| (*route, found.path_info.to_owned()))
    }

    #[test]
    fn most_specific_route_wins_whatever_the_order() {
        let mut routes = vec![
            "/...",
            "/api/...",
            "/api/tasks",
            "/api/tasks/:id",
            "/api/tasks/:id/...",
            "/api/tasks/new",
            "/api/:kind/new/...",
            "/",
        ];
        let table = [
            ("/", "/"),
            ("/other", "/..."),
            ("/api", "/api/..."),
            ("/api/x/y", "/api/..."),
            ("/api/tasks", "/api/tasks"),
            ("/api/tasks/", "/api/tasks"),
            ("/api/tasks/7", "/api/tasks/:id"),
            ("/api/tasks/new", "/api/tasks/new"),
            ("/api/tasks/7/history", "/api/tasks/:id/..."),
            ("/api/lists/new", "/api/:kind/new/..."),
        ];
        for _ in 0..routes.len() {
            for (path, expected) in table {
                assert_eq!(find(&routes, path).unwrap().0, expected, "{path}");
            }
            routes.rotate_left(1);
        }
    }

    #[test]
    fn wildcard_keeps_the_rest_with_its_slashes() {
        for (path, rest) in
            [("/api", ""), ("/api/", "/"), ("/api/a", "/a"), ("/api/a/b/", "/a/b/"), ("/api/a%2Fb", "/a%2Fb")]
        {
            assert_eq!(find(&["/api/..."], path).unwrap().1, rest, "{path}");
            assert_eq!(find(&["/api/*"], path).unwrap().1, rest, "{path}");
        }
        assert_eq!(find(&["/api/..."], "/apix"), None);
    }

    #[test]
    fn named_segments_are_captured_and_never_empty() {
        let pattern = Pattern::parse("/users/:id/tasks/:task").unwrap();
        let found = pattern.matches("/users/7/tasks/a%20b/").unwrap();
        assert_eq!(found.named, [("id", "7"), ("task", "a%20b")]);
        assert_eq!(pattern.matches("/users//tasks/1"), None);
        assert_eq!(pattern.matches("/users/7/tasks"), None);
    }

    #[test]
    fn malformed_routes_are_refused() {
        for route in ["/.../a", "/a*b", "/*/a", "/:", "/a//b", "/a?b=c", "/a b", "/:a:b"] {
            assert!(Pattern::parse(route).is_none(), "{route}");
        }
    }

    const ROUTES: [&str; 8] =
        ["/", "/...", "/api/tasks", "/api/tasks/:id", "/api/:kind/new/...", "/api/*", "api", "/a/:b-c_1/d"];
    const PIECES: [&str; 14] =
        ["/", "//", ":", ":id", "...", "*", "%2f", "%00", "..", ".", "\\", "api", "tasks", "/../"];

    proptest! {
        #![proptest_config(config(3_000))]

        #[test]
        fn a_path_is_matched_segment_by_segment_as_it_is_written(
            route in damaged(select(&ROUTES[..]).prop_map(str::to_owned), &PIECES),
            path in damaged(select(&ROUTES[..]).prop_map(str::to_owned), &PIECES),
        ) {
            let Some(pattern) = Pattern::parse(&route) else { return Ok(()) };
            prop_assert!(pattern.is_same_as(&Pattern::parse(&pattern.based()).unwrap_or_else(|| pattern.clone())));
            let Some(found) = pattern.matches(&path) else { return Ok(()) };
            // Nothing is decoded, joined or left out: what was taken is the path.
            let segments = pattern.segments.len();
            let taken: Vec<&str> = path.split('/').skip(1).take(segments).collect();
            let mut named = found.named.iter();
            for (segment, text) in pattern.segments.iter().zip(&taken) {
                match segment {
                    Segment::Exact(exact) => prop_assert_eq!(exact, text),
                    Segment::Named(name) => prop_assert_eq!(named.next(), Some(&(name.as_str(), *text))),
                }
            }
            prop_assert!(path.ends_with(found.path_info));
        }
    }

    #[test]
    fn long_paths_are_matched_quickly() {
        let routes = ROUTES.map(|route| (Pattern::parse(route).unwrap(), route));
        let router = Router::new(routes.to_vec());
        for path in ["/".repeat(64 << 10), "/api".repeat(16 << 10), format!("/{}", "a".repeat(64 << 10))] {
            let (_, time) = computed(|| router.find(&path).map(|(_, found, _)| found.path_info.len()));
            assert!(time < std::time::Duration::from_secs(1), "{time:?}");
        }
    }
}
