use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::masked;
use super::*;
use crate::protocol::deflate::{Agreement, Effort};
use crate::sys::Deflater;

const LIMITS: Limits = Limits { message: 300_000, frame: 300_000, fragments: 50, text_only: false };

/// A message as it was told, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Told {
    binary: bool,
    data: Vec<u8>,
    ended: bool,
}

/// What is told of `bytes`, which arrive in pieces of these sizes, over and over, with chunks of at most `most`.
fn told(bytes: &[u8], sizes: &[usize], most: usize) -> (Vec<Told>, Vec<Vec<u8>>, Option<u16>) {
    told_through(bytes, sizes, most, None)
}

fn told_through(
    bytes: &[u8],
    sizes: &[usize],
    most: usize,
    mut codec: Option<&mut Codec>,
) -> (Vec<Told>, Vec<Vec<u8>>, Option<u16>) {
    let mut decoder = Decoder::default();
    let (mut messages, mut pings) = (Vec::<Told>::new(), Vec::new());
    let (mut rest, mut inflated) = (bytes.to_vec(), Vec::new());
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() || decoder.is_behind() {
        let size = sizes.next().copied().unwrap_or(1).clamp(1, rest.len().max(1)).min(rest.len());
        let mut piece: Vec<u8> = rest.drain(..size).collect();
        let mut at = 0;
        while at < size || decoder.is_behind() {
            decoder.stream(most);
            let (taken, item) =
                match decoder.next(&mut piece[at..], &LIMITS, codec.as_deref_mut(), &mut inflated) {
                    Ok(step) => step,
                    Err(failure) => return (messages, pings, Some(failure.code)),
                };
            at += taken;
            match item {
                None => {}
                Some(Item::Message { binary, data }) => {
                    assert!(data.len() <= MAX_CHUNK);
                    messages.push(Told { binary, data: data.to_vec(), ended: true });
                }
                Some(Item::Begin { binary }) => messages.push(Told { binary, ..Told::default() }),
                Some(Item::Chunk(data)) => {
                    assert!((1..=most).contains(&data.len()), "{} bytes", data.len());
                    messages.last_mut().unwrap().data.extend_from_slice(data);
                }
                Some(Item::End) => messages.last_mut().unwrap().ended = true,
                Some(Item::Ping(data)) => pings.push(data.to_vec()),
                Some(other) => panic!("{other:?}"),
            }
        }
    }
    (messages, pings, None)
}

/// A message in fragments of these sizes, with a ping behind each.
fn fragments(binary: bool, data: &[u8], sizes: &[usize]) -> Vec<u8> {
    begun_by(if binary { 2 } else { 1 }, data, sizes)
}

/// The same with the first byte of its first frame.
fn begun_by(first: u8, data: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut first = first;
    let mut rest = data;
    for size in sizes {
        let (piece, after) = rest.split_at((*size).min(rest.len()));
        bytes.extend(masked(first, piece));
        bytes.extend(masked(0x89, b"?"));
        (first, rest) = (0, after);
    }
    bytes.extend(masked(0x80 | first, rest));
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Messages in random fragments, read in random pieces, are told as they were said.
    #[test]
    fn chunks_make_up_the_messages(
        messages in vec((any::<bool>(), "\\PC{0,60}", vec(0usize..50, 0..6), 1usize..1000), 1..5),
        reads in vec(1usize..300, 1..6),
        most in 1usize..400,
    ) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        let mut count = 0;
        for (binary, text, cuts, times) in &messages {
            let data = text.repeat(*times).into_bytes();
            bytes.extend(fragments(*binary, &data, cuts));
            count += cuts.len();
            expected.push(Told { binary: *binary, data, ended: true });
        }
        let (told, pings, failure) = told(&bytes, &reads, most);
        prop_assert_eq!(failure, None);
        prop_assert_eq!(pings.len(), count);
        prop_assert_eq!(told, expected);
    }
}

const RSV1: u8 = 0x40;

fn codec(takeover: bool, ratio: u32) -> Codec {
    let agreement =
        Agreement { server_bits: 15, client_bits: 15, server_takeover: takeover, client_takeover: takeover };
    Codec::new(agreement, Effort { level: 6, memory: 8, ratio })
}

/// Messages as a client compresses them, with or without taking its context over.
fn packed(messages: &[&[u8]], takeover: bool) -> Vec<Vec<u8>> {
    let mut deflater = Deflater::new(6, 15, 8).unwrap();
    let each = |message: &&[u8]| {
        if !takeover {
            deflater.reset();
        }
        let mut packed = Vec::new();
        deflater.deflate(message, &mut packed);
        packed
    };
    messages.iter().map(each).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The same, compressed; what is between 0 and some hundred KiB long, and compresses more or less.
    #[test]
    fn chunks_of_compressed_messages_make_them_up(
        messages in vec((any::<bool>(), "\\PC{0,60}", vec(0usize..50, 0..6), 0usize..4000), 1..5),
        reads in vec(1usize..3000, 1..6),
        most in 1usize..70_000,
        takeover in any::<bool>(),
    ) {
        let texts: Vec<Vec<u8>> = messages.iter().map(|(_, text, _, times)| text.repeat(*times).into_bytes()).collect();
        let texts: Vec<&[u8]> = texts.iter().map(|text| &text[..text.len().min(200_000) / 4]).map(whole).collect();
        let packed = packed(&texts, takeover);
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for ((binary, _, cuts, _), (data, packed)) in messages.iter().zip(texts.iter().zip(&packed)) {
            bytes.extend(begun_by(RSV1 | if *binary { 2 } else { 1 }, packed, cuts));
            expected.push(Told { binary: *binary, data: data.to_vec(), ended: true });
        }
        let mut codec = codec(takeover, 0);
        let (told, _, failure) = told_through(&bytes, &reads, most, Some(&mut codec));
        prop_assert_eq!(failure, None);
        prop_assert_eq!(told, expected);
    }
}

