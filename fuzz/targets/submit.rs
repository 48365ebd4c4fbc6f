//! `wsgate_submit`: a buffer of any bytes is answered record by record, and nothing panics, reads past its end
//! or writes past its statuses. A server runs behind it, with clients and gateways to hit.
//!
//! Input: the buffer, in which targets and ids below 8 stand for two clients, two gateways and stale ones.
#![no_main]

#[path = "submit/server.rs"]
mod server;

use std::ffi::CStr;

use libfuzzer_sys::fuzz_target;
use wsgate::ffi::{wsgate_last_error, wsgate_submit};

const HEAD: usize = 32;
/// More than any input has records, and messages in them.
const STATUSES: usize = 1024;
const UNTOUCHED: i32 = 77;

/// Puts real ids in the place of small numbers, in every record that can be stepped over.
fn aim(buffer: &mut [u8], ids: &[u64; 8]) {
    let aim_at = |word: &mut [u8; 8]| {
        if let Some(id) = ids.get(u64::from_ne_bytes(*word) as usize) {
            *word = id.to_ne_bytes();
        }
    };
    let mut rest = buffer;
    while rest.len() >= HEAD {
        let word =
            |at: usize| u32::from_ne_bytes([rest[at], rest[at + 1], rest[at + 2], rest[at + 3]]) as usize;
        let (size, count) = (word(4), word(24));
        if let Some(target) = rest[8..].first_chunk_mut() {
            aim_at(target);
        }
        let (body, _) = rest[HEAD..].as_chunks_mut::<8>();
        body.iter_mut().take(count).for_each(aim_at);
        if size < HEAD || size > rest.len() {
            return;
        }
        rest = &mut rest[size..];
    }
}

fuzz_target!(|input: &[u8]| {
    server::with(|server, ids| {
        // An allocation of its own, whose end AddressSanitizer watches.
        let mut buffer = input.to_vec().into_boxed_slice();
        aim(&mut buffer, ids);
        let room = input.first().map_or(0, |byte| usize::from(*byte) % 8);
        let mut statuses = vec![UNTOUCHED; STATUSES + room].into_boxed_slice();
        let (count, few) = match room {
            7 => (1, true),
            _ => (statuses.len(), false),
        };
        // SAFETY: a live server; both arrays are as long as they are said to be.
        let done = unsafe {
            wsgate_submit(server, buffer.as_ptr().cast(), buffer.len(), statuses.as_mut_ptr(), count)
        };
        let told = statuses.iter().take_while(|status| **status != UNTOUCHED).count();
        let good = statuses[..told].iter().filter(|status| **status == 0).count();
        assert!(statuses[told..].iter().all(|status| *status == UNTOUCHED), "a status out of order");
        for status in statuses[..told].iter().chain([&done]) {
            // SAFETY: this thread's own text, before its next call.
            let text = || unsafe { CStr::from_ptr(wsgate_last_error()) };
            assert!(*status >= -9, "status {status}: {:?}", text());
        }
        match done {
            _ if few => assert!(told <= 1),
            -1 => assert_eq!(statuses.get(told.wrapping_sub(1)), Some(&-1), "broken, but no record is"),
            done => assert_eq!(done as usize, good, "so many were OK"),
        }
    });
});
