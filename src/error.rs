//! What can go wrong, named by what the caller does next.

use std::fmt;

/// The kind of a failure. The C ABI's `wsgate_status` has one constant for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A bad argument, or a call in the wrong order: mend the program.
    Invalid,
    /// The id is stale, or the server has stopped: forget it.
    Closed,
    /// The outbox limit is reached: wait for DRAIN.
    Full,
    /// The time given ran out: try again.
    Timeout,
    /// Somebody else has it, an address for instance: choose another or wait.
    Busy,
    /// Not allowed inside a callback: do it elsewhere.
    Reentrant,
    /// The operating system said no.
    Io,
    /// A setting is out of its bounds: mend the configuration.
    Config,
    /// The server was started before a `fork()`, and this is the child: make a new one.
    Forked,
}

/// A failure: its kind, and a text that names what was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    text: String,
}

/// What every fallible call of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Makes an error of this kind with this text.
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, text)
    }

    /// An operating system's failure at doing `what`; an address in use is [`ErrorKind::Busy`].
    pub(crate) fn io(what: &str, error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::AddrInUse => ErrorKind::Busy,
            _ => ErrorKind::Io,
        };
        Self::new(kind, format!("{what}: {error}"))
    }

    /// The kind, for the caller's decision.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}
