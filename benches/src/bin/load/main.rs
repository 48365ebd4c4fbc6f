//! A WebSocket load generator that costs little itself: one thread, one poller, frames masked beforehand.

mod broadcast;
mod client;
mod clients;
mod connect;
mod deflate;
mod echo;
mod frames;
mod idle;
mod measure;
mod options;
mod process;
mod report;

use std::io;
use std::process::ExitCode;
use std::time::Instant;

use broadcast::Broadcast;
use echo::Echo;
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
            let mut echo = Echo::connect(options, deadline)?;
            report::print("echo", options, 1, measure::measure(options, &mut echo)?);
            echo.close();
        }
        Mode::Broadcast => {
            let mut broadcast = Broadcast::connect(options, deadline)?;
            report::print("broadcast", options, options.clients, measure::measure(options, &mut broadcast)?);
            broadcast.close();
        }
        Mode::Idle => idle::run(options, deadline)?,
    }
    Ok(())
}
