//! What the server's process, with its children, has used so far.

use std::fs;
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A server's processes, as they are when measured: what a child used that has ended meanwhile is lost.
#[derive(Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// CPU time, user and system, of all threads, also of those that ended.
    pub(crate) fn cpu(self) -> io::Result<Duration> {
        self.with_children().into_iter().map(cpu_time).sum()
    }

    /// Waits until the process has been idle for some milliseconds (work goes on after the last answer), but no longer
    /// than `bound`: there are servers that are never idle. Returns its CPU time then.
    pub(crate) fn settle(self, bound: Duration) -> io::Result<Duration> {
        const QUIET: Duration = Duration::from_millis(5);
        let give_up = Instant::now() + bound;
        let mut before = self.cpu()?;
        loop {
            sleep(QUIET);
            let now = self.cpu()?;
            // A timer that ticks is idleness still.
            if now.saturating_sub(before) < QUIET / 100 || Instant::now() >= give_up {
                return Ok(now);
            }
            before = now;
        }
    }

    /// Bytes of memory that the processes wrote to and hold: anonymous and shared, shared parts counted once.
    pub(crate) fn memory(self) -> io::Result<u64> {
        self.with_children().into_iter().map(memory).sum()
    }

    /// Lets [`Process::peak`] begin anew.
    pub(crate) fn forget_peak(self) -> io::Result<()> {
        self.with_children().into_iter().try_for_each(|pid| fs::write(format!("/proc/{pid}/clear_refs"), "5"))
    }

    /// The most memory that the processes had at a time, each by itself: resident, mapped files included.
    pub(crate) fn peak(self) -> io::Result<u64> {
        let peak = |pid| Ok(1024 * kibibytes(&fs::read_to_string(format!("/proc/{pid}/status"))?, "VmHWM:"));
        self.with_children().into_iter().map(peak).sum()
    }

    fn with_children(self) -> Vec<u32> {
        let mut pids = vec![self.0];
        let mut at = 0;
        while let Some(pid) = pids.get(at) {
            let children = children(*pid);
            pids.extend(children);
            at += 1;
        }
        pids
    }
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .collect()
}

/// From the process's CPU-time clock: nanoseconds, where /proc/PID/stat has ticks of 10 ms and schedstat leaves out the
/// threads that ended.
fn cpu_time(pid: u32) -> io::Result<Duration> {
    let mut clock = 0;
    // SAFETY: `clock` is a valid place for the answer.
    let error = unsafe { libc::clock_getcpuclockid(pid as libc::pid_t, &raw mut clock) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the answer.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

fn memory(pid: u32) -> io::Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    Ok(1024 * (kibibytes(&rollup, "Pss_Anon:") + kibibytes(&rollup, "Pss_Shmem:")))
}

/// The figure that follows a name in one of /proc's files.
fn kibibytes(file: &str, name: &str) -> u64 {
    let line = file.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_seen_to_the_microsecond() {
        let this = Process(std::process::id());
        let before = this.cpu().unwrap();
        (0..2_000_000).for_each(|number| {
            std::hint::black_box(number);
        });
        let used = this.cpu().unwrap() - before;
        assert!(used > Duration::from_micros(100), "{used:?}");
        assert_ne!(used.subsec_nanos() % 10_000_000, 0, "ticks, not nanoseconds");
    }

    #[test]
    fn written_memory_is_counted() {
        let this = Process(std::process::id());
        let before = this.memory().unwrap();
        let block = std::hint::black_box(vec![1u8; 8 << 20]);
        assert!(this.memory().unwrap() - before > 7 << 20);
        drop(block);
    }

    #[test]
    fn children_count() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let found = Process(std::process::id()).with_children().contains(&child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found);
    }
}
