//! Which endpoint a path belongs to.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::config::{Pattern, Segment};

use super::path;

/// The endpoints' paths.
pub(super) struct Routes {
    exact: HashMap<String, u32>,
    /// In the order in which they are tried.
    patterns: Vec<(Pattern, u32)>,
}

/// An endpoint, and what its path's parameters stand for: names and decoded values; of the rest behind a prefix,
/// named `*`, the value as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) endpoint: u32,
    pub(super) parameters: Vec<(String, String)>,
}

impl Routes {
    /// The endpoints' paths in the order of their numbers.
    pub(super) fn new(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        let (mut exact, mut others) = (HashMap::new(), Vec::new());
        for (pattern, number) in patterns.into_iter().zip(0..) {
            if pattern.is_exact() {
                exact.insert(text(&pattern), number);
            } else {
                others.push((pattern, number));
            }
        }
        others.sort_by_cached_key(|(pattern, _)| precedence(pattern));
        Self { exact, patterns: others }
    }

    /// The endpoint that this path belongs to. What a pattern names literally is compared as it was sent,
    /// without decoding: `/%63hat` is not `/chat`, so that no two spellings of a path pass a check that was
    /// meant for one.
    pub(super) fn find(&self, path: &str) -> Option<Route> {
        match self.exact.get(path) {
            Some(endpoint) => Some(Route { endpoint: *endpoint, parameters: Vec::new() }),
            None => self.patterns.iter().find_map(|(pattern, endpoint)| {
                Some(Route { endpoint: *endpoint, parameters: parameters(pattern, path)? })
            }),
        }
    }
}

fn text(pattern: &Pattern) -> String {
    let literal = |segment: &Segment| match segment {
        Segment::Literal(text) | Segment::Parameter(text) => format!("/{text}"),
    };
    pattern.segments.iter().map(literal).collect()
}

/// Whole paths before prefixes, long prefixes before short ones, and names before parameters, from the left.
fn precedence(pattern: &Pattern) -> (bool, Reverse<usize>, Vec<bool>) {
    let is_parameter = |segment: &Segment| matches!(segment, Segment::Parameter(_));
    (pattern.rest, Reverse(pattern.segments.len()), pattern.segments.iter().map(is_parameter).collect())
}

/// What the pattern's parameters stand for in this path; `None` if it does not match.
fn parameters(pattern: &Pattern, path: &str) -> Option<Vec<(String, String)>> {
    let mut rest = path;
    let mut found = Vec::new();
    for segment in &pattern.segments {
        rest = rest.strip_prefix('/')?;
        let (name, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        match segment {
            Segment::Literal(literal) if literal == name => {}
            Segment::Parameter(parameter) if !name.is_empty() => {
                found.push((parameter.clone(), path::decoded(name)?));
            }
            _ => return None,
        }
        rest = after;
    }
    if pattern.rest {
        found.push(("*".to_owned(), rest.strip_prefix('/')?.to_owned()));
        return Some(found);
    }
    rest.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(paths: &[&str]) -> Routes {
        Routes::new(paths.iter().map(|path| Pattern::parse(path).unwrap()))
    }

    #[test]
    fn only_the_exact_path_matches_a_path_without_parameters() {
        let routes = routes(&["/", "/chat", "/echo/"]);
        for (path, endpoint) in [("/", Some(0)), ("/chat", Some(1)), ("/echo/", Some(2))] {
            assert_eq!(routes.find(path).map(|route| route.endpoint), endpoint, "{path}");
        }
        for path in ["/chat/", "/Chat", "/%63hat", "//chat", "/chat/x", "/cha", "/echo", "//", "", "*"] {
            assert_eq!(routes.find(path), None, "{path}");
        }
    }

    #[test]
    fn parameters_stand_for_one_name_each_and_are_decoded() {
        let routes = routes(&["/rooms/:room/users/:user"]);
        let route = routes.find("/rooms/caf%C3%A9/users/a%2Fb").unwrap();
        let expected = [("room", "caf\u{e9}"), ("user", "a/b")];
        assert_eq!(route.parameters, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for path in [
            "/rooms//users/x",
            "/rooms/a/users/",
            "/rooms/a/users/b/",
            "/rooms/a/b/users/c",
            "/rooms/%ff/users/x",
            "/rooms/%4/users/x",
            "/Rooms/a/users/b",
        ] {
            assert_eq!(routes.find(path), None, "{path}");
        }
    }

    #[test]
    fn a_prefix_takes_all_below_it_and_tells_the_rest_as_it_was_sent() {
        let routes = routes(&["/files/*", "/users/:user/*"]);
        for (path, parameters) in [
            ("/files/", vec![("*", "")]),
            ("/files/a//b%2Fc", vec![("*", "a//b%2Fc")]),
            ("/users/ada/x/y", vec![("user", "ada"), ("*", "x/y")]),
        ] {
            let found = routes.find(path).unwrap().parameters;
            let found: Vec<_> = found.iter().map(|(name, value)| (&name[..], &value[..])).collect();
            assert_eq!(found, parameters, "{path}");
        }
        for path in ["/files", "/filesystem/x", "/users/ada", "/users//x"] {
            assert_eq!(routes.find(path), None, "{path}");
        }
    }

    #[test]
    fn exact_goes_before_parameters_and_they_before_the_longest_prefix() {
        let paths =
            ["/*", "/a/*", "/a/:x/*", "/a/b/*", "/:x/:y", "/a/:y", "/:x/b", "/a/b", "/a/b/:z", "/a/:y/:z"];
        // Whatever the order in which they were added.
        for turn in 0..paths.len() {
            let mut paths = paths;
            paths.rotate_left(turn);
            let routes = routes(&paths);
            for (path, pattern) in [
                ("/a/b", "/a/b"),
                ("/a/c", "/a/:y"),
                ("/c/b", "/:x/b"),
                ("/c/d", "/:x/:y"),
                ("/a/b/c", "/a/b/:z"),
                ("/a/c/c", "/a/:y/:z"),
                ("/a/b/c/d", "/a/b/*"),
                ("/a/c/c/d", "/a/:x/*"),
                ("/a/", "/a/*"),
                ("/a", "/*"),
                ("/c/d/e", "/*"),
            ] {
                let found = routes.find(path).unwrap().endpoint;
                assert_eq!(paths[found as usize], pattern, "{path}");
            }
        }
    }
}
