use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::masked;
use super::*;

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
            let (taken, item) = match decoder.next(&mut piece[at..], &LIMITS, None, &mut inflated) {
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
    let mut bytes = Vec::new();
    let mut first = if binary { 2 } else { 1 };
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
