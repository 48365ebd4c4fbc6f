//! The server behind the buffers: two clients and two gateways, made anew when a record ended one.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ptr::null_mut;
use std::thread;

use wsgate::ffi::{
    Batch, EventKind, Server, Status, wsgate_batch_new, wsgate_gateway_count, wsgate_gateway_new,
    wsgate_server_add_endpoint, wsgate_server_listen, wsgate_server_new, wsgate_server_port,
    wsgate_server_set_log_level, wsgate_server_set_workers, wsgate_server_start, wsgate_server_take,
};

struct World {
    server: *mut Server,
    batch: *mut Batch,
    port: u16,
    /// Two clients, two gateways, and four that are stale.
    ids: [u64; 8],
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

/// Gives the server and the ids, all alive.
pub(crate) fn with(test: impl FnOnce(*mut Server, &[u64; 8])) {
    WORLD.with_borrow_mut(|world| {
        world.mend();
        test(world.server, &world.ids);
    });
}

impl World {
    fn new() -> Self {
        let server = wsgate_server_new();
        let mut endpoint = 0;
        // SAFETY: a live server, strings with their lengths, and out-parameters of ours.
        let port = unsafe {
            assert_eq!(wsgate_server_listen(server, c"127.0.0.1:0".as_ptr(), 11), Status::Ok);
            assert_eq!(wsgate_server_add_endpoint(server, c"/".as_ptr(), 1, &raw mut endpoint), Status::Ok);
            assert_eq!(wsgate_server_set_workers(server, 1), Status::Ok);
            assert_eq!(wsgate_server_set_log_level(server, 0), Status::Ok);
            assert_eq!(wsgate_server_start(server), Status::Ok);
            wsgate_server_port(server, 0)
        };
        let mut world =
            Self { server, batch: wsgate_batch_new(), port: u16::try_from(port).unwrap(), ids: [0; 8] };
        world.ids[4..].copy_from_slice(&[1 << 40, u64::MAX, 1 << 63, 12_345]);
        world
    }

    /// Takes what happened, and replaces who is gone.
    fn mend(&mut self) {
        self.take(0, |_, _| {});
        for place in 0..2 {
            if self.ids[place] == 0 {
                self.ids[place] = self.connect();
            }
        }
        for place in 2..4 {
            // SAFETY: a live server; the id may be any.
            if unsafe { wsgate_gateway_count(self.server, self.ids[place]) } < 0 {
                // SAFETY: as above, and an out-parameter of ours.
                let made = unsafe { wsgate_gateway_new(self.server, &raw mut self.ids[place]) };
                assert_eq!(made, Status::Ok);
            }
        }
    }

    /// A client that reads all it gets and says nothing but what its close needs.
    fn connect(&mut self) -> u64 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .write_all(
                b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            )
            .unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 1 << 16];
            while matches!(stream.read(&mut buffer), Ok(1..)) {}
        });
        let mut accepted = 0;
        while accepted == 0 {
            self.take(-1, |kind, client| {
                if kind == EventKind::Accept as u32 {
                    accepted = client;
                }
            });
        }
        accepted
    }

    fn take(&mut self, timeout_ms: i32, mut see: impl FnMut(u32, u64)) {
        // SAFETY: a live server and a batch of ours.
        let count = unsafe { wsgate_server_take(self.server, self.batch, 0, timeout_ms) };
        assert!(count >= 0, "take: {count}");
        for number in 0..count as usize {
            // SAFETY: the batch holds `count` events until it is taken into again.
            let event = unsafe { &*(*self.batch).events.add(number) };
            see(event.kind, event.client);
            if event.kind == EventKind::Close as u32 {
                self.ids.iter_mut().filter(|id| **id == event.client).for_each(|id| *id = 0);
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server = null_mut(); // the process ends with it
    }
}
