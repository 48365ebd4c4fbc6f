//! The command line.

use std::num::NonZeroUsize;
use std::time::Duration;

use lexopt::prelude::*;

pub(crate) const USAGE: &str = "\
Usage: load echo      --port P [--clients 100] [--depth 16] [--size 32]
       load broadcast --port P [--clients 500] [--in-flight 8] [--size 128]
       load flood     --port P [--clients 500] [--in-flight 8] [--size 128] [--messages 1000] [--floods 3]
       load idle      --port P [--clients 20000]
       load stream    --port P [--size 1073741824] [--frame 65536]

  --messages N | --seconds S   how long to measure: so many messages, or so much time [--seconds 1]
  --warmup N                   messages before that, whose contents are compared [a burst per client]
  --stuck N                    broadcast: so many more clients, which never read
  --deflate                    offer permessage-deflate; the messages are compressed JSON
  --memory                     echo: what a client costs in memory, too, after its messages
  --text | --binary            the kind of the messages [--text]
  --pid PID                    the server's process: its CPU time and memory, children included, are measured
  --timeout S                  the whole run's bound [60]

echo: each client sends a burst of `depth` messages in one write and waits for all answers.
broadcast: one client keeps `in-flight` messages on their way; one is done when all clients have it.
flood: as broadcast, but only the sender reads; the time until so many messages lie in everybody's buffers.
stream: one client sends one message, in frames of so many bytes, and reads it back meanwhile; binary.
idle: connects, prints its line, closes when a line comes from stdin.

Prints one line of JSON.";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Echo,
    Broadcast,
    Flood,
    Idle,
    Stream,
}

/// How long the measured phase lasts.
#[derive(Clone, Copy)]
pub(crate) enum Budget {
    Messages(u64),
    Time(Duration),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Binary,
}

impl Kind {
    pub(crate) fn opcode(self) -> u8 {
        match self {
            Kind::Text => 1,
            Kind::Binary => 2,
        }
    }
}

#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) port: u16,
    pub(crate) clients: usize,
    /// Messages that one sender has outstanding.
    pub(crate) depth: usize,
    pub(crate) size: usize,
    /// Of a message that is streamed.
    pub(crate) frame: usize,
    pub(crate) kind: Kind,
    pub(crate) deflate: bool,
    pub(crate) memory: bool,
    pub(crate) stuck: usize,
    /// How often it is done.
    pub(crate) floods: usize,
    pub(crate) budget: Budget,
    pub(crate) warmup: u64,
    pub(crate) pid: Option<u32>,
    pub(crate) timeout: Duration,
}

impl Options {
    pub(crate) fn parse() -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_env();
        let mode = match parser.next()? {
            Some(Value(mode)) if mode == "echo" => Mode::Echo,
            Some(Value(mode)) if mode == "broadcast" => Mode::Broadcast,
            Some(Value(mode)) if mode == "flood" => Mode::Flood,
            Some(Value(mode)) if mode == "idle" => Mode::Idle,
            Some(Value(mode)) if mode == "stream" => Mode::Stream,
            Some(Short('h') | Long("help")) => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            _ => return Err("the first argument is echo, broadcast, flood, idle or stream".into()),
        };
        let (clients, depth, size) = match mode {
            Mode::Echo => (100, 16, 32),
            Mode::Broadcast | Mode::Flood => (500, 8, 128),
            Mode::Idle => (20_000, 1, 0),
            Mode::Stream => (1, 1, 1 << 30),
        };
        let mut options = Options {
            mode,
            port: 0,
            clients,
            depth,
            size,
            frame: 64 << 10,
            kind: Kind::Text,
            deflate: false,
            memory: false,
            stuck: 0,
            floods: 3,
            budget: match mode {
                Mode::Flood => Budget::Messages(1000),
                _ => Budget::Time(Duration::from_secs(1)),
            },
            warmup: 0,
            pid: None,
            timeout: Duration::from_secs(60),
        };
        let mut warmup = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Long("port") => options.port = parser.value()?.parse()?,
                Long("clients") => options.clients = positive(&mut parser)?,
                Long("depth") if mode == Mode::Echo => options.depth = positive(&mut parser)?,
                Long("in-flight") if matches!(mode, Mode::Broadcast | Mode::Flood) => {
                    options.depth = positive(&mut parser)?;
                }
                Long("floods") if mode == Mode::Flood => options.floods = positive(&mut parser)?,
                Long("size") => options.size = parser.value()?.parse()?,
                Long("frame") if mode == Mode::Stream => options.frame = positive(&mut parser)?,
                Long("messages") => options.budget = Budget::Messages(parser.value()?.parse()?),
                Long("seconds") if mode != Mode::Flood => {
                    options.budget = Budget::Time(seconds(&mut parser)?)
                }
                Long("warmup") => warmup = Some(parser.value()?.parse()?),
                Long("stuck") if mode == Mode::Broadcast => options.stuck = parser.value()?.parse()?,
                Long("deflate") if matches!(mode, Mode::Echo | Mode::Broadcast) => options.deflate = true,
                Long("memory") if mode == Mode::Echo => options.memory = true,
                Long("text") => options.kind = Kind::Text,
                Long("binary") => options.kind = Kind::Binary,
                Long("pid") => options.pid = Some(parser.value()?.parse()?),
                Long("timeout") => options.timeout = seconds(&mut parser)?,
                other => return Err(other.unexpected()),
            }
        }
        if options.port == 0 {
            return Err("--port is missing".into());
        }
        let senders = if mode == Mode::Echo { options.clients } else { 1 };
        // Without any warm-up the first, slow messages would be measured and no contents compared.
        options.warmup = warmup.unwrap_or((senders * options.depth) as u64).max(1);
        Ok(options)
    }
}

fn positive(parser: &mut lexopt::Parser) -> Result<usize, lexopt::Error> {
    Ok(parser.value()?.parse::<NonZeroUsize>()?.get())
}

fn seconds(parser: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    parser.value()?.parse_with(|text| {
        let seconds: f64 = text.parse().map_err(|_| "not a number".to_string())?;
        Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
    })
}
