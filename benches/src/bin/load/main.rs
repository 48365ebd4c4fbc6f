//! A WebSocket load generator that costs little itself: one thread, one poller, frames masked beforehand.

mod broadcast;
mod client;
mod clients;
mod connect;
mod deflate;
mod echo;
mod flood;
mod frames;
mod idle;
mod json;
mod measure;
mod memory;
mod options;
mod process;
mod report;
mod stream;

use std::io;
use std::process::ExitCode;
use std::time::Instant;

use broadcast::Broadcast;
use echo::Echo;
use memory::Memory;
use options::{Mode, Options, USAGE};

fn main() -> ExitCode {
    let options = match Options::parse() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("load: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    let deadline = Instant::now() + options.timeout;
    match options.mode {
        Mode::Echo => {
            let memory = Memory::before(options, deadline)?;
            let mut echo = Echo::connect(options, deadline)?;
            let measured = measure::measure(options, &mut echo)?;
            let memory = memory.map(|memory| memory.per_client(options.clients)).transpose()?;
            report::print("echo", options, 1, measured, memory);
            echo.close();
        }
        Mode::Broadcast => {
            let mut broadcast = Broadcast::connect(options, deadline)?;
            let measured = measure::measure(options, &mut broadcast)?;
            report::print("broadcast", options, options.clients, measured, None);
            broadcast.close();
        }
        Mode::Flood => flood::run(options, deadline)?,
        Mode::Idle => idle::run(options, deadline)?,
        Mode::Stream => stream::run(options, deadline)?,
    }
    Ok(())
}
