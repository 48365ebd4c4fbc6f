//! A plain reading of RFC 6455 §5: everything lies there at once, a message is put together first and judged
//! then. Slow, short, and written without a look at the parser.

use wsgate::protocol::Limits;

use super::{Kind, Said};

struct Message {
    binary: bool,
    fragments: u64,
    data: Vec<u8>,
}

pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Said {
    let mut said = Said::default();
    said.failure = frames(bytes, limits, &mut said).err();
    said
}

fn frames(mut bytes: &[u8], limits: &Limits, said: &mut Said) -> Result<(), u16> {
    let mut message: Option<Message> = None;
    loop {
        // The first byte can be judged before the second is there, and the second before the length.
        let Some(&first) = bytes.first() else { return Ok(()) };
        let (fin, opcode) = (first & 0x80 != 0, first & 15);
        let control = opcode >= 8;
        if first & 0x30 != 0 || matches!(opcode, 3..=7 | 11..) || (control && !fin) {
            return Err(1002);
        }
        let Some(&second) = bytes.get(1) else { return Ok(()) };
        if second & 0x80 == 0 || (control && second & 0x7f > 125) {
            return Err(1002);
        }
        let (field, shortest) = match second & 0x7f {
            126 => (2, 126),
            127 => (8, 0x1_0000),
            _ => (0, 0),
        };
        let Some(extended) = bytes.get(2..2 + field) else { return Ok(()) };
        let length = match field {
            0 => u64::from(second & 0x7f),
            _ => extended.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        if length >> 63 != 0 || length < shortest {
            return Err(1002);
        }
        let Some(mask) = bytes.get(2 + field..6 + field) else { return Ok(()) };
        said.frames += 1;

        let begins = matches!(opcode, 1 | 2);
        if first & 0x40 != 0 || (!control && begins == message.is_some()) {
            return Err(1002);
        }
        if opcode == 2 && limits.text_only {
            return Err(1003);
        }
        if !control {
            let (so_far, fragments) = message.as_ref().map_or((0, 0), |m| (m.data.len() as u64, m.fragments));
            if length > limits.frame || so_far + length > limits.message || fragments == limits.fragments {
                return Err(1009);
            }
        }

        let body = &bytes[6 + field..];
        let there = body.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        let whole = there as u64 == length;
        let payload: Vec<u8> =
            body[..there].iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        bytes = &body[there..];
        if control {
            if whole {
                said.items.push((
                    match opcode {
                        8 => Kind::Close,
                        9 => Kind::Ping,
                        _ => Kind::Pong,
                    },
                    payload,
                ));
            }
            continue;
        }

        let current = message.get_or_insert(Message { binary: opcode == 2, fragments: 0, data: Vec::new() });
        current.fragments += 1;
        current.data.extend(&payload);
        if !current.binary {
            match std::str::from_utf8(&current.data) {
                Err(error) if error.error_len().is_some() || (fin && whole) => return Err(1007),
                _ => {}
            }
        }
        if fin && whole {
            said.items
                .extend(message.take().map(|m| (if m.binary { Kind::Binary } else { Kind::Text }, m.data)));
        }
    }
}
