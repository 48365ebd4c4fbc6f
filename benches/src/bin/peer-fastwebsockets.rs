//! fastwebsockets as its README uses it: hyper's upgrade, `FragmentCollector`, `writev`, automatic pong and Close.

use bytes::Bytes;
use fastwebsockets::upgrade::{UpgradeFut, upgrade};
use fastwebsockets::{
    FragmentCollector, FragmentCollectorRead, Frame, OpCode, Payload, WebSocketError, WebSocketWrite,
};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWrite, BufWriter};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wsgate_benches::peer::{self, MAX_MESSAGE_SIZE, Mode, Room};

type Message = (OpCode, Bytes);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mode, port) = peer::arguments()?;
    let room = Room::new();
    peer::runtime()?.block_on(peer::serve(port, move |socket| accept(socket, mode, room.clone())))?;
    Ok(())
}

async fn accept(socket: TcpStream, mode: Mode, room: Room<Message>) {
    let service = service_fn(|mut request: Request<Incoming>| {
        let room = room.clone();
        async move {
            let (response, client): (Response<Empty<Bytes>>, _) = upgrade(&mut request)?;
            tokio::spawn(async move {
                // A client that goes away in the middle is the client's affair.
                let _ = match mode {
                    Mode::Echo => echo(client).await,
                    Mode::Broadcast => broadcast(client, room).await,
                };
            });
            Ok::<_, WebSocketError>(response)
        }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).with_upgrades().await;
}

async fn echo(client: UpgradeFut) -> Result<(), WebSocketError> {
    let mut client = client.await?;
    client.set_writev(true);
    client.set_auto_close(true);
    client.set_auto_pong(true);
    client.set_max_message_size(MAX_MESSAGE_SIZE);
    let mut client = FragmentCollector::new(client);
    loop {
        let frame = client.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => client.write_frame(frame).await?,
            _ => {}
        }
    }
}

async fn broadcast(client: UpgradeFut, room: Room<Message>) -> Result<(), WebSocketError> {
    let mut client = client.await?;
    client.set_max_message_size(MAX_MESSAGE_SIZE);
    // The crate writes frame by frame; buffered, what has queued up for a client leaves in one write.
    let (read, write) = client.split(|io| {
        let (read, write) = tokio::io::split(io);
        (read, BufWriter::new(write))
    });
    let (outbox, queued) = unbounded_channel();
    let _membership = room.join(outbox.clone());
    tokio::select! {
        result = receive(FragmentCollectorRead::new(read), &outbox, &room) => result,
        result = send(queued, write) => result,
    }
}

async fn receive<R>(
    mut client: FragmentCollectorRead<R>,
    outbox: &UnboundedSender<Message>,
    room: &Room<Message>,
) -> Result<(), WebSocketError>
where
    R: tokio::io::AsyncRead + Unpin,
{
    // The answers to Ping and Close; the sending half ends with a Close.
    let mut answer = |frame: Frame<'_>| {
        let queued = outbox.send((frame.opcode, Bytes::copy_from_slice(&frame.payload)));
        async { queued }
    };
    loop {
        let frame = client.read_frame(&mut answer).await?;
        match frame.opcode {
            OpCode::Close => return std::future::pending().await,
            OpCode::Text | OpCode::Binary => {
                let payload = match frame.payload {
                    Payload::Bytes(payload) => payload.freeze(),
                    other => Bytes::from(Vec::from(other)),
                };
                room.broadcast(&(frame.opcode, payload));
            }
            _ => {}
        }
    }
}

async fn send<W>(
    mut queued: UnboundedReceiver<Message>,
    mut client: WebSocketWrite<W>,
) -> Result<(), WebSocketError>
where
    W: AsyncWrite + Unpin,
{
    while let Some(first) = queued.recv().await {
        let mut next = Some(first);
        while let Some((opcode, payload)) = next {
            client.write_frame(Frame::new(true, opcode, None, Payload::Borrowed(&payload))).await?;
            if opcode == OpCode::Close {
                return client.flush().await;
            }
            next = queued.try_recv().ok();
        }
        client.flush().await?;
    }
    Ok(())
}
