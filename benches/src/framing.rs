//! Just enough of RFC 6455 for the two drivers to do the same work: upgrade, unmask in place, echo.

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// What `echo` made of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub struct Echo {
    /// The answer is the buffer's first bytes, so many.
    pub answer: usize,
    /// The frames that were taken end here; the bytes behind are the beginning of the next.
    pub taken: usize,
    /// A Close was answered; nothing more is to be read.
    pub closed: bool,
}

/// The response to an upgrade request and the request's length, if it is there as a whole.
#[must_use]
pub fn upgrade(request: &[u8]) -> Option<(Vec<u8>, usize)> {
    let end = request.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&request[..end]);
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim())
    });
    let accept = derive_accept_key(key.unwrap_or_default().as_bytes());
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    Some((response.into_bytes(), end))
}

/// Unmasks all whole frames in `buffer` in place and moves them together at its beginning, as a server sends them: a
/// masked frame is always longer than the same frame unmasked, so one buffer is enough.
pub fn echo(buffer: &mut [u8]) -> Echo {
    let mut echo = Echo { answer: 0, taken: 0, closed: false };
    while let Some((header, length)) = header(&buffer[echo.taken..]) {
        let payload = echo.taken + header;
        let Some(end) = payload.checked_add(length).filter(|end| *end <= buffer.len()) else { break };
        let first = buffer[echo.taken];
        unmask(&mut buffer[payload - 4..end]);
        // Without the mask's four bytes the header is what it was, with a mask bit of 0.
        let unmasked = header - 4;
        buffer.copy_within(echo.taken..echo.taken + unmasked, echo.answer);
        buffer[echo.answer + 1] &= 0x7f;
        buffer.copy_within(payload..end, echo.answer + unmasked);
        match first & 0x0f {
            9 => buffer[echo.answer] = first & 0xf0 | 10,
            8 => echo.closed = true,
            _ => {}
        }
        echo.taken = end;
        // A Pong is not answered.
        if first & 0x0f != 10 {
            echo.answer += unmasked + length;
        }
        if echo.closed {
            break;
        }
    }
    echo
}

/// The sizes of a masked frame's header and payload, if the header is there as a whole.
fn header(bytes: &[u8]) -> Option<(usize, usize)> {
    let (length, size) = match bytes.get(1)? & 0x7f {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 8),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize, 14),
        short => (usize::from(short), 6),
    };
    (bytes.len() >= size).then_some((size, length))
}

/// Takes a mask and the payload behind it.
fn unmask(masked: &mut [u8]) {
    let Some((key, payload)) = masked.split_first_chunk_mut::<4>() else { return };
    let key = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    let mut words = payload.chunks_exact_mut(8);
    for word in &mut words {
        let value = u64::from_ne_bytes(std::array::from_fn(|at| word[at])) ^ key;
        word.copy_from_slice(&value.to_ne_bytes());
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(key.to_ne_bytes()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            len @ 0..126 => frame.push(0x80 | len as u8),
            len => {
                frame.push(0x80 | 126);
                frame.extend((len as u16).to_be_bytes());
            }
        }
        let key = [9, 8, 7, 6];
        frame.extend(key);
        frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        frame
    }

    #[test]
    fn whole_frames_are_echoed_and_the_rest_is_left() {
        let long = vec![b'x'; 300];
        let rest = [0x81, 0x85, 1];
        let mut buffer =
            [masked(0x81, b"Hello"), masked(0x82, &long), masked(0x89, b"hi"), rest.to_vec()].concat();
        let taken = buffer.len() - rest.len();
        let result = echo(&mut buffer);
        let answer = [&[0x81, 5][..], b"Hello", &[0x82, 126, 1, 44], &long, &[0x8a, 2], b"hi"].concat();
        assert_eq!(result, Echo { answer: answer.len(), taken, closed: false });
        assert_eq!(buffer[..result.answer], answer);
        assert_eq!(buffer[taken..], rest);
    }

    #[test]
    fn nothing_is_answered_after_close() {
        let mut buffer = [masked(0x88, &[3, 232]), masked(0x81, b"late")].concat();
        let result = echo(&mut buffer);
        assert!(result.closed);
        assert_eq!(buffer[..result.answer], [0x88, 2, 3, 232]);
    }

    #[test]
    fn the_key_of_the_rfc_is_accepted() {
        let request = b"GET / HTTP/1.1\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nrest";
        let (response, length) = upgrade(request).unwrap();
        assert!(String::from_utf8(response).unwrap().contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(request[length..], *b"rest");
        assert!(upgrade(&request[..20]).is_none());
    }
}
