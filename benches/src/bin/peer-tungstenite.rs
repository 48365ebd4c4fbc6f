//! tokio-tungstenite as its own examples use it (`echo-server`, `server`), apart from the message size.

use std::future::ready;

use futures_util::stream::poll_fn;
use futures_util::{StreamExt, TryStreamExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::unbounded_channel;
use tokio_tungstenite::accept_async_with_config;
use tokio_tungstenite::tungstenite::{Error, Message, protocol::WebSocketConfig};
use wsgate_benches::peer::{self, MAX_MESSAGE_SIZE, Mode, Room};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mode, port) = peer::arguments()?;
    let room = Room::new();
    peer::runtime()?.block_on(peer::serve(port, move |socket| {
        let room = room.clone();
        async move {
            // A client that goes away in the middle is the client's affair.
            let _ = match mode {
                Mode::Echo => echo(socket).await,
                Mode::Broadcast => broadcast(socket, room).await,
            };
        }
    }))?;
    Ok(())
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE_SIZE)).max_frame_size(Some(MAX_MESSAGE_SIZE))
}

fn is_data(message: &Message) -> bool {
    message.is_text() || message.is_binary()
}

async fn echo(socket: TcpStream) -> Result<(), Error> {
    let client = accept_async_with_config(socket, Some(config())).await?;
    let (write, read) = client.split();
    // `forward` flushes when there is nothing more to read, so pipelined messages leave together.
    read.try_filter(|message| ready(is_data(message))).forward(write).await
}

async fn broadcast(socket: TcpStream, room: Room<Message>) -> Result<(), Error> {
    let client = accept_async_with_config(socket, Some(config())).await?;
    let (write, read) = client.split();
    let (outbox, mut queued) = unbounded_channel();
    let _membership = room.join(outbox);
    let receive = read.try_for_each(|message| {
        if is_data(&message) {
            room.broadcast(&message);
        }
        ready(Ok(()))
    });
    let send = poll_fn(|context| queued.poll_recv(context)).map(Ok).forward(write);
    tokio::select! {
        result = receive => result,
        result = send => result,
    }
}
