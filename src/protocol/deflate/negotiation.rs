//! The handshake's part of permessage-deflate (RFC 7692 §5 and §7.1).

use std::fmt::Write;

use super::super::extension::{self, Offer};

const NAME: &str = "permessage-deflate";
/// The widest window: 32 KiB.
pub(crate) const MAX_BITS: u8 = 15;
/// zlib can't compress with a window of 256 bytes, though it can inflate what was.
pub(crate) const MIN_BITS: u8 = 9;

/// What an endpoint wants of permessage-deflate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The widest window that we compress with: 9 to 15 bits.
    pub(crate) server_bits: u8,
    /// The widest window that clients shall compress with: 9 to 15 bits.
    pub(crate) client_bits: u8,
    /// Whether our messages may refer to earlier ones.
    pub(crate) server_takeover: bool,
    /// Whether a client's messages may.
    pub(crate) client_takeover: bool,
}

/// What was agreed upon with one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub(crate) server_bits: u8,
    pub(crate) client_bits: u8,
    pub(crate) server_takeover: bool,
    pub(crate) client_takeover: bool,
}

impl Agreement {
    /// As a number that is not 0.
    pub(crate) fn to_bits(self) -> u16 {
        let flag = |flag: bool, bit: u32| u16::from(flag) << bit;
        1 | flag(self.server_takeover, 1)
            | flag(self.client_takeover, 2)
            | u16::from(self.server_bits) << 4
            | u16::from(self.client_bits) << 8
    }

    /// From [`Agreement::to_bits`]; 0 is none.
    pub(crate) fn from_bits(bits: u16) -> Option<Self> {
        (bits != 0).then_some(Self {
            server_bits: (bits >> 4) as u8 & 15,
            client_bits: (bits >> 8) as u8 & 15,
            server_takeover: bits & 2 != 0,
            client_takeover: bits & 4 != 0,
        })
    }
}

/// Takes the first acceptable of a client's offers, which may come in several lines; the agreement, and
/// the response's `Sec-WebSocket-Extensions`. A line that breaks the grammar counts as no offer, and an
/// offer with a parameter that is unknown, repeated or out of bounds is declined (§7.1).
pub(crate) fn agree<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    settings: &Settings,
) -> Option<(Agreement, String)> {
    lines
        .into_iter()
        .filter_map(extension::parse)
        .flatten()
        .filter(|offer| offer.name.eq_ignore_ascii_case(NAME))
        .find_map(|offer| settings.accept(&offer))
}

/// The parameters of one offer.
#[derive(Default)]
struct Asked {
    server_no_takeover: bool,
    client_no_takeover: bool,
    server_bits: Option<u8>,
    /// Offered without a value: the client lets us choose.
    client_bits: Option<Option<u8>>,
}

impl Asked {
    fn read(offer: &Offer<'_>) -> Option<Self> {
        let mut asked = Self::default();
        for (name, value) in &offer.parameters {
            let value = value.as_deref();
            let fresh = match *name {
                "server_no_context_takeover" if value.is_none() => {
                    !std::mem::replace(&mut asked.server_no_takeover, true)
                }
                "client_no_context_takeover" if value.is_none() => {
                    !std::mem::replace(&mut asked.client_no_takeover, true)
                }
                "server_max_window_bits" => asked.server_bits.replace(bits(value?)?).is_none(),
                "client_max_window_bits" => {
                    let value = match value {
                        Some(value) => Some(bits(value)?),
                        None => None,
                    };
                    asked.client_bits.replace(value).is_none()
                }
                _ => false,
            };
            if !fresh {
                return None;
            }
        }
        Some(asked)
    }
}

