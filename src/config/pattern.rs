//! The path of an endpoint: exact, or with parameters, or everything below a prefix.

use crate::error::{Error, ErrorKind, Result};

/// `/chat`, `/rooms/:room`, `/files/*`: what stands between two slashes is taken literally, as any one name
/// (`:param`), or at the end as all that follows (`*`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) segments: Vec<Segment>,
    /// It ends in `/*`.
    pub(crate) rest: bool,
}

/// What stands between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(String),
    /// The parameter's name.
    Parameter(String),
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = |what: &str| Err(Error::new(ErrorKind::Config, format!("endpoint {text:?} {what}")));
        let Some(path) = text.strip_prefix('/').filter(|_| super::is_path(text)) else {
            return wrong("is not a path that begins with /");
        };
        let (path, rest) = match path.strip_suffix('*') {
            Some("") => return Ok(Self { segments: Vec::new(), rest: true }),
            Some(path) if path.ends_with('/') => (path.strip_suffix('/').unwrap_or(path), true),
            _ => (path, false),
        };
        let mut segments: Vec<Segment> = Vec::new();
        for segment in path.split('/') {
            let segment = match segment.strip_prefix(':') {
                Some(name) if !is_name(name) => {
                    return wrong("has a parameter whose name is not of letters, digits and _");
                }
                Some(name) => Segment::Parameter(name.to_owned()),
                None if segment == "*" => return wrong("has a * that is not at its end"),
                None => Segment::Literal(segment.to_owned()),
            };
            if matches!(segment, Segment::Parameter(_)) && segments.contains(&segment) {
                return wrong("names a parameter twice");
            }
            segments.push(segment);
        }
        Ok(Self { segments, rest })
    }

    /// Whether only the path itself matches.
    pub(crate) fn is_exact(&self) -> bool {
        !self.rest && self.segments.iter().all(|segment| matches!(segment, Segment::Literal(_)))
    }

    /// Whether both match the same paths.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let same = |pair: (&Segment, &Segment)| match pair {
            (Segment::Parameter(_), Segment::Parameter(_)) => true,
            (one, another) => one == another,
        };
        self.rest == other.rest
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(same)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_could_not_be_meant_is_refused() {
        for text in ["", "chat", "/a?b", "/:", "/:a-b", "/:a/:a", "/*/a", "/a\nb"] {
            assert!(Pattern::parse(text).is_err(), "{text:?}");
        }
        for text in ["/", "/chat", "/a*", "/a:b", "/:a", "/:a/x/:b", "/*", "/a/*", "/:a/*", "/a//b", "/a/"] {
            assert!(Pattern::parse(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn names_of_parameters_make_no_difference() {
        let same = |a, b| Pattern::parse(a).unwrap().is_same(&Pattern::parse(b).unwrap());
        assert!(same("/rooms/:room", "/rooms/:id") && same("/a/*", "/a/*"));
        assert!(!same("/rooms/:room", "/rooms/room") && !same("/a/*", "/a") && !same("/a/*", "/a/:x"));
    }
}
