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

fn framed(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(&mut bytes, opcode, payload);
    bytes
}

#[test]
fn frames_side_by_side_leave_in_one_write() {
    let mut outgoing = outgoing(1);
    for word in [&b"one"[..], b"two", b"three"] {
        outgoing.push(0, Opcode::Text, word, false);
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
    let big = Arc::new(framed(Opcode::Binary, &[9; 500]));
    for room in 0..700 {
        let mut outgoing = outgoing(2);
        outgoing.push(0, Opcode::Text, b"from the log", false);
        outgoing.begin_batch([framed(Opcode::Text, b"to both"), framed(Opcode::Text, b"again")].concat());
        for place in [0, 1] {
            outgoing.push_run(place, Arena::Batch, Class::Plain, 0, 9, true, false);
        }
        outgoing.push_shared(0, &big, false, None);
        outgoing.push_run(0, Arena::Batch, Class::Plain, 9, 16, true, false);
        outgoing.push(0, Opcode::Ping, b"?", false);
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
        outgoing.push(1, Opcode::Text, b"overwrites the log", false);
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
        outgoing.push_run(place, Arena::Batch, Class::Plain, 0, 1004, true, false);
    }
    let stuck: Vec<u32> = (0..100).collect();
    outgoing.reclaim(&stuck);
    let Some(Chunk::Shared { block, .. }) = outgoing.outboxes[7].older.as_ref().unwrap().front() else {
        panic!("the leftover is not shared");
    };
    assert_eq!(Arc::strong_count(block), 100);
}

#[test]
fn the_shared_counter_is_told_the_difference() {
    let mut outgoing = outgoing(1);
    outgoing.push(0, Opcode::Text, b"reserved", true);
    outgoing.push(0, Opcode::Text, b"broadcast", false);
    assert_eq!(outgoing.uncounted(0), Load { bytes: 11, messages: 1 });
    let mut pipe = Pipe { room: 12, ..Pipe::default() };
    outgoing.write(0, &mut pipe).unwrap();
    assert_eq!(outgoing.settle(0), (9 - 10, 2 - 1), "a run's messages leave with its last byte");
    pipe.room = 100;
    outgoing.write(0, &mut pipe).unwrap();
    assert_eq!(outgoing.settle(0), (-9, -2));
    assert_eq!(outgoing.settle(0), (0, 0));
}

#[test]
fn a_closed_place_starts_empty_again() {
    let mut outgoing = outgoing(1);
    outgoing.push(0, Opcode::Text, b"never seen", false);
    outgoing.clear(0);
    assert_eq!(outgoing.waiting(0), Load::default());
    outgoing.open(0);
    let mut pipe = Pipe { room: 100, ..Pipe::default() };
    outgoing.write(0, &mut pipe).unwrap();
    assert!(pipe.written.is_empty());
}

#[test]
fn who_has_an_account_learns_when_the_last_byte_has_left_or_never_will() {
    let mut outgoing = Outgoing::default();
    outgoing.open(0);
    let block = Arc::new(vec![b'x'; 10]);
    for account in [Some(7), None, Some(8), Some(9)] {
        outgoing.push_shared(0, &block, false, account);
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
