//! What callers do: every call that any thread may make, about those who are there and about nobody.

use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use wsgate::{ClientId, ErrorKind, GatewayId, Handle};

use crate::world::World;

/// One of the callers: all calls, in another order each, until it is over.
pub(crate) fn call(world: &World, server: &Handle, seed: u64) {
    let large = vec![b'x'; 100_000];
    let mut n = seed * 1000;
    while !world.over.load(Relaxed) {
        n += 1;
        let (client, gateway) = (world.client(n / 3), world.gateway(n / 7));
        match n % 97 {
            0 => world.note(server.close(client, 1000, b"enough")),
            1 => {
                let slot = &world.gateways[n as usize / 97 % world.gateways.len()];
                let old = GatewayId(slot.swap(server.new_gateway().unwrap().0, Relaxed));
                world.note(server.free_gateway(old));
            }
            2 => world.note(server.broadcast_binary(gateway, &large, &[client])),
            3 => world.note(server.send_binary(client, &large)),
            4..20 => world.note(server.broadcast_text(gateway, b"to all but one", &[client])),
            46..50 => world.note(server.multicast_text(gateway, b"to some", &[client, world.client(n)])),
            50..54 => world.note_asked(server.multicast_with_outcome(gateway, false, b"?", &[client], n)),
            54..56 => world.note_asked(server.broadcast_with_outcome(gateway, true, &large, &[], n)),
            56 => drop(server.gateway_clients(gateway)),
            57 => {
                let name = format!("gateway {}", n % 3);
                // Another may have the name.
                let _ = server.set_gateway_name(gateway, &name);
                drop((server.find_gateway(&name), server.gateway_name(gateway)));
            }
            20..30 => world.note(server.join_gateway(gateway, client)),
            30..35 => world.note(server.leave_gateway(gateway, client)),
            35..40 => world.note(server.ping(client, n)),
            40..45 => world.note(server.set_user_data(client, n)),
            45 => drop(server.gateway_count(gateway)),
            58..75 => in_parts(server, client, n),
            _ => world.note(server.send_text(client, b"to one")),
        }
        about_nobody(world, server, n);
        if n.is_multiple_of(16) {
            thread::yield_now();
        }
    }
}

/// A part of a message. Another thread may have begun one, or ended it: then it is refused.
fn in_parts(server: &Handle, client: ClientId, n: u64) {
    drop(match n % 97 {
        58..61 => server.begin_text(client),
        61 => server.begin_binary(client),
        62..72 => server.send_chunk(client, b"a part "),
        72..74 => server.end_message(client, b"the last"),
        _ => server.discard(client, n % 5),
    });
}

/// Calls with an id that is nobody's: CLOSED, whatever is asked for.
fn about_nobody(world: &World, server: &Handle, n: u64) {
    let (nobody, gateway) = (world.nobody(n), world.gateway(n));
    let results = [
        server.send_binary(nobody, b"to nobody"),
        match n % 11 {
            0 => server.close(nobody, 1000, b"enough"),
            1 => server.join_gateway(gateway, nobody),
            2 => server.leave_gateway(gateway, nobody),
            3 => server.begin_text(nobody),
            4 => server.discard(nobody, n),
            5 => server.set_user_data(nobody, n),
            _ => server.ping(nobody, n),
        },
    ];
    for result in &results {
        let kind = result.as_ref().map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::Closed), "about {nobody:?}, who is gone or never was");
    }
    world.stale.fetch_add(results.len() as u64, Relaxed);
}
