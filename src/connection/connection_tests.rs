use super::*;
use crate::config::{Heartbeat, Pattern, Rate, Window};
use crate::protocol::deflate::{Agreement, Effort};

/// As an application that takes its events would find it.
#[derive(Default)]
struct Recorder {
    said: Vec<String>,
    figures: Figures,
    congested: bool,
    owed: bool,
    /// What it was told before is still in hand.
    behind: bool,
    /// What it has sent is on its way.
    mailed: bool,
    at_once: bool,
    paused: bool,
    /// It pauses the client, or discards the message, when it is told of this.
    pauses_at: Option<Kind>,
    discards_at: Option<Kind>,
}

impl Port for Recorder {
    fn message(&mut self, binary: bool, data: &[u8]) {
        self.said.push(format!("message {binary} {}", data.escape_ascii()));
    }
    fn part(&mut self, kind: Kind, number: u64, flags: u32, data: &[u8]) -> bool {
        self.said.push(format!("{kind:?} {number} {flags:#x} {}", data.escape_ascii()));
        self.paused |= self.pauses_at == Some(kind);
        self.discards_at == Some(kind)
    }
    fn pong(&mut self, ticket: u64, _: Duration) {
        self.said.push(format!("pong {ticket}"));
    }
    fn control(&mut self, opcode: Opcode, payload: &[u8]) {
        self.said.push(format!("{opcode:?} {}", payload.escape_ascii()));
    }
    fn is_owed_answers(&self, just_now: bool) -> bool {
        self.behind || self.owed && just_now
    }
    fn has_mail(&self) -> bool {
        self.mailed
    }
    fn figures(&self) -> &Figures {
        &self.figures
    }
    fn consumes_at_once(&self) -> bool {
        self.at_once
    }
    fn is_paused(&self) -> bool {
        self.paused
    }
    fn close_deadline(&self) -> Instant {
        Instant::now() + Duration::from_secs(3)
    }
    fn congested(&self) -> bool {
        self.congested
    }
}

fn endpoint() -> Endpoint {
    Endpoint::new(Pattern::parse("/").unwrap())
}

fn open() -> Connection {
    Connection::new(7, 0, None, false)
}

/// A short frame, masked with zeroes.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

fn feed(connection: &mut Connection, port: &mut Recorder, bytes: &[u8]) -> Option<Ending> {
    let settings = endpoint();
    let (taken, ending) = connection.on_bytes(&mut bytes.to_vec(), &settings, Now::read(), port);
    assert_eq!(taken, bytes.len());
    ending
}

/// So many nanoseconds after the beginning of time.
fn at(wall_ns: u64) -> Now {
    Now { wall_ns, ..Now::read() }
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
    assert_eq!((port.figures.pings_in.value(), port.figures.pongs_out.value()), (2, 1));
}

#[test]
fn a_pong_answers_the_ping_that_it_carries_and_those_before() {
    let (mut connection, mut port) = (open(), Recorder::default());
    for ticket in [50, 51, 52] {
        connection.ping(ticket, Now::read(), &mut port);
    }
    assert_eq!(port.figures.info(0).unanswered_pings, 3);
    let ping = |number, ticket| Ping { number, ticket, beats: 0, is_beat: false, sent_ns: 0 };
    let second = ping(2, 51).seal(7);
    port.said.clear();
    feed(&mut connection, &mut port, &frame(0x8a, &second));
    feed(&mut connection, &mut port, &frame(0x8a, &second));
    feed(&mut connection, &mut port, &frame(0x8a, &ping(9, 1).seal(7)));
    feed(&mut connection, &mut port, &frame(0x8a, b"unasked"));
    assert_eq!(port.said, ["pong 51"]);
    let info = port.figures.info(0);
    assert_eq!((info.unanswered_pings, info.pings_out, info.pongs_in), (1, 3, 4));
}

