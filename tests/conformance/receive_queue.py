"""How much of what was written the server has not read yet, as the kernel counts it.

Without this a message written in pieces would arrive whole: the kernel puts pieces together that
wait in one receive queue."""

from __future__ import annotations

import errno
import socket
import struct

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
NLMSG_ERROR = 2
NO_COOKIE = (0xFFFFFFFF, 0xFFFFFFFF)


def unread(reader_port: int, writer_port: int) -> int | None:
    """Bytes in the receive queue of the loopback socket on `reader_port` whose peer is
    `writer_port`; None when there is no such socket (any more)."""
    loopback = socket.inet_aton("127.0.0.1") + bytes(12)
    # linux/inet_diag.h: inet_diag_req_v2 with its inet_diag_sockid, after a nlmsghdr
    query = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF)
    query += struct.pack("!HH", reader_port, writer_port) + loopback + loopback
    query += struct.pack("=III", 0, *NO_COOKIE)
    head = struct.pack("=IHHII", 16 + len(query), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG) as kernel:
        kernel.send(head + query)
        answer = kernel.recv(4096)
    if struct.unpack_from("=H", answer, 4)[0] == NLMSG_ERROR:
        error = -struct.unpack_from("=i", answer, 16)[0]
        if error != errno.ENOENT:
            raise OSError(error, "inet_diag")
        return None
    # inet_diag_msg: 4 bytes, the 48 of its inet_diag_sockid, u32 expires, u32 rqueue
    return int(struct.unpack_from("=I", answer, 16 + 4 + 48 + 4)[0])