/// A text without a character that was cut at its end.
fn whole(text: &[u8]) -> &[u8] {
    let length = std::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
    &text[..length]
}

#[test]
fn what_is_longer_than_a_chunk_when_inflated_comes_in_chunks() {
    let noise: Vec<u8> = (0..200_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    for takeover in [false, true] {
        let mut codec = codec(takeover, 0);
        for length in [0, 1, MAX_CHUNK - 1, MAX_CHUNK, MAX_CHUNK + 1, 290_000] {
            for content in [&vec![b'a'; length][..], &noise[..length]] {
                let packed = packed(&[content], false).remove(0);
                let bytes = begun_by(RSV1 | 2, &packed, &[]);
                let (messages, _, failure) = told_through(&bytes, &[4000], 20_000, Some(&mut codec));
                assert_eq!(failure, None, "{length}");
                assert!(messages[0].ended && messages[0].data == content, "{length}");
            }
        }
        assert_eq!(codec.has_contexts(), takeover, "nothing is kept for a client without takeover");
    }
}

#[test]
fn a_bomb_is_stopped_when_it_has_made_what_is_allowed() {
    let bomb = packed(&[&vec![0; 50 << 20]], false).remove(0);
    for (ratio, most) in [(0, 300_000), (10, 524_000)] {
        let bytes = begun_by(RSV1 | 2, &bomb, &[1000]);
        let (messages, _, failure) = told_through(&bytes, &[5000], 64 << 10, Some(&mut codec(true, ratio)));
        assert_eq!(failure, Some(1009));
        assert!(messages[0].data.len() <= most, "{}", messages[0].data.len());
    }
}

#[test]
fn garbage_and_cut_messages_end_nothing() {
    let long = packed(&[&b"a message that is long enough to be cut in two".repeat(3000)], false).remove(0);
    for bad in [&b"\xff\xff\xff"[..], &long[..long.len() / 2], &long[..long.len() - 3]] {
        for takeover in [false, true] {
            let bytes = begun_by(RSV1 | 2, bad, &[20]);
            let (messages, _, failure) = told_through(&bytes, &[9], 1000, Some(&mut codec(takeover, 0)));
            assert_eq!(failure, Some(1007), "{bad:?}");
            assert!(messages.iter().all(|message| !message.ended));
        }
    }
    let text = packed(&[&[b"fine ".repeat(30_000), b"\xff".to_vec()].concat()], false).remove(0);
    let (messages, _, failure) =
        told_through(&begun_by(RSV1 | 1, &text, &[]), &[50], 9999, Some(&mut codec(false, 0)));
    assert_eq!((messages[0].ended, failure), (false, Some(1007)), "text that is not UTF-8 at its end");
}

#[test]
fn a_text_may_be_cut_anywhere_and_is_refused_at_its_first_bad_byte() {
    let text = "κόσμε 𝄞 \u{10ffff}".as_bytes();
    for at in 0..=text.len() {
        for read in 1..10 {
            let good = fragments(false, text, &[at]);
            assert_eq!(told(&good, &[read], 3).2, None);
            let bad = fragments(false, &[&text[..at], b"\xff", &text[at..]].concat(), &[at / 2]);
            let (messages, _, failure) = told(&bad, &[read], 3);
            assert_eq!(failure, Some(1007), "{at}");
            let data = &messages.last().map(|told| told.data.clone()).unwrap_or_default();
            assert!(text.starts_with(data), "what follows a bad byte is not told");
        }
    }
    let cut = fragments(false, b"\xf0\x9d\x84", &[1]);
    let (messages, _, failure) = told(&cut, &[100], 100);
    assert_eq!((messages[0].ended, failure), (false, Some(1007)));
}

#[test]
fn a_message_that_came_whole_is_told_whole() {
    for length in [0, 1, MAX_CHUNK] {
        let bytes = fragments(true, &vec![7; length], &[]);
        let (messages, ..) = told(&bytes, &[usize::MAX], 10);
        assert_eq!(messages, [Told { binary: true, data: vec![7; length], ended: true }]);
    }
}

#[test]
fn a_frame_is_told_as_it_arrives_and_nothing_of_it_is_kept() {
    const HEAD: usize = 14;
    let payload = vec![7; 250_000];
    let mut bytes = vec![0x82, 0xff];
    bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&payload);
    let mut decoder = Decoder::default();
    decoder.stream(1000);
    let mut inflated = Vec::new();
    let (mut got, mut came) = (0, 0);
    for piece in bytes.chunks(700) {
        let mut piece = piece.to_vec();
        let mut at = 0;
        while at < piece.len() {
            let (taken, item) = decoder.next(&mut piece[at..], &LIMITS, None, &mut inflated).unwrap();
            at += taken;
            got += match item {
                Some(Item::Chunk(data)) => data.len(),
                _ => 0,
            };
        }
        assert!(decoder.message.as_ref().is_none_or(|message| message.data.size() == 0));
        came += piece.len();
        assert_eq!(got + HEAD, came, "all that has come is told");
    }
    assert_eq!(got, 250_000);
}

#[test]
fn limits_count_what_has_come() {
    let over = fragments(true, &vec![0; 300_001], &[150_000]);
    assert_eq!(told(&over, &[5000], 5000).2, Some(1009));
    let (messages, _, failure) = told(&fragments(true, &[0; 60], &[1; 51]), &[100], 100);
    assert_eq!((messages.len(), failure), (1, Some(1009)), "in too many fragments");
}
