//! Echo with a task for each connection on tokio's current thread: a buffer of its own, a write for each read.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wsgate_benches::{framing, peer};

const BUFFER_SIZE: usize = 4 << 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (_, port) = peer::arguments()?;
    peer::runtime()?.block_on(peer::serve(port, |socket| async {
        // A client that goes away in the middle is the client's affair.
        let _ = serve(socket).await;
    }))?;
    Ok(())
}

async fn serve(mut socket: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_SIZE];
    let mut filled = 0;
    let mut upgraded = false;
    loop {
        // A frame that does not fit makes the buffer grow.
        if filled == buffer.len() {
            buffer.resize(2 * filled, 0);
        }
        let read = socket.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        if !upgraded {
            let Some((response, taken)) = framing::upgrade(&buffer[..filled]) else { continue };
            upgraded = true;
            socket.write_all(&response).await?;
            buffer.copy_within(taken..filled, 0);
            filled -= taken;
        }
        let echo = framing::echo(&mut buffer[..filled]);
        if echo.answer > 0 {
            socket.write_all(&buffer[..echo.answer]).await?;
        }
        if echo.closed {
            return Ok(());
        }
        buffer.copy_within(echo.taken..filled, 0);
        filled -= echo.taken;
    }
}
