//! Close codes and reasons (RFC 6455 §5.5.1, §7.4).

use super::utf8;

/// No Close frame came with a code (§7.4.1): never on the wire.
pub(super) const NO_STATUS: u16 = 1005;
/// The longest reason: a control frame's 125 bytes less the code's two.
pub(crate) const MAX_REASON: usize = 123;

/// Why a peer's bytes can't be accepted: the close code and reason it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The close code.
    pub code: u16,
    /// The reason that goes into the Close frame.
    pub reason: &'static str,
}

impl Failure {
    /// The peer broke the protocol: 1002.
    pub const fn protocol(reason: &'static str) -> Self {
        Self { code: 1002, reason }
    }

    /// The bytes don't fit their type, text that is not UTF-8: 1007.
    pub const fn data(reason: &'static str) -> Self {
        Self { code: 1007, reason }
    }

    /// More than a limit allows: 1009.
    pub const fn too_big(reason: &'static str) -> Self {
        Self { code: 1009, reason }
    }

    /// Whether a limit of ours was passed, rather than the protocol broken.
    pub const fn is_limit(&self) -> bool {
        matches!(self.code, 1003 | 1008 | 1009)
    }
}

/// Whether `code` may stand in a Close frame: 1000–1003 and 1007–1014 as registered, 3000–4999 for
/// libraries and applications (§7.4.2).
pub const fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// The registered name of a close code, for people.
pub const fn name(code: u16) -> &'static str {
    match code {
        1000 => "normal closure",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "unsupported data",
        1005 => "no status received",
        1006 => "abnormal closure",
        1007 => "invalid payload data",
        1008 => "policy violation",
        1009 => "message too big",
        1010 => "mandatory extension",
        1011 => "internal error",
        1012 => "service restart",
        1013 => "try again later",
        1014 => "bad gateway",
        1015 => "TLS handshake",
        3000..=3999 => "registered by a library",
        4000..=4999 => "private use",
        _ => "unknown",
    }
}

/// Reads a Close frame's payload: the code ([`NO_STATUS`] when it is empty) and the reason.
pub(crate) fn parse(payload: &[u8]) -> Result<(u16, &[u8]), Failure> {
    match payload {
        [] => Ok((NO_STATUS, &[])),
        [_] => Err(Failure::protocol("Close frame with half a code")),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !is_sendable(code) {
                return Err(Failure::protocol("invalid close code"));
            }
            if !utf8::is_valid(reason) {
                return Err(Failure::data("close reason is not UTF-8"));
            }
            Ok((code, reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_close_is_1005_and_half_a_code_is_refused() {
        assert_eq!(parse(&[]), Ok((NO_STATUS, &[][..])));
        assert_eq!(parse(&[3]).unwrap_err().code, 1002);
    }

    #[test]
    fn each_code_is_judged_as_the_registry_has_it() {
        for code in [1000u16, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999] {
            assert_eq!(parse(&code.to_be_bytes()), Ok((code, &[][..])), "{code}");
        }
        for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2999, 5000, 65535] {
            assert_eq!(parse(&code.to_be_bytes()).unwrap_err().code, 1002, "{code}");
        }
    }

    #[test]
    fn a_reason_is_text() {
        assert_eq!(parse(b"\x03\xe8bye"), Ok((1000, &b"bye"[..])));
        assert_eq!(parse(b"\x03\xe8\xff").unwrap_err().code, 1007);
    }
}
