use super::*;

/// Takes `room` bytes, then blocks; remembers how it was called.
#[derive(Default)]
struct Pipe {
    room: usize,
    written: Vec<u8>,
    calls: usize,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.calls += 1;
        let count = bytes.len().min(self.room);
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.room -= count;
        self.written.extend_from_slice(&bytes[..count]);
        Ok(count)
    }
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        self.write(&bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn outgoing(clients: u32) -> Outgoing {
    let mut outgoing = Outgoing::default();
    (0..clients).for_each(|place| outgoing.open(place));
    outgoing
}

/// A whole message in the batch's arena.
fn in_batch(start: u32, end: u32, class: Class) -> Frames {
    Frames { arena: Arena::Batch, class, start, end, count: 1, is_message: true }
}

const WHOLE: usize = usize::MAX;

fn framed(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(&mut bytes, opcode, payload);
    bytes
}

#[test]
fn frames_side_by_side_leave_in_one_write() {
    let mut outgoing = outgoing(1);
    for word in [&b"one"[..], b"two", b"three"] {
        outgoing.push(0, Opcode::Text, word, WHOLE, 0);
    }
    assert_eq!(outgoing.waiting(0), Load { bytes: 17, messages: 3 });
    let mut pipe = Pipe { room: 100, ..Pipe::default() };
    outgoing.write(0, &mut pipe).unwrap();
    assert_eq!((pipe.calls, outgoing.waiting(0)), (1, Load::default()));
    assert_eq!(
        pipe.written,
        [framed(Opcode::Text, b"one"), framed(Opcode::Text, b"two"), framed(Opcode::Text, b"three")].concat()
    );
}

#[test]
fn what_is_stuck_survives_its_arena_wherever_the_cut_falls() {
    let big = Block::new(framed(Opcode::Binary, &[9; 500]));
    for room in 0..700 {
        let mut outgoing = outgoing(2);
        outgoing.push(0, Opcode::Text, b"from the log", WHOLE, 0);
        outgoing.begin_batch([framed(Opcode::Text, b"to both"), framed(Opcode::Text, b"again")].concat());
        for place in [0, 1] {
            outgoing.push_run(place, in_batch(0, 9, Class::Plain), 0);
        }
        outgoing.push_block(0, &big, Class::Plain, 0, None);
        outgoing.push_run(0, in_batch(9, 16, Class::Plain), 0);
        outgoing.push_control(0, Opcode::Ping, b"?");
        let expected = [
            framed(Opcode::Text, b"from the log"),
            framed(Opcode::Text, b"to both"),
            big.to_vec(),
            framed(Opcode::Text, b"again"),
            framed(Opcode::Ping, b"?"),
        ]
        .concat();
        assert_eq!(outgoing.waiting(0), Load { bytes: expected.len() as u32, messages: 4 });
        let mut pipe = Pipe { room, ..Pipe::default() };
        outgoing.write(0, &mut pipe).unwrap();
        outgoing.reclaim(&[0, 1]);
        assert!(outgoing.end_batch().is_empty());
        outgoing.push(1, Opcode::Text, b"overwrites the log", WHOLE, 0);
        pipe.room = 10_000;
        outgoing.write(0, &mut pipe).unwrap();
        assert_eq!(pipe.written, expected, "cut at {room}");
        assert_eq!(outgoing.waiting(0), Load::default());
        assert!(outgoing.outboxes[0].older.is_none(), "nothing is held while idle");
    }
}

#[test]
fn clients_stuck_on_the_same_broadcast_share_its_memory() {
    let mut outgoing = outgoing(100);
    outgoing.begin_batch(framed(Opcode::Text, &[b'x'; 1000]));
    for place in 0..100 {
        outgoing.push_run(place, in_batch(0, 1004, Class::Plain), 0);
    }
    let stuck: Vec<u32> = (0..100).collect();
    outgoing.reclaim(&stuck);
    let Some(Chunk::Piece(piece)) = outgoing.outboxes[7].older.as_ref().unwrap().chunks.front() else {
        panic!("the leftover is not shared");
    };
    assert_eq!(Arc::strong_count(&piece.block), 100);
}

#[test]
fn the_shared_counter_is_told_the_difference() {
    let mut outgoing = outgoing(1);
    outgoing.push(0, Opcode::Text, b"reserved", WHOLE, 10);
    outgoing.push(0, Opcode::Text, b"broadcast", WHOLE, 0);
    assert_eq!(outgoing.uncounted(0), Load { bytes: 11, messages: 1 });
    let mut pipe = Pipe { room: 12, ..Pipe::default() };
    outgoing.write(0, &mut pipe).unwrap();
    assert_eq!(outgoing.settle(0), (9 - 10, 1 - 1), "a message leaves with its last byte");
    pipe.room = 100;
    outgoing.write(0, &mut pipe).unwrap();
    assert_eq!(outgoing.settle(0), (-9, -1));
    assert_eq!(outgoing.settle(0), (0, 0));
}

#[test]
fn a_closed_place_starts_empty_again() {
    let mut outgoing = outgoing(1);
    outgoing.push(0, Opcode::Text, b"never seen", WHOLE, 0);
    outgoing.clear(0);
    assert_eq!(outgoing.waiting(0), Load::default());
    outgoing.open(0);
    let mut pipe = Pipe { room: 100, ..Pipe::default() };
    outgoing.write(0, &mut pipe).unwrap();
    assert!(pipe.written.is_empty());
}

#[test]
fn what_was_sent_is_counted_once() {
    let mut outgoing = outgoing(1);
    outgoing.push(0, Opcode::Binary, &[1; 300], 128, 0);
    outgoing.push_control(0, Opcode::Pong, b"");
    let mut pipe = Pipe { room: 1000, ..Pipe::default() };
    outgoing.write(0, &mut pipe).unwrap();
    assert_eq!(outgoing.take_sent(0), Sent { bytes: 312, frames: 4, messages: 1 });
    assert_eq!(outgoing.take_sent(0), Sent::default());
}

/// The frames in `bytes`: FIN and opcode, and the first byte of the payload.
fn frames(mut bytes: &[u8]) -> Vec<(u8, u8)> {
    let mut frames = Vec::new();
    while let Some(extent) = frame::measure(bytes) {
        let (frame, rest) = bytes.split_at(extent.length);
        let (_, payload) = frame::split(frame).unwrap();
        frames.push((frame[0], payload.first().copied().unwrap_or(0)));
        bytes = rest;
    }
    frames
}

/// One message after the other in a batch, the `n`-th of 300 bytes that are `n`, in frames of 128.
fn batch_of(count: u8) -> (Vec<u8>, u32) {
    let mut bytes = Vec::new();
    for n in 0..count {
        frame::write_message(&mut bytes, Opcode::Binary, false, &[n; 300], 128);
    }
    let length = bytes.len() as u32 / u32::from(count);
    (bytes, length)
}

const MESSAGE: [u8; 3] = [0x02, 0x00, 0x80];

#[test]
fn a_pong_passes_between_the_frames_of_what_is_stuck_wherever_the_cut_falls() {
    let (bytes, length) = batch_of(3);
    for room in 0..bytes.len() {
        let mut outgoing = outgoing(1);
        outgoing.begin_batch(bytes.clone());
        for n in 0..3 {
            outgoing.push_run(0, in_batch(n * length, (n + 1) * length, Class::Plain), 0);
        }
        let mut pipe = Pipe { room, ..Pipe::default() };
        outgoing.write(0, &mut pipe).unwrap();
        outgoing.reclaim(&[0]);
        outgoing.push_control(0, Opcode::Pong, &[7]);
        outgoing.push_control(0, Opcode::Close, &[3, 232]);
        outgoing.push_control(0, Opcode::Pong, &[8]);
        pipe.room = 1;
        outgoing.write(0, &mut pipe).unwrap();
        outgoing.reclaim(&[0]);
        outgoing.push_control(0, Opcode::Ping, &[9]);
        pipe.room = 10_000;
        outgoing.write(0, &mut pipe).unwrap();
        assert_eq!(outgoing.waiting(0), Load::default(), "cut at {room}");
        assert!(outgoing.outboxes[0].older.is_none());
        let seen = frames(&pipe.written);
        // The frames that had begun, the three control frames, and the rest in its order.
        let mut expected: Vec<_> = (0..3).flat_map(|n| MESSAGE.map(|first| (first, n))).collect();
        let begun = room.div_ceil(length as usize / 3 + 1).min(9);
        let at = seen.iter().position(|frame| *frame == (0x8a, 7)).unwrap();
        assert!(at.abs_diff(begun) <= 1, "cut at {room}: behind {at} frames");
        expected.splice(at..at, [(0x8a, 7), (0x8a, 8), (0x89, 9)]);
        expected.push((0x88, 3));
        assert_eq!(seen, expected, "cut at {room}");
    }
}

#[test]
fn the_oldest_broadcast_goes_and_never_one_that_has_begun() {
    let (bytes, length) = batch_of(5);
    for room in 0..bytes.len() {
        let mut outgoing = outgoing(1);
        outgoing.begin_batch(bytes.clone());
        for n in 0..5 {
            // The second is for this client alone.
            let class = if n == 1 { Class::Plain } else { Class::Droppable };
            outgoing.push_run(0, in_batch(n * length, (n + 1) * length, class), 0);
        }
        let mut pipe = Pipe { room, ..Pipe::default() };
        outgoing.write(0, &mut pipe).unwrap();
        outgoing.reclaim(&[0]);
        let begun = room.div_ceil(length as usize) as u8;
        assert_eq!(outgoing.waiting(0).messages, 5 - room as u32 / length);
        let waiting = outgoing.waiting(0);
        let mut expected: Vec<u8> = (0..5).collect();
        let mut dropped = 0;
        while outgoing.drop_oldest(0) {
            let oldest = expected.iter().position(|n| *n >= begun && *n != 1).unwrap();
            expected.remove(oldest);
            dropped += 1;
            assert_eq!(
                outgoing.waiting(0),
                Load { bytes: waiting.bytes - dropped * length, messages: waiting.messages - dropped }
            );
            if dropped == 2 {
                break;
            }
        }
        assert!(dropped == 2 || expected.iter().all(|n| *n < begun || *n == 1), "cut at {room}");
        pipe.room = 10_000;
        outgoing.write(0, &mut pipe).unwrap();
        let expected: Vec<_> = expected.into_iter().flat_map(|n| MESSAGE.map(|first| (first, n))).collect();
        assert_eq!(frames(&pipe.written), expected, "cut at {room}");
        assert_eq!(outgoing.waiting(0), Load::default());
    }
}

#[test]
fn an_evicted_queue_leaves_only_the_frame_that_has_begun() {
    let (bytes, length) = batch_of(3);
    for room in 0..bytes.len() {
        let mut outgoing = outgoing(1);
        outgoing.begin_batch(bytes.clone());
        for n in 0..3 {
            outgoing.push_run(0, in_batch(n * length, (n + 1) * length, Class::Plain), 0);
        }
        let mut pipe = Pipe { room, ..Pipe::default() };
        outgoing.write(0, &mut pipe).unwrap();
        outgoing.reclaim(&[0]);
        assert!(outgoing.keep_begun(0, 200));
        outgoing.push_control(0, Opcode::Close, &[3, 232]);
        pipe.room = 10_000;
        outgoing.write(0, &mut pipe).unwrap();
        let seen = frames(&pipe.written);
        assert_eq!(seen.iter().map(|(first, _)| usize::from(*first == 0x88)).sum::<usize>(), 1);
        assert_eq!(seen.last(), Some(&(0x88, 3)), "cut at {room}");
        assert!(pipe.written.len() < room + 140);
        assert_eq!(outgoing.waiting(0), Load::default());
    }
}

#[test]
fn who_has_an_account_learns_when_the_last_byte_has_left_or_never_will() {
    let mut outgoing = Outgoing::default();
    outgoing.open(0);
    let block = Block::new(framed(Opcode::Text, &[b'x'; 8]));
    for account in [Some(7), None, Some(8), Some(9)] {
        outgoing.push_block(0, &block, Class::Plain, 0, account);
    }
    let mut pipe = Pipe { room: 19, ..Pipe::default() };
    outgoing.write(0, &mut pipe).unwrap();
    assert_eq!(outgoing.take_settled(), [Settled { account: 7, place: 0, delivered: true }]);
    pipe.room = 11;
    outgoing.write(0, &mut pipe).unwrap();
    assert_eq!(outgoing.take_settled(), [Settled { account: 8, place: 0, delivered: true }]);
    outgoing.clear(0);
    assert_eq!(outgoing.take_settled(), [Settled { account: 9, place: 0, delivered: false }]);
    assert!(!outgoing.has_settled());
}

#[test]
fn who_has_an_account_learns_that_a_message_was_dropped() {
    let mut outgoing = outgoing(1);
    let block = Block::new(framed(Opcode::Text, &[b'x'; 8]));
    for account in 1..=3 {
        outgoing.push_block(0, &block, Class::Droppable, 0, Some(account));
    }
    let mut pipe = Pipe { room: 5, ..Pipe::default() };
    outgoing.write(0, &mut pipe).unwrap();
    assert!(outgoing.drop_oldest(0), "not the first, of which a part has left");
    assert_eq!(outgoing.take_settled(), [Settled { account: 2, place: 0, delivered: false }]);
    assert!(outgoing.keep_begun(0, 100));
    assert_eq!(outgoing.take_settled(), [Settled { account: 3, place: 0, delivered: false }]);
    pipe.room = 100;
    outgoing.write(0, &mut pipe).unwrap();
    assert_eq!(outgoing.take_settled(), [Settled { account: 1, place: 0, delivered: true }]);
}
