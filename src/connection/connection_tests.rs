use super::*;

const LIMITS: Limits = Limits { message: 1000, frame: 1000, fragments: 10 };

#[derive(Default)]
struct Recorder {
    said: Vec<String>,
    congested: bool,
    owed: bool,
}

impl Port for Recorder {
    fn message(&mut self, binary: bool, data: &[u8]) {
        self.said.push(format!("message {binary} {}", data.escape_ascii()));
    }
    fn pong(&mut self, ticket: u64, _: Duration) {
        self.said.push(format!("pong {ticket}"));
    }
    fn control(&mut self, opcode: Opcode, payload: &[u8]) {
        self.said.push(format!("{opcode:?} {}", payload.escape_ascii()));
    }
    fn is_owed_answers(&self, just_now: bool) -> bool {
        self.owed && just_now
    }
    fn close_deadline(&self) -> Instant {
        Instant::now() + Duration::from_secs(3)
    }
    fn congested(&self) -> bool {
        self.congested
    }
}

fn open() -> Connection {
    Connection::new(7, 0, None, Now::read())
}

/// A short frame, masked with zeroes.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

fn feed(connection: &mut Connection, port: &mut Recorder, bytes: &[u8]) -> Option<Ending> {
    connection.on_bytes(&mut bytes.to_vec(), &LIMITS, Now::read(), port)
}

#[test]
fn a_close_is_echoed_and_ends_the_client() {
    let (mut connection, mut port) = (open(), Recorder::default());
    let bytes = [frame(0x81, b"hi"), frame(0x88, b"\x0f\xa0bye"), frame(0x81, b"late")].concat();
    let ending = feed(&mut connection, &mut port, &bytes).unwrap();
    assert_eq!(ending, Ending { code: 4000, cause: Cause::Peer, clean: true, reason: b"bye".to_vec() });
    assert_eq!(port.said, ["message false hi", "Close \\x0f\\xa0"]);
    assert_eq!(feed(&mut connection, &mut port, &frame(0x81, b"later")), None);
    assert_eq!(connection.on_eof(), None, "the ending is told once");
}

#[test]
fn our_close_waits_for_the_peers_and_drops_what_comes_between() {
    let (mut connection, mut port) = (open(), Recorder::default());
    let deadline = Instant::now() + Duration::from_secs(3);
    assert!(connection.close(4001, b"go", Cause::Application, deadline, &mut port));
    assert!(!connection.close(4002, b"", Cause::Application, deadline, &mut port));
    assert_eq!(feed(&mut connection, &mut port, &frame(0x81, b"late")), None);
    assert_eq!(feed(&mut connection, &mut port, &frame(0x89, b"ping")), None);
    let ending = feed(&mut connection, &mut port, &frame(0x88, b"\x03\xe8")).unwrap();
    assert_eq!(ending, Ending { code: 4001, cause: Cause::Application, clean: true, reason: b"go".to_vec() });
    assert_eq!(port.said, ["Close \\x0f\\xa1go"]);
}

#[test]
fn a_peer_that_never_answers_our_close_is_cut_at_the_deadline() {
    let (mut connection, mut port) = (open(), Recorder::default());
    let now = Now::read();
    connection.close(1001, b"", Cause::Shutdown, now.instant + Duration::from_secs(3), &mut port);
    assert_eq!(connection.on_timer(now), None);
    let later = Now { instant: now.instant + Duration::from_secs(3), ..now };
    let ending = connection.on_timer(later).unwrap();
    assert_eq!((ending.code, ending.cause, ending.clean), (1001, Cause::Shutdown, false));
}

#[test]
fn a_failure_sends_its_code_and_a_lost_stream_is_1006() {
    let (mut connection, mut port) = (open(), Recorder::default());
    let ending = feed(&mut connection, &mut port, &frame(0x81, b"\xff")).unwrap();
    assert_eq!((ending.code, ending.cause, ending.clean), (1007, Cause::Protocol, false));
    assert!(port.said[0].starts_with("Close \\x03\\xeftext"));
    assert_eq!(open().on_eof(), Some(Ending::lost()));
}

#[test]
fn pings_are_answered_unless_the_outbox_is_full() {
    let (mut connection, mut port) = (open(), Recorder::default());
    feed(&mut connection, &mut port, &frame(0x89, b"a"));
    port.congested = true;
    feed(&mut connection, &mut port, &frame(0x89, b"b"));
    assert_eq!(port.said, ["Pong a"]);
    assert_eq!((connection.info.pings_in, connection.info.pongs_out), (2, 1));
}

#[test]
fn a_pong_answers_the_ping_that_it_carries_and_those_before() {
    let (mut connection, mut port) = (open(), Recorder::default());
    for ticket in [50, 51, 52] {
        connection.ping(ticket, Now::read(), &mut port);
    }
    assert_eq!(connection.info.unanswered_pings, 3);
    let second = Ping::new(7, 2, 51, 0).to_bytes();
    port.said.clear();
    feed(&mut connection, &mut port, &frame(0x8a, &second));
    feed(&mut connection, &mut port, &frame(0x8a, &second));
    feed(&mut connection, &mut port, &frame(0x8a, &Ping::new(7, 9, 1, 0).to_bytes()));
    feed(&mut connection, &mut port, &frame(0x8a, b"unasked"));
    assert_eq!(port.said, ["pong 51"]);
    assert_eq!((connection.info.unanswered_pings, connection.info.pongs_in), (1, 4));
}

#[test]
fn the_end_waits_for_the_answers_to_what_came_before() {
    for (last, expected) in [
        (frame(0x88, b"\x03\xe8"), Ending { code: 1000, cause: Cause::Peer, clean: true, reason: vec![] }),
        (frame(0x83, b""), Ending::failed(Failure::protocol("unknown opcode"))),
    ] {
        let (mut connection, mut port) = (open(), Recorder { owed: true, ..Recorder::default() });
        let bytes = [frame(0x81, b"question"), last, frame(0x81, b"late")].concat();
        assert_eq!(feed(&mut connection, &mut port, &bytes), None);
        assert!(connection.is_held() && connection.takes_messages());
        assert_eq!(feed(&mut connection, &mut port, &frame(0x81, b"later")), None);
        assert_eq!(port.said, ["message false question"]);
        assert_eq!(connection.resume(&mut port), Some(expected));
        assert!(port.said[1].starts_with("Close"));
        assert_eq!(connection.resume(&mut port), None);
    }
}

#[test]
fn a_held_client_whose_stream_ends_keeps_its_cause() {
    let (mut connection, mut port) = (open(), Recorder { owed: true, ..Recorder::default() });
    feed(&mut connection, &mut port, &[frame(0x81, b"x"), frame(0x88, b"\x0f\xa0bye")].concat());
    let ending = connection.on_eof().unwrap();
    assert_eq!(ending, Ending { code: 4000, cause: Cause::Peer, clean: false, reason: b"bye".to_vec() });
}

#[test]
fn a_peer_can_not_choose_the_ticket_of_its_pong() {
    let (mut connection, mut port) = (open(), Recorder::default());
    connection.ping(7, Now::read(), &mut port);
    let forged = Ping { number: 1, ticket: 0xdead_beef, sent_ns: 0, seal: 0 }.to_bytes();
    feed(&mut connection, &mut port, &frame(0x8a, &forged));
    assert!(!port.said.iter().any(|said| said == "pong 3735928559"), "{:?}", port.said);
}
