use std::io::{self, IoSlice, Write};

use super::*;

const BOUND: Load = Load { bytes: 50, messages: 2 };

fn outgoing() -> Outgoing {
    let mut outgoing = Outgoing::default();
    outgoing.open(0);
    outgoing
}

fn part(outgoing: &mut Outgoing, data: &[u8], last: bool) {
    outgoing.push_part(0, PartOf::Payload { data, split: usize::MAX }, last, 0);
    if last {
        for behind in outgoing.end(0) {
            outgoing.push_block(0, &behind.block, behind.class, behind.reserved, behind.account);
        }
    }
}

fn text(outgoing: &mut Outgoing, data: &[u8]) {
    outgoing.push(0, Opcode::Text, data, usize::MAX, 0);
}

/// What leaves when the peer takes `most` bytes.
fn leaves(outgoing: &mut Outgoing, most: usize) -> Vec<u8> {
    struct Pipe(Vec<u8>, usize);
    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.1 - self.0.len());
            if count == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.0.extend_from_slice(&bytes[..count]);
            Ok(count)
        }
        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            self.write(&slices.iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<u8>>())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut pipe = Pipe(Vec::new(), most);
    outgoing.write(0, &mut pipe).unwrap();
    outgoing.reclaim(&[0]);
    pipe.0
}

#[test]
fn what_is_sent_meanwhile_leaves_behind_the_message_and_in_order() {
    let mut outgoing = outgoing();
    text(&mut outgoing, b"before");
    assert!(
        outgoing.begin(0, Opcode::Binary, false, BOUND) && !outgoing.begin(0, Opcode::Text, false, BOUND)
    );
    text(&mut outgoing, b"one");
    part(&mut outgoing, b"ab", false);
    outgoing.push_control(0, Opcode::Ping, b"?");
    assert_eq!(leaves(&mut outgoing, 100), b"\x81\x06before\x02\x02ab\x89\x01?");
    text(&mut outgoing, b"two");
    part(&mut outgoing, b"cd", false);
    part(&mut outgoing, b"", true);
    text(&mut outgoing, b"three");
    assert_eq!(leaves(&mut outgoing, 100), b"\x00\x02cd\x80\x00\x81\x03one\x81\x03two\x81\x05three");
    assert_eq!(outgoing.waiting(0), Load::default());
}

#[test]
fn a_peer_that_takes_byte_by_byte_gets_the_same() {
    let mut outgoing = outgoing();
    outgoing.begin(0, Opcode::Text, false, BOUND);
    let mut got = Vec::new();
    for word in [&b"one "[..], b"two ", b"three"] {
        part(&mut outgoing, word, false);
        text(&mut outgoing, b"x");
        got.extend(leaves(&mut outgoing, 1));
        outgoing.push_control(0, Opcode::Pong, b"");
    }
    part(&mut outgoing, b"!", true);
    while outgoing.waiting(0).bytes > 0 {
        got.extend(leaves(&mut outgoing, 1));
    }
    let pongs = got.windows(2).filter(|bytes| bytes == b"\x8a\x00").count();
    assert_eq!(pongs, 3);
    assert!(got.ends_with(b"\x80\x01!\x81\x01x\x81\x01x\x81\x01x"), "{}", got.escape_ascii());
}

#[test]
fn the_shared_counter_is_told_of_no_more_than_may_wait_behind() {
    let mut outgoing = outgoing();
    outgoing.begin(0, Opcode::Text, false, BOUND);
    for _ in 0..3 {
        text(&mut outgoing, &[b'x'; 28]);
    }
    assert_eq!(outgoing.settle(0), (50, 2));
    part(&mut outgoing, b"ab", false);
    assert_eq!(outgoing.settle(0), (4, 0));
    part(&mut outgoing, b"", true);
    assert_eq!(outgoing.settle(0), (42, 2), "and of all when it leaves");
    leaves(&mut outgoing, 1000);
    assert_eq!(outgoing.settle(0), (-96, -4));
}

#[test]
fn what_waits_behind_a_message_that_is_abandoned_is_lost_and_told_so() {
    let mut outgoing = outgoing();
    outgoing.begin(0, Opcode::Text, false, BOUND);
    part(&mut outgoing, b"half", false);
    for (account, class) in [(5, Class::Plain), (6, Class::Droppable)] {
        outgoing.push_block(0, &Block::new(b"\x81\x01x".to_vec()), class, 0, Some(account));
    }
    assert!(outgoing.drop_oldest(0) && !outgoing.drop_oldest(0));
    outgoing.abandon(0);
    let lost: Vec<(u32, bool)> =
        outgoing.take_settled().iter().map(|settled| (settled.account, settled.delivered)).collect();
    assert_eq!(lost, [(6, false), (5, false)]);
    outgoing.push_control(0, Opcode::Close, b"");
    assert_eq!(leaves(&mut outgoing, 100), b"\x01\x04half\x88\x00");
    part(&mut outgoing, b"late", false);
    assert_eq!(leaves(&mut outgoing, 100), b"", "a part of no message");
}

#[test]
fn text_is_checked_across_its_parts() {
    let mut outgoing = outgoing();
    outgoing.begin(0, Opcode::Text, false, BOUND);
    assert!(
        outgoing.fits_text(0, [&b"\xf0\x9d"[..]], false) && outgoing.fits_text(0, [&b"\x84\x9e"[..]], true)
    );
    assert!(outgoing.fits_text(0, [&b"\xc3"[..]], false) && !outgoing.fits_text(0, [&b""[..]], true));
}
