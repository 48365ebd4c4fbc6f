use super::*;

const LIMITS: Limits = Limits { message: 1000, frame: 600, fragments: 4, text_only: false };

/// A client's frame, masked.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | length as u8),
        length => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
    }
    let key = [1, 2, 3, 4];
    out.extend_from_slice(&key);
    out.extend(payload.iter().enumerate().map(|(i, b)| b ^ key[i % 4]));
    out
}

/// Everything said in `bytes` when they arrive in pieces of `size`, and how it ended.
fn said(bytes: &[u8], size: usize, codec: Option<&mut (dyn Codec + 'static)>) -> (Vec<String>, Option<u16>) {
    let mut decoder = Decoder::default();
    let mut said = Vec::new();
    let mut codec = codec;
    for piece in bytes.chunks(size) {
        let mut piece = piece.to_vec();
        let (mut at, end) = (0, piece.len());
        loop {
            match decoder.next(&mut piece[at..], &LIMITS, codec.as_deref_mut()) {
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
    assert_eq!(decoder.next(&mut bytes, &LIMITS, None).unwrap(), (7, None), "frame by frame");
    let (second, item) = decoder.next(&mut bytes[7..], &LIMITS, None).unwrap();
    assert_eq!(item, Some(Item::Message { binary: false, data: b"ab" }));
    decoder.next(&mut bytes[7 + second..], &LIMITS, None).unwrap();
    assert!(decoder.message.is_none() && decoder.control.capacity() == 0);
}

/// Doubles every byte, and refuses `!`.
struct Doubler;

impl Codec for Doubler {
    fn decode(&mut self, piece: &[u8], end: bool, out: &mut Vec<u8>, limit: u64) -> Result<(), Failure> {
        for byte in piece {
            if *byte == b'!' {
                return Err(Failure::data("garbage"));
            }
            if out.len() as u64 + 2 > limit {
                return Err(Failure::too_big("inflated past the limit"));
            }
            out.extend_from_slice(&[*byte, *byte]);
        }
        if end {
            out.push(b'.');
        }
        Ok(())
    }

    fn encode(&mut self, _payload: &[u8], _out: &mut Vec<u8>) -> bool {
        false
    }
}

#[test]
fn the_codec_decodes_messages_with_rsv1_and_those_alone() {
    let bytes = [masked(0x41, b"ab"), masked(0x80, b"c"), masked(0x81, b"plain"), masked(0xc2, b"")].concat();
    for size in 1..=bytes.len() {
        let (said, end) = said(&bytes, size, Some(&mut Doubler));
        assert_eq!((said, end), (vec!["text aabbcc.".into(), "text plain".into(), "binary .".into()], None));
    }
    for (bytes, code) in [
        (masked(0xc1, b"a!"), 1007),
        ([masked(0x42, &[b'a'; 400]), masked(0x80, &[b'a'; 200])].concat(), 1009),
        ([masked(0x41, b"a"), masked(0xc0, b"b")].concat(), 1002),
        (masked(0xc9, b""), 1002),
        (masked(0xc1, b"\xff"), 1007),
    ] {
        assert_eq!(said(&bytes, bytes.len(), Some(&mut Doubler)).1, Some(code));
    }
}
