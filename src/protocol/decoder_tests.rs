use super::*;

const LIMITS: Limits = Limits { message: 1000, frame: 600, fragments: 4, text_only: false };

/// A client's frame, masked.
pub(super) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    let key = [1, 2, 3, 4];
    out.extend_from_slice(&key);
    out.extend(payload.iter().enumerate().map(|(i, b)| b ^ key[i % 4]));
    out
}

/// Everything said in `bytes` when they arrive in pieces of `size`, and how it ended.
fn said(bytes: &[u8], size: usize, codec: Option<&mut Codec>) -> (Vec<String>, Option<u16>) {
    let mut decoder = Decoder::default();
    let mut said = Vec::new();
    let (mut codec, mut inflated) = (codec, Vec::new());
    for piece in bytes.chunks(size) {
        let mut piece = piece.to_vec();
        let (mut at, end) = (0, piece.len());
        loop {
            match decoder.next(&mut piece[at..], &LIMITS, codec.as_deref_mut(), &mut inflated) {
                Ok((taken, item)) => {
                    at += taken;
                    match item {
                        Some(item) => said.push(match item {
                            Item::Message { binary, data } => {
                                format!("{} {}", if binary { "binary" } else { "text" }, data.escape_ascii())
                            }
                            Item::Ping(data) => format!("ping {}", data.escape_ascii()),
                            Item::Pong(data) => format!("pong {}", data.escape_ascii()),
                            Item::Close(data) => format!("close {}", data.escape_ascii()),
                            other => panic!("{other:?} without having asked for chunks"),
                        }),
                        None if at == end => break,
                        None => assert!(taken > 0, "a fragment was taken"),
                    }
                }
                Err(failure) => return (said, Some(failure.code)),
            }
        }
    }
    (said, None)
}

#[test]
fn a_stream_says_the_same_in_pieces_of_any_size() {
    let mut bytes = masked(0x81, b"hello");
    bytes.extend(masked(0x01, b"one "));
    bytes.extend(masked(0x89, b"are you there"));
    bytes.extend(masked(0x00, b""));
    bytes.extend(masked(0x8a, b""));
    bytes.extend(masked(0x80, "two \u{e9}".as_bytes()));
    bytes.extend(masked(0x82, &[0xff; 300]));
    bytes.extend(masked(0x82, b""));
    bytes.extend(masked(0x88, b"\x03\xe8"));
    let (whole, end) = said(&bytes, bytes.len(), None);
    assert_eq!(end, None);
    assert_eq!(whole.len(), 7);
    assert_eq!(whole[..4], ["text hello", "ping are you there", "pong ", "text one two \\xc3\\xa9"]);
    assert_eq!(whole[5..], ["binary ", "close \\x03\\xe8"]);
    for size in 1..40 {
        assert_eq!(said(&bytes, size, None), (whole.clone(), None), "pieces of {size}");
    }
}

#[test]
fn violations_get_their_code() {
    let text = |first| masked(first, b"x");
    let two = |a: Vec<u8>, b: Vec<u8>| [a, b].concat();
    for (what, bytes, code) in [
        ("reserved bit 1 without a codec", text(0xc1), 1002),
        ("reserved bit 2", text(0xa1), 1002),
        ("reserved opcode", text(0x83), 1002),
        ("unmasked", vec![0x81, 1, b'x'], 1002),
        ("continuation of nothing", text(0x80), 1002),
        ("message inside a message", two(text(0x01), text(0x81)), 1002),
        ("fragmented ping", text(0x09), 1002),
        ("ping of 126 bytes", masked(0x89, &[0; 126]), 1002),
        ("bad text", masked(0x81, b"\xff"), 1007),
        ("bad text in the second fragment", two(text(0x01), masked(0x80, b"\xff")), 1007),
        ("half a character at the end", two(text(0x01), masked(0x80, b"\xc3")), 1007),
        ("a frame over its limit", masked(0x82, &[0; 601]), 1009),
        ("a message over its limit", two(masked(0x02, &[0; 600]), masked(0x80, &[0; 401])), 1009),
        ("a fragment too many", [text(0x01), text(0), text(0), text(0), text(0x80)].concat(), 1009),
    ] {
        assert_eq!(said(&bytes, bytes.len(), None), (vec![], Some(code)), "{what}");
        assert_eq!(said(&bytes, 1, None), (vec![], Some(code)), "{what}, byte by byte");
    }
}

#[test]
fn bad_text_fails_before_its_frame_is_complete() {
    let bytes = masked(0x81, b"\xff and much more to come");
    assert_eq!(said(&bytes[..7], 7, None), (vec![], Some(1007)));
}

#[test]
fn limits_are_met_exactly() {
    let bytes =
        [masked(0x02, &[0; 600]), masked(0x00, &[0; 400]), masked(0x00, b""), masked(0x80, b"")].concat();
    let (said, end) = said(&bytes, bytes.len(), None);
    assert_eq!((said.len(), end), (1, None));
}

#[test]
fn an_idle_decoder_holds_no_buffer() {
    let mut decoder = Decoder::default();
    let mut bytes = [masked(0x01, b"a"), masked(0x80, b"b"), masked(0x81, b"c")].concat();
    let mut inflated = Vec::new();
    assert_eq!(decoder.next(&mut bytes, &LIMITS, None, &mut inflated).unwrap(), (7, None), "frame by frame");
    let (second, item) = decoder.next(&mut bytes[7..], &LIMITS, None, &mut inflated).unwrap();
    assert_eq!(item, Some(Item::Message { binary: false, data: b"ab" }));
    decoder.next(&mut bytes[7 + second..], &LIMITS, None, &mut Vec::new()).unwrap();
    assert!(decoder.message.is_none() && decoder.control.capacity() == 0);
}

#[test]
fn the_codec_inflates_messages_with_rsv1_and_those_alone() {
    // "Hello" (RFC 7692 §7.2.3.1), and nothing.
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let bytes = [
        masked(0xc1, hello),
        masked(0x41, &hello[..3]),
        masked(0x89, b"between"),
        masked(0x80, &hello[3..]),
        masked(0x81, b"plain"),
        masked(0xc2, b"\x00"),
    ]
    .concat();
    for size in 1..=bytes.len() {
        let expected = ["text Hello", "ping between", "text Hello", "text plain", "binary "];
        assert_eq!(
            said(&bytes, size, Some(&mut codec())),
            (expected.map(String::from).to_vec(), None),
            "{size}"
        );
    }
}

#[test]
fn what_the_codec_refuses_ends_the_connection() {
    // 1,001 times the same byte; text that is not UTF-8; RSV1 in the middle of a message.
    let long = masked(0xc2, b"\x4a\x4c\x1c\x05\xa3\x60\x14\x0c\x7b\x00\x00");
    for (bytes, code) in [
        (masked(0xc1, b"\xfa\xff\x1f\x00"), 1007),
        (masked(0xc2, b"\xff\xff"), 1007),
        (long, 1009),
        ([masked(0x41, b"\xf2\x48"), masked(0xc0, b"\x00")].concat(), 1002),
        (masked(0xc9, b""), 1002),
    ] {
        for size in 1..=bytes.len() {
            assert_eq!(said(&bytes, size, Some(&mut codec())), (vec![], Some(code)), "{bytes:x?} by {size}");
        }
    }
}

fn codec() -> Codec {
    use crate::protocol::deflate::{Agreement, Effort};
    let agreement =
        Agreement { server_bits: 15, client_bits: 15, server_takeover: false, client_takeover: false };
    Codec::new(agreement, Effort { level: 6, memory: 8, ratio: 0 })
}
