//! What compressors make of 1 KiB of JSON, each message for itself and with takeover: microseconds, bytes, and the memory
//! of a context. The table in docs/compression.md; `make bench-backends` prints it.

/// The message is the load generator's.
#[path = "../../src/bin/load/json.rs"]
mod json;
mod libdeflate;
mod zlib;

use std::hint::black_box;
use std::time::Instant;

const MESSAGES: usize = 64;
const ROUNDS: usize = 15;
const CONTEXTS: usize = 64;
/// What a context of ours has by default.
const WINDOW: i32 = 12;
const MEMORY: i32 = 5;

/// A compressor; after a reset, what comes stands for itself.
pub trait Deflate {
    fn reset(&mut self);
    fn deflate(&mut self, message: &[u8], out: &mut Vec<u8>);
}

/// A decompressor of what the same backend has made.
pub trait Inflate {
    fn reset(&mut self);
    fn inflate(&mut self, message: &[u8], out: &mut Vec<u8>);
}

fn main() {
    let messages: Vec<Vec<u8>> = (0..MESSAGES).map(|number| json::json(number, 1024)).collect();
    println!(
        "backend, level: us and bytes for itself (15 bits) | with takeover ({WINDOW} bits) | inflate, us"
    );
    for level in [1, 6] {
        report("libdeflate", level, &messages, &|| Box::new(libdeflate::Packer::new(level)), None, &|| {
            Box::new(libdeflate::Unpacker::new())
        });
        report(
            "zlib",
            level,
            &messages,
            &|| Box::new(zlib::stock::Deflater::new(level, 15, 8)),
            Some(&|| Box::new(zlib::stock::Deflater::new(level, WINDOW, MEMORY))),
            &|| Box::new(zlib::stock::Inflater::new(15)),
        );
        report(
            "zlib-ng",
            level,
            &messages,
            &|| Box::new(zlib::ng::Deflater::new(level, 15, 8)),
            Some(&|| Box::new(zlib::ng::Deflater::new(level, WINDOW, MEMORY))),
            &|| Box::new(zlib::ng::Inflater::new(15)),
        );
        report(
            "zlib-rs",
            level,
            &messages,
            &|| Box::new(zlib::rs::Deflater::new(level, 15, 8)),
            Some(&|| Box::new(zlib::rs::Deflater::new(level, WINDOW, MEMORY))),
            &|| Box::new(zlib::rs::Inflater::new(15)),
        );
    }
    println!(
        "\nbytes of a compressor with {WINDOW} bits and memory level {MEMORY}, and of a decompressor with {WINDOW} bits, in use:"
    );
    memory("zlib", &messages, &|| Box::new(zlib::stock::Deflater::new(6, WINDOW, MEMORY)), &|| {
        Box::new(zlib::stock::Inflater::new(WINDOW))
    });
    memory("zlib-ng", &messages, &|| Box::new(zlib::ng::Deflater::new(6, WINDOW, MEMORY)), &|| {
        Box::new(zlib::ng::Inflater::new(WINDOW))
    });
    memory("zlib-rs", &messages, &|| Box::new(zlib::rs::Deflater::new(6, WINDOW, MEMORY)), &|| {
        Box::new(zlib::rs::Inflater::new(WINDOW))
    });
}

type MakeDeflate<'a> = &'a dyn Fn() -> Box<dyn Deflate>;
type MakeInflate<'a> = &'a dyn Fn() -> Box<dyn Inflate>;

fn report(
    name: &str,
    level: i32,
    messages: &[Vec<u8>],
    own: MakeDeflate<'_>,
    taken_over: Option<MakeDeflate<'_>>,
    inflate: MakeInflate<'_>,
) {
    let (mut deflater, mut inflater) = (own(), inflate());
    let packed: Vec<Vec<u8>> = messages
        .iter()
        .map(|message| {
            let mut out = Vec::new();
            deflater.reset();
            deflater.deflate(message, &mut out);
            let mut back = Vec::new();
            inflater.reset();
            inflater.inflate(&out, &mut back);
            assert!(back == *message, "{name} does not give back what it was given");
            out
        })
        .collect();
    let mut out = Vec::new();
    let own_us = least(messages, |message| {
        out.clear();
        deflater.reset();
        deflater.deflate(message, &mut out);
    });
    let inflate_us = least(&packed, |message| {
        out.clear();
        inflater.reset();
        inflater.inflate(message, &mut out);
    });
    let own_bytes = mean(&packed);
    let takeover = taken_over.map_or_else(
        || "-".to_owned(),
        |make| {
            let mut deflater = make();
            let packed: Vec<Vec<u8>> = messages
                .iter()
                .map(|message| {
                    let mut out = Vec::new();
                    deflater.deflate(message, &mut out);
                    out
                })
                .collect();
            let us = least(messages, |message| {
                out.clear();
                deflater.deflate(message, &mut out);
            });
            format!("{us:.1}, {:.0}", mean(&packed))
        },
    );
    println!("{name:10} {level}: {own_us:5.1}, {own_bytes:.0} | {takeover:>10} | {inflate_us:.1}");
}

/// Microseconds for a message, in the best of the rounds: what else the machine does, only adds.
fn least(messages: &[Vec<u8>], mut work: impl FnMut(&[u8])) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        messages.iter().for_each(|message| work(black_box(message)));
        least = least.min(start.elapsed().as_secs_f64() * 1e6 / messages.len() as f64);
    }
    least
}

fn mean(packed: &[Vec<u8>]) -> f64 {
    packed.iter().map(Vec::len).sum::<usize>() as f64 / packed.len() as f64
}

fn memory(name: &str, messages: &[Vec<u8>], deflate: MakeDeflate<'_>, inflate: MakeInflate<'_>) {
    let mut out = Vec::with_capacity(1 << 16);
    let mut packed = Vec::with_capacity(1 << 16);
    deflate().deflate(&messages[0], &mut packed);
    let before = allocated();
    let deflaters: Vec<_> = (0..CONTEXTS)
        .map(|_| {
            let mut deflater = deflate();
            out.clear();
            deflater.deflate(&messages[0], &mut out);
            deflater
        })
        .collect();
    let between = allocated();
    let inflaters: Vec<_> = (0..CONTEXTS)
        .map(|_| {
            let mut inflater = inflate();
            out.clear();
            inflater.inflate(&packed, &mut out);
            inflater
        })
        .collect();
    let after = allocated();
    println!("{name:10} {:7} {:7}", (between - before) / CONTEXTS, (after - between) / CONTEXTS);
    drop((deflaters, inflaters));
}

/// What the C allocator, which Rust's is too, has given out.
fn allocated() -> usize {
    // SAFETY: it only reads the allocator's figures.
    let info = unsafe { libc::mallinfo2() };
    info.uordblks + info.hblkhd
}
