use proptest::prelude::*;

use super::super::deflate as deflate_once;
use super::*;

const EFFORT: Effort = Effort { level: 6, memory: 8, ratio: 0 };

fn agreement(server_takeover: bool, client_takeover: bool, server_bits: u8) -> Agreement {
    Agreement { server_bits, client_bits: 15, server_takeover, client_takeover }
}

/// A peer, played by zlib: it keeps one context for all it hears, as every client may (RFC 7692 §7.1.1.1).
struct Peer {
    inflater: Inflater,
    takeover: bool,
    bits: u8,
}

impl Peer {
    fn of(codec: &Codec) -> Self {
        let Agreement { server_bits: bits, server_takeover: takeover, .. } = codec.agreement();
        Self { inflater: Inflater::new(bits).unwrap(), takeover, bits }
    }

    fn hears(&mut self, packed: &[u8], length: usize) -> Vec<u8> {
        if !self.takeover {
            self.inflater = Inflater::new(self.bits).unwrap();
        }
        let mut out = Vec::new();
        self.inflater.inflate(packed, &mut out, length).unwrap();
        out
    }
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        proptest::collection::vec(any::<u8>(), 0..3000),
        (any::<u8>(), 0usize..70_000).prop_map(|(byte, length)| vec![byte; length]),
        ("[a-z ]{1,40}", 1usize..2000).prop_map(|(word, times)| word.repeat(times).into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_client_is_sent_it_inflates(
        messages in proptest::collection::vec((message(), any::<bool>()), 1..12),
        takeover: bool,
        bits in 9u8..=15,
        level in 1u8..=9,
    ) {
        let mut codec = Codec::new(agreement(takeover, takeover, bits), Effort { level, ..EFFORT });
        let mut peer = Peer::of(&codec);
        for (message, to_many) in messages {
            let mut packed = Vec::new();
            let smaller = if to_many {
                let class = codec.shared_class(message.len());
                let smaller = deflate_once(&message, class, level, &mut packed);
                if smaller { codec.passed_by() }
                smaller
            } else {
                codec.deflate(&message, &mut packed)
            };
            prop_assert!(smaller != packed.is_empty() && packed.len() <= message.len());
            if smaller {
                prop_assert_eq!(peer.hears(&packed, message.len()), message);
            }
        }
    }

    #[test]
    fn whatever_a_client_sends_is_inflated_or_refused(
        messages in proptest::collection::vec(message(), 1..6),
        takeover: bool,
        cut in proptest::option::of(0usize..100),
        garbage in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut codec = Codec::new(agreement(false, takeover, 15), EFFORT);
        let mut peer = Deflater::new(6, 15, 8).unwrap();
        for message in messages {
            if !takeover {
                peer.reset();
            }
            let mut packed = Vec::new();
            peer.deflate(&message, &mut packed);
            let mut out = Vec::new();
            if let Some(cut) = cut {
                packed.truncate(cut.min(packed.len()));
                packed.extend_from_slice(&garbage);
                // Whatever it is: no more than allowed comes out.
                let _ = codec.inflate(&packed, &mut out, 1000);
                prop_assert!(out.len() <= 1001);
                return Ok(());
            }
            codec.inflate(&packed, &mut out, message.len() as u64).unwrap();
            prop_assert_eq!(&out, &message);
            if !message.is_empty() && !takeover {
                let short = codec.inflate(&packed, &mut Vec::new(), message.len() as u64 - 1);
                prop_assert_eq!(short.unwrap_err().code, 1009);
            }
        }
    }
}

#[test]
fn without_takeover_nothing_is_kept_for_a_client() {
    let mut codec = Codec::new(agreement(false, false, 15), EFFORT);
    let mut packed = Vec::new();
    assert!(codec.deflate(&[7; 1000], &mut packed));
    codec.inflate(&packed, &mut Vec::new(), 1000).unwrap();
    assert!(!codec.has_contexts());
    assert!(size_of::<Codec>() <= 24);
}

#[test]
fn a_stream_that_the_peer_ended_is_followed_by_another() {
    // "Hello" in a block with BFINAL, then an empty block (RFC 7692 §7.2.3.4).
    for takeover in [false, true] {
        let mut codec = Codec::new(agreement(false, takeover, 15), EFFORT);
        for _ in 0..2 {
            let mut out = Vec::new();
            codec.inflate(b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", &mut out, 5).unwrap();
            assert_eq!(out, b"Hello");
        }
    }
}

#[test]
fn a_message_may_be_of_many_streams() {
    for (takeover, count) in [(false, 17), (false, 1000), (true, 1000)] {
        let mut message = b"\xf3\x48\xcd\xc9\xc9\x07\x00".repeat(count);
        message.push(0);
        let whole = b"Hello".repeat(count);
        let inflate = |message: &[u8], limit: usize| {
            let mut out = Vec::new();
            let mut codec = Codec::new(agreement(false, takeover, 15), EFFORT);
            codec.inflate(message, &mut out, limit as u64).map(|()| out).map_err(|failure| failure.code)
        };
        assert_eq!(inflate(&message, whole.len()).as_ref(), Ok(&whole));
        assert_eq!(inflate(&message, whole.len() - 1), Err(1009));
        let cut = message.len() - 4;
        assert_eq!(inflate(message.get(..cut).unwrap(), whole.len()), Err(1007));
    }
}

#[test]
fn garbage_is_1007_and_a_bomb_1009() {
    let mut bomb = Vec::new();
    Deflater::new(9, 15, 8).unwrap().deflate(&vec![0; 20 << 20], &mut bomb);
    for takeover in [false, true] {
        let new = |ratio| Codec::new(agreement(false, takeover, 15), Effort { ratio, ..EFFORT });
        let inflate = |mut codec: Codec, message: &[u8], limit| {
            let mut out = Vec::new();
            let result = codec.inflate(message, &mut out, limit).map_err(|failure| failure.code);
            assert!(out.capacity() as u64 <= limit + 1, "{} for {limit}", out.capacity());
            result
        };
        assert_eq!(inflate(new(0), b"\xff\xff", 1000), Err(1007));
        assert_eq!(inflate(new(0), &bomb, 1 << 20), Err(1009));
        assert_eq!(inflate(new(0), &bomb, 20 << 20), Ok(()));
        assert_eq!(inflate(new(100), &bomb, 20 << 20), Err(1009));
        // So short a message may be of any ratio.
        let mut short = Vec::new();
        Deflater::new(9, 15, 8).unwrap().deflate(&vec![0; 60_000], &mut short);
        assert_eq!(inflate(new(100), &short, 20 << 20), Ok(()));
    }
}