/// 8 to 15, without leading zeros (§7.1.2.1).
fn bits(value: &str) -> Option<u8> {
    match value.as_bytes() {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

impl Settings {
    fn accept(&self, offer: &Offer<'_>) -> Option<(Agreement, String)> {
        let asked = Asked::read(offer)?;
        let server_bits = self.server_bits.min(asked.server_bits.unwrap_or(MAX_BITS));
        if server_bits < MIN_BITS {
            return None;
        }
        // Who does not offer the parameter compresses with any window (§7.1.2.2).
        let client_bits = asked.client_bits.map(|most| self.client_bits.min(most.unwrap_or(MAX_BITS)));
        let agreement = Agreement {
            server_bits,
            client_bits: client_bits.unwrap_or(MAX_BITS),
            server_takeover: self.server_takeover && !asked.server_no_takeover,
            client_takeover: self.client_takeover && !asked.client_no_takeover,
        };
        let mut response = String::from(NAME);
        if !agreement.server_takeover {
            response.push_str("; server_no_context_takeover");
        }
        if !agreement.client_takeover {
            response.push_str("; client_no_context_takeover");
        }
        // Writing to a String can't fail.
        if server_bits < MAX_BITS || asked.server_bits.is_some() {
            let _ = write!(response, "; server_max_window_bits={server_bits}");
        }
        if let Some(bits) = client_bits.filter(|bits| *bits < MAX_BITS) {
            let _ = write!(response, "; client_max_window_bits={bits}");
        }
        Some((agreement, response))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Settings =
        Settings { server_bits: 15, client_bits: 15, server_takeover: true, client_takeover: true };
    const NONE: Settings =
        Settings { server_bits: 15, client_bits: 15, server_takeover: false, client_takeover: false };

    fn response(lines: &[&str], settings: Settings) -> Option<String> {
        agree(lines.iter().copied(), &settings).map(|(_, response)| {
            let short = response.strip_prefix(NAME).unwrap();
            short.replace("_context_takeover", "").replace("_max_window_bits", "").replace("; ", " ")
        })
    }

    #[test]
    fn what_a_client_asks_for_is_granted_within_the_settings() {
        for (offer, settings, answer) in [
            ("", ALL, ""),
            ("", NONE, " server_no client_no"),
            ("; server_no_context_takeover", ALL, " server_no"),
            ("; client_no_context_takeover", ALL, " client_no"),
            ("; client_max_window_bits", ALL, ""),
            ("; client_max_window_bits", Settings { client_bits: 10, ..ALL }, " client=10"),
            ("", Settings { client_bits: 10, ..ALL }, ""),
            ("; client_max_window_bits=9", ALL, " client=9"),
            ("; client_max_window_bits=8", ALL, " client=8"),
            ("; client_max_window_bits=\"12\"", ALL, " client=12"),
            ("; server_max_window_bits=15", ALL, " server=15"),
            ("; server_max_window_bits=9", ALL, " server=9"),
            ("", Settings { server_bits: 12, ..ALL }, " server=12"),
            ("; server_max_window_bits=14", Settings { server_bits: 12, ..ALL }, " server=12"),
            (
                "; client_max_window_bits; server_max_window_bits=10; client_no_context_takeover",
                Settings { client_bits: 11, ..NONE },
                " server_no client_no server=10 client=11",
            ),
        ] {
            let line = format!("{NAME}{offer}");
            assert_eq!(response(&[&line], settings).as_deref(), Some(answer), "{line}");
        }
    }

    #[test]
    fn an_agreement_is_a_number() {
        for line in
            ["", "; client_max_window_bits=8; server_max_window_bits=9", "; client_no_context_takeover"]
        {
            let (agreement, _) = agree([&*format!("{NAME}{line}")], &ALL).unwrap();
            assert_eq!(Agreement::from_bits(agreement.to_bits()), Some(agreement));
        }
        assert_eq!(Agreement::from_bits(0), None);
    }

    #[test]
    fn an_offer_that_cant_be_granted_is_declined() {
        for offer in [
            "server_max_window_bits=8",
            "server_max_window_bits",
            "server_max_window_bits=16",
            "server_max_window_bits=09",
            "server_max_window_bits=10; server_max_window_bits=10",
            "client_max_window_bits=7",
            "client_max_window_bits=x",
            "client_max_window_bits; client_max_window_bits",
            "server_no_context_takeover=1",
            "client_no_context_takeover; client_no_context_takeover",
            "unknown",
            "unknown=1",
        ] {
            assert_eq!(response(&[&format!("{NAME}; {offer}")], ALL), None, "{offer}");
        }
    }

    #[test]
    fn the_first_acceptable_offer_counts() {
        let (declined, good) =
            ("permessage-deflate; unknown", "permessage-deflate; server_max_window_bits=10");
        let other = "x-webkit-deflate-frame, permessage-foo; a=b";
        let together = format!("{declined}, {other}, {good}, permessage-deflate");
        for lines in [
            &[together.as_str()][..],
            &[declined, other, good],
            &["broken, permessage-deflate; x=", good],
            &["Permessage-Deflate; server_max_window_bits=10"],
        ] {
            assert_eq!(response(lines, ALL).as_deref(), Some(" server=10"), "{lines:?}");
        }
        assert_eq!(response(&[other], ALL), None);
    }
}
