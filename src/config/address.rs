//! Where a server listens.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::error::{Error, ErrorKind, Result};

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
    /// A descriptor that listens already, which the process was started with.
    Inherited(i32),
}

/// What the path of a Unix socket may have, with its NUL (unix(7)).
const PATH_LIMIT: usize = 108;

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = |what: String| Err(Error::new(ErrorKind::Config, format!("address {text:?} {what}")));
        if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() || path.contains('\0') {
                return wrong("names no file".to_owned());
            }
            if path.len() >= PATH_LIMIT {
                let (length, most) = (path.len(), PATH_LIMIT - 1);
                return wrong(format!("has a path of {length} bytes, more than {most}"));
            }
            return Ok(Self::Unix(path.into()));
        }
        if let Some(number) = text.strip_prefix("fd:") {
            return match number.parse() {
                Ok(fd) if fd >= 0 => Ok(Self::Inherited(fd)),
                _ => wrong("is not fd: and a descriptor's number".to_owned()),
            };
        }
        match text.parse() {
            Ok(address) => Ok(Self::Tcp(address)),
            Err(_) => wrong("is not of the form 127.0.0.1:8080, [::1]:8080, unix:PATH or fd:3".to_owned()),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Inherited(fd) => write!(f, "fd:{fd}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_ip_and_port_a_path_or_a_descriptor() {
        for text in ["127.0.0.1:80", "[::1]:0", "unix:/run/x.sock", "unix:x", "fd:3"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        let long = format!("unix:/{}", "x".repeat(107));
        for text in ["localhost:80", "127.0.0.1", "", "unix:", "unix:a\0b", "fd:", "fd:-1", "fd:x", &long] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
    }
}
