//! What is counted for each client, and handed out in its CLOSE event.

/// A client's counters and timestamps. Times are wall clock, nanoseconds since 1970; 0 means never.
///
/// It is part of the C ABI (`wsgate_client_info`): fields are only ever added at the end, and `size`
/// tells how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Info {
    /// How many bytes of this struct the library filled.
    pub size: u64,
    /// Bytes read from the socket.
    pub bytes_in: u64,
    /// Bytes written to the socket.
    pub bytes_out: u64,
    /// Frames of every kind that the client began.
    pub frames_in: u64,
    /// Frames of every kind that were queued for it.
    pub frames_out: u64,
    /// Whole messages from the client.
    pub messages_in: u64,
    /// Messages that were queued for it.
    pub messages_out: u64,
    /// Pings from the client.
    pub pings_in: u64,
    /// Pings to the client.
    pub pings_out: u64,
    /// Pongs from the client, asked for or not.
    pub pongs_in: u64,
    /// Pongs to the client.
    pub pongs_out: u64,
    /// Pings that it has not answered; a pong answers all up to the one it carries.
    pub unanswered_pings: u64,
    /// Bytes that wait in its outbox.
    pub queued_bytes: u64,
    /// Messages for it that were dropped.
    pub dropped: u64,
    /// When it was accepted.
    pub connected_ns: u64,
    /// When its CLOSE event was raised.
    pub closed_ns: u64,
    /// When bytes were last read.
    pub last_read_ns: u64,
    /// When bytes were last written.
    pub last_send_ns: u64,
    /// When a message last arrived.
    pub last_data_read_ns: u64,
    /// When a message was last queued.
    pub last_data_send_ns: u64,
    /// When the last ping was sent.
    pub last_heartbeat_ns: u64,
    /// 0.
    pub reserved: u64,
}

/// `size_of::<Info>()`, as `size` carries it.
pub(crate) const INFO_SIZE: usize = size_of::<Info>();

impl Info {
    /// The bytes as they lie in memory.
    pub(crate) fn to_bytes(self) -> [u8; INFO_SIZE] {
        let words = [
            INFO_SIZE as u64,
            self.bytes_in,
            self.bytes_out,
            self.frames_in,
            self.frames_out,
            self.messages_in,
            self.messages_out,
            self.pings_in,
            self.pings_out,
            self.pongs_in,
            self.pongs_out,
            self.unanswered_pings,
            self.queued_bytes,
            self.dropped,
            self.connected_ns,
            self.closed_ns,
            self.last_read_ns,
            self.last_send_ns,
            self.last_data_read_ns,
            self.last_data_send_ns,
            self.last_heartbeat_ns,
            self.reserved,
        ];
        let mut bytes = [0; INFO_SIZE];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    /// Reads the front of a CLOSE event's data; what follows is the reason.
    pub fn split(data: &[u8]) -> Option<(Self, &[u8])> {
        let size = usize::try_from(u64::from_ne_bytes(data.get(..8)?.try_into().ok()?)).ok()?;
        let (head, reason) = (data.get(..size)?, data.get(size..)?);
        let mut words = head.chunks_exact(8).map(|w| w.try_into().map(u64::from_ne_bytes).unwrap_or(0));
        let mut word = || words.next().unwrap_or(0);
        Some((
            Self {
                size: word(),
                bytes_in: word(),
                bytes_out: word(),
                frames_in: word(),
                frames_out: word(),
                messages_in: word(),
                messages_out: word(),
                pings_in: word(),
                pings_out: word(),
                pongs_in: word(),
                pongs_out: word(),
                unanswered_pings: word(),
                queued_bytes: word(),
                dropped: word(),
                connected_ns: word(),
                closed_ns: word(),
                last_read_ns: word(),
                last_send_ns: word(),
                last_data_read_ns: word(),
                last_data_send_ns: word(),
                last_heartbeat_ns: word(),
                reserved: word(),
            },
            reason,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_the_struct_and_the_reason_follows() {
        let info = Info {
            size: INFO_SIZE as u64,
            bytes_in: 1,
            dropped: 13,
            last_heartbeat_ns: 20,
            ..Info::default()
        };
        let mut data = info.to_bytes().to_vec();
        data.extend_from_slice(b"bye");
        assert_eq!(Info::split(&data), Some((info, &b"bye"[..])));
        assert_eq!(Info::split(&data[..20]), None);
        assert_eq!(INFO_SIZE, 176);
    }
}