#[test]
fn the_end_waits_for_the_answers_to_what_came_before() {
    let closed = || Ending { code: 1000, cause: Cause::Peer, clean: true, reason: vec![] };
    let failed = || Ending::failed(Failure::protocol("unknown opcode"));
    for (last, expected, mailed) in [
        (frame(0x88, b"\x03\xe8"), closed(), false),
        (frame(0x83, b""), failed(), false),
        (frame(0x88, b"\x03\xe8"), closed(), true),
        (frame(0x83, b""), failed(), true),
    ] {
        let (mut connection, mut port) = (open(), Recorder { owed: !mailed, mailed, ..Recorder::default() });
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
fn whoever_has_ended_holds_neither_messages_nor_contexts() {
    let agreement =
        Agreement { server_bits: 15, client_bits: 15, server_takeover: true, client_takeover: true };
    let compressed = || {
        let codec = Codec::new(agreement, Effort { level: 6, memory: 8, ratio: 0 });
        let (mut connection, mut port) = (Connection::new(7, 0, Some(codec), false), Recorder::default());
        feed(&mut connection, &mut port, &frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00"));
        assert_eq!(port.said, ["message false Hello"]);
        feed(&mut connection, &mut port, &frame(0x01, b"half"));
        assert!(connection.unfinished() > 0);
        (connection, port)
    };
    for last in [frame(0x88, b""), frame(0x83, b"")] {
        let (mut connection, mut port) = compressed();
        feed(&mut connection, &mut port, &last).unwrap();
        assert!(connection.unfinished() == 0 && !connection.has_codec());
    }
    let (mut connection, mut port) = compressed();
    port.owed = true;
    feed(&mut connection, &mut port, &[frame(0x80, b""), frame(0x01, b"half"), frame(0x83, b"")].concat());
    assert!(
        connection.is_held() && connection.unfinished() == 0 && connection.has_codec(),
        "it can be answered"
    );
    connection.on_eof().unwrap();
    assert!(!connection.has_codec());
}

#[test]
fn a_peer_can_not_choose_the_ticket_of_its_pong() {
    let (mut connection, mut port) = (open(), Recorder::default());
    connection.ping(7, Now::read(), &mut port);
    let ping = Ping { number: 1, ticket: 0xdead_beef, beats: 0, is_beat: false, sent_ns: 0 };
    let forged = [&ping.seal(7)[..32], &[0; 8]].concat();
    feed(&mut connection, &mut port, &frame(0x8a, &forged));
    assert!(!port.said.iter().any(|said| said == "pong 3735928559"), "{:?}", port.said);
}

#[test]
fn a_full_window_stops_at_a_message_and_opens_when_the_application_comes_back() {
    let window = Window { bytes: 1000, messages: 2, by_grants: false };
    let settings = Endpoint { window, ..endpoint() };
    let (mut connection, mut port) = (open(), Recorder::default());
    let mut bytes = [frame(0x81, b"1"), frame(0x81, b"2"), frame(0x89, b"?"), frame(0x81, b"3")].concat();
    assert_eq!(connection.on_bytes(&mut bytes, &settings, at(1), &mut port), (14, None));
    assert_eq!(port.said, ["message false 1", "message false 2"]);
    port.behind = true;
    assert_eq!(connection.valve(&settings, at(2), &port), Err(Shut::Window));
    port.behind = false;
    assert!(connection.valve(&settings, at(3), &port).is_ok());
    assert_eq!(connection.on_bytes(&mut bytes[14..], &settings, at(3), &mut port), (14, None));
    assert_eq!(port.said[2..], ["Pong ?", "message false 3"]);
}

#[test]
fn messages_that_a_callback_has_dealt_with_fill_no_window() {
    let (mut connection, mut port) = (open(), Recorder { at_once: true, ..Recorder::default() });
    let mut bytes = frame(0x81, b"x").repeat(100);
    let settings = endpoint();
    assert_eq!(connection.on_bytes(&mut bytes, &settings, at(1), &mut port), (700, None));
}

#[test]
fn with_grants_only_a_grant_opens_the_window() {
    let window = Window { bytes: 3, messages: 100, by_grants: true };
    let settings = Endpoint { window, ..endpoint() };
    let (mut connection, mut port) = (open(), Recorder { at_once: true, ..Recorder::default() });
    let mut bytes = [frame(0x81, b"12"), frame(0x81, b"345"), frame(0x81, b"6")].concat();
    let (taken, _) = connection.on_bytes(&mut bytes, &settings, at(1), &mut port);
    assert_eq!((taken, port.said.len()), (17, 2), "what begins within the window is delivered");
    assert_eq!(connection.valve(&settings, at(2), &port), Err(Shut::Window));
    connection.grant(2, 1);
    assert_eq!(connection.valve(&settings, at(2), &port), Err(Shut::Window));
    connection.grant(1, 0);
    assert!(connection.valve(&settings, at(2), &port).is_ok());
}

#[test]
fn a_paused_client_says_nothing_but_is_heard_when_it_closes_with_us() {
    let settings = endpoint();
    let (mut connection, mut port) = (open(), Recorder { paused: true, ..Recorder::default() });
    assert_eq!(connection.valve(&settings, at(1), &port), Err(Shut::Paused));
    assert_eq!(connection.on_bytes(&mut frame(0x81, b"x"), &settings, at(1), &mut port), (0, None));
    connection.close(1000, b"", Cause::Application, Instant::now(), &mut port);
    assert!(connection.valve(&settings, at(1), &port).is_ok());
    let (_, ending) = connection.on_bytes(&mut frame(0x88, b""), &settings, at(1), &mut port);
    assert!(ending.is_some_and(|ending| ending.clean));
}

const SECOND: u64 = 1_000_000_000;

#[test]
fn a_client_over_its_rate_is_read_again_when_the_second_is_over() {
    let rate = Rate { bytes: 21, frames: 2, policy: RatePolicy::Pause };
    let settings = Endpoint { rate, ..endpoint() };
    let (mut connection, mut port) = (open(), Recorder::default());
    let start = 5 * SECOND + 7;
    assert_eq!(connection.valve(&settings, at(start), &port), Ok(21));
    connection.arrived(21, at(start), &port);
    // A fragment is a frame.
    let mut bytes = [frame(0x01, b"a"), frame(0x80, b"b"), frame(0x89, b"c")].concat();
    assert_eq!(connection.on_bytes(&mut bytes, &settings, at(start), &mut port), (14, None));
    assert_eq!(port.said, ["message false ab"]);
    let end = start + SECOND;
    assert_eq!(connection.valve(&settings, at(end - 1), &port), Err(Shut::Rate(end)));
    assert_eq!(connection.valve(&settings, at(end), &port), Ok(21));
    assert_eq!(connection.on_bytes(&mut bytes[14..], &settings, at(end), &mut port), (7, None));
    assert_eq!(port.said[1], "Pong c");
}

#[test]
fn a_client_over_its_rate_is_closed_where_the_endpoint_says_so() {
    for (rate, count) in [
        (Rate { bytes: u64::MAX, frames: 3, policy: RatePolicy::Close }, 3),
        (Rate { bytes: 21, frames: u64::MAX, policy: RatePolicy::Close }, 3),
    ] {
        let settings = Endpoint { rate, ..endpoint() };
        let (mut connection, mut port) = (open(), Recorder::default());
        for n in 0..=count {
            assert_eq!(connection.valve(&settings, at(SECOND), &port), Ok(usize::MAX));
            connection.arrived(7, at(SECOND), &port);
            let (_, ending) = connection.on_bytes(&mut frame(0x81, b"x"), &settings, at(SECOND), &mut port);
            assert_eq!(ending.is_some(), n == count, "{n}");
            if let Some(ending) = ending {
                assert_eq!((ending.code, ending.cause), (1008, Cause::Limit));
                assert_eq!(ending.reason, reason::RATE_LIMIT.as_bytes());
            }
        }
    }
}

#[test]
fn binary_is_refused_where_only_text_is_taken() {
    let mut settings = endpoint();
    settings.limits.text_only = true;
    let (mut connection, mut port) = (open(), Recorder::default());
    let mut bytes = [frame(0x81, b"text"), frame(0x02, b"")].concat();
    let (_, ending) = connection.on_bytes(&mut bytes, &settings, at(1), &mut port);
    let ending = ending.unwrap();
    assert_eq!((ending.code, ending.cause), (1003, Cause::Limit));
    assert_eq!(port.said[0], "message false text");
}

fn beating(limit: u64) -> Endpoint {
    Endpoint { heartbeat: Heartbeat { period: Duration::from_secs(10), limit }, ..endpoint() }
}

#[test]
fn a_silent_client_is_pinged_each_period_and_given_up_past_the_limit() {
    let settings = beating(3);
    let (mut connection, mut port) = (open(), Recorder::default());
    port.figures.begin(SECOND);
    let beat = |connection: &mut Connection, port: &mut Recorder, second: u64| {
        connection.on_beat(&settings, 0, at(second * SECOND), port)
    };
    assert_eq!(beat(&mut connection, &mut port, 10), Beat::At(11 * SECOND), "since it connected");
    for second in [11, 21, 31, 41] {
        assert_eq!(beat(&mut connection, &mut port, second), Beat::At((second + 10) * SECOND));
    }
    assert_eq!(port.figures.info(0).unanswered_pings, 4);
    assert_eq!(beat(&mut connection, &mut port, 51), Beat::Exceeded);
}

#[test]
fn what_is_read_and_what_is_not_read_put_the_ping_off() {
    let settings = beating(3);
    let (mut connection, mut port) = (open(), Recorder::default());
    port.figures.begin(SECOND);
    connection.arrived(7, at(5 * SECOND), &port);
    assert_eq!(connection.on_beat(&settings, 0, at(11 * SECOND), &mut port), Beat::At(15 * SECOND));
    let unread = 14 * SECOND;
    assert_eq!(connection.on_beat(&settings, unread, at(15 * SECOND), &mut port), Beat::At(24 * SECOND));
    port.paused = true;
    assert_eq!(connection.on_beat(&settings, 0, at(30 * SECOND), &mut port), Beat::At(40 * SECOND));
    assert!(port.said.is_empty());
}

#[test]
fn an_answered_beat_is_told_to_nobody_and_gives_the_round_trip() {
    let settings = beating(3);
    let (mut connection, mut port) = (open(), Recorder::default());
    connection.ping(5, at(1), &mut port);
    connection.on_beat(&settings, 0, at(20 * SECOND), &mut port);
    let ping = Ping { number: 2, beats: 1, is_beat: true, ticket: 0, sent_ns: 20 * SECOND };
    port.said.clear();
    let mut pong = frame(0x8a, &ping.seal(7));
    connection.on_bytes(&mut pong, &settings, at(20 * SECOND + 123), &mut port);
    let info = port.figures.info(0);
    assert_eq!((info.unanswered_pings, info.round_trip_ns, port.said.len()), (0, 123, 0));
}

#[test]
fn the_applications_own_pings_cost_nobody_the_connection() {
    let settings = beating(1);
    let (mut connection, mut port) = (open(), Recorder::default());
    for ticket in 0..100 {
        connection.ping(ticket, at(1), &mut port);
    }
    assert!(matches!(connection.on_beat(&settings, 0, at(20 * SECOND), &mut port), Beat::At(_)));
}

fn streaming() -> Connection {
    Connection::new(7, 0, None, true)
}

/// A message in two frames, and one behind it.
fn in_parts() -> Vec<u8> {
    [frame(0x02, b"ab"), frame(0x80, b"cd"), frame(0x81, b"next")].concat()
}

const TOLD: [&str; 5] =
    ["Begin 1 0x1 ", "Chunk 1 0x1 ab", "Chunk 1 0x1 cd", "End 1 0x1 ", "message false next"];

#[test]
fn a_message_in_chunks_is_told_from_its_beginning_to_its_end() {
    let (mut connection, mut port) = (streaming(), Recorder::default());
    assert_eq!(feed(&mut connection, &mut port, &in_parts()), None);
    assert_eq!(port.said, TOLD);
    assert_eq!(port.figures.messages_in.value(), 2);
}

#[test]
fn a_pause_holds_from_the_event_that_asks_for_it() {
    for (at, told) in [(Kind::Begin, 1), (Kind::Chunk, 2), (Kind::End, 4)] {
        let (mut connection, mut settings) = (streaming(), endpoint());
        settings.window.messages = 10;
        let mut port = Recorder { pauses_at: Some(at), ..Recorder::default() };
        let (mut bytes, mut taken) = (in_parts(), 0);
        taken += connection.on_bytes(&mut bytes, &settings, Now::read(), &mut port).0;
        assert_eq!(port.said, TOLD[..told]);
        // Each time that it is resumed, it goes on to the next such event, even if that needs no more bytes.
        while taken < bytes.len() || connection.is_behind() {
            port.paused = false;
            taken += connection.on_bytes(&mut bytes[taken..], &settings, Now::read(), &mut port).0;
        }
        assert_eq!(port.said, TOLD, "{at:?}");
    }
}

#[test]
fn what_is_discarded_is_not_told_and_fills_no_window() {
    let mut settings = endpoint();
    settings.window.bytes = 3;
    let mut port = Recorder { discards_at: Some(Kind::Chunk), ..Recorder::default() };
    let mut connection = streaming();
    let (taken, _) = connection.on_bytes(&mut in_parts(), &settings, Now::read(), &mut port);
    assert_eq!(taken, in_parts().len());
    assert_eq!(port.said, [TOLD[0], TOLD[1], "End 1 0x11 ", TOLD[4]]);

    let (mut connection, mut port) = (streaming(), Recorder::default());
    feed(&mut connection, &mut port, &frame(0x02, b"ab"));
    connection.discard(2);
    feed(&mut connection, &mut port, &frame(0x00, b"cd"));
    connection.discard(1);
    feed(&mut connection, &mut port, &frame(0x80, b"ef"));
    connection.discard(1);
    feed(&mut connection, &mut port, &frame(0x02, b"gh"));
    let told = [TOLD[0], TOLD[1], TOLD[2], "End 1 0x11 ", "Begin 2 0x1 ", "Chunk 2 0x1 gh"];
    assert_eq!(port.said, told, "it is the message of that number that is discarded");
}

#[test]
fn no_more_is_told_than_the_window_has_room_for() {
    let (mut connection, mut settings) = (streaming(), endpoint());
    settings.window = Window { bytes: 3, messages: 1, by_grants: true };
    let (mut port, mut bytes) = (Recorder::default(), in_parts());
    let mut taken = connection.on_bytes(&mut bytes, &settings, Now::read(), &mut port).0;
    assert_eq!(port.said, ["Begin 1 0x1 ", "Chunk 1 0x1 ab", "Chunk 1 0x1 c"]);
    connection.grant(1, 0);
    taken += connection.on_bytes(&mut bytes[taken..], &settings, Now::read(), &mut port).0;
    assert_eq!(port.said.last().unwrap(), "Chunk 1 0x1 d");
    connection.grant(3, 0);
    taken += connection.on_bytes(&mut bytes[taken..], &settings, Now::read(), &mut port).0;
    assert_eq!(port.said.last().unwrap(), "End 1 0x1 ", "and now the message is in hand");
    connection.grant(0, 1);
    taken += connection.on_bytes(&mut bytes[taken..], &settings, Now::read(), &mut port).0;
    assert_eq!((taken, port.said.last().unwrap().as_str()), (bytes.len(), "message false next"));
}

#[test]
fn a_client_that_ends_in_mid_message_is_told_no_end() {
    let (mut connection, mut port) = (streaming(), Recorder::default());
    feed(&mut connection, &mut port, &frame(0x02, b"ab"));
    let ending = feed(&mut connection, &mut port, &frame(0x88, b"\x03\xe8")).unwrap();
    assert_eq!((ending.code, ending.cause), (1000, Cause::Peer));
    assert_eq!(port.said, ["Begin 1 0x1 ", "Chunk 1 0x1 ab", "Close \\x03\\xe8"]);
}
