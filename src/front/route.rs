//! Which endpoint a path belongs to.

use std::collections::HashMap;

/// The endpoints' paths.
pub(super) struct Routes {
    by_path: HashMap<String, u32>,
}

impl Routes {
    /// The endpoints' paths in the order of their numbers. Of two that are the same the first one counts.
    pub(super) fn new(paths: impl IntoIterator<Item = String>) -> Self {
        let mut by_path = HashMap::new();
        for (path, number) in paths.into_iter().zip(0..) {
            by_path.entry(path).or_insert(number);
        }
        Self { by_path }
    }

    /// The number of the endpoint with exactly this path. Nothing is decoded or normalised: `/%63hat` is not
    /// `/chat`, so that no two spellings of a path pass a check that was meant for one.
    pub(super) fn endpoint(&self, path: &str) -> Option<u32> {
        self.by_path.get(path).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        Routes::new(["/", "/chat", "/echo", "/chat"].map(String::from))
    }

    #[test]
    fn a_path_is_found_by_its_endpoints_number() {
        assert_eq!(routes().endpoint("/"), Some(0));
        assert_eq!(routes().endpoint("/echo"), Some(2));
    }

    #[test]
    fn the_first_of_two_equal_paths_counts() {
        assert_eq!(routes().endpoint("/chat"), Some(1));
    }

    #[test]
    fn only_the_exact_path_matches() {
        for path in ["/chat/", "/Chat", "/%63hat", "//chat", "/chat/x", "/cha", "", "*"] {
            assert_eq!(routes().endpoint(path), None, "{path}");
        }
    }
}
