//! Compiles C against this build's shared library, and runs what comes out within a time limit.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const WARNINGS: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"];

/// The sanitizers of the C side. tests/sanitizers.sh has the library instrumented as well, and tells which it is.
pub(crate) fn sanitizers() -> &'static [&'static str] {
    match under_thread_sanitizer() {
        true => &["-fsanitize=thread"],
        false => &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    }
}

pub(crate) fn under_thread_sanitizer() -> bool {
    std::env::var_os("WSGATE_TEST_SANITIZER").is_some_and(|name| name == "thread")
}

/// A file of the repository.
pub(crate) fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A directory with the shared library under its own name and its SONAME. Cargo leaves the library
/// beside the test binary, so what is tested is always what was just built, unless `WSGATE_TEST_LIBRARY` names another.
pub(crate) fn library_directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        let library =
            std::env::var_os("WSGATE_TEST_LIBRARY").map_or(deps.join("libwsgate.so"), PathBuf::from);
        assert!(library.exists(), "{library:?} is not there: was the crate built as a cdylib?");
        let directory = scratch("library");
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        for name in ["libwsgate.so", "libwsgate.so.0"] {
            symlink(&library, directory.join(name)).unwrap();
        }
        directory
    })
}

/// A path for what the tests make.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c_api");
    fs::create_dir_all(&directory).unwrap();
    directory.join(name)
}

/// Compiles one C source file to the program `name`, and fails with the compiler's words. It is linked
/// with the library if it calls it (`--as-needed`), and finds it again when it runs.
pub(crate) fn compile(source: &str, name: &str, flags: &[&[&str]]) -> PathBuf {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    compile_with(&compiler, source, name, flags)
}

/// The same with a compiler of the caller's choice.
pub(crate) fn compile_with(compiler: &str, source: &str, name: &str, flags: &[&[&str]]) -> PathBuf {
    let (program, library) = (scratch(name), library_directory().display());
    let output = Command::new(compiler)
        .args(flags.concat())
        .arg(format!("-I{}", root("include").display()))
        .arg("-o")
        .arg(&program)
        .arg(root(source))
        .args(under_thread_sanitizer().then(|| root("tests/sanitizers/tsan_memory.c")))
        .args(["-Wl,--as-needed", "-lwsgate", "-ldl", "-pthread"])
        .args([format!("-L{library}"), format!("-Wl,-rpath,{library}")])
        .output()
        .unwrap_or_else(|error| panic!("{compiler}: {error}"));
    assert!(output.status.success(), "{source}:\n{}", String::from_utf8_lossy(&output.stderr));
    program
}

/// The C++ compiler.
pub(crate) fn cxx() -> String {
    std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned())
}

/// A program that runs. Killed if it is still there when this is dropped.
pub(crate) struct Running {
    child: Child,
    errors: PathBuf,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let errors = scratch(&format!("stderr-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let child = command
            .env("LD_LIBRARY_PATH", library_directory())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, errors }
    }

    /// The next line that it prints; what it said to stderr if it ended without one.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "it printed nothing; stderr: {}", self.errors());
        line
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(name).arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end; past the limit it is killed, and that is a failure.
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if Instant::now() > end {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                panic!("it did not end within {limit:?}; stderr: {}", self.errors());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn errors(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.errors).unwrap()).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.errors);
    }
}

/// Runs a program to its end, which must be a good one.
pub(crate) fn run(command: Command, limit: Duration) {
    let mut running = Running::start(command);
    let status = running.wait(limit);
    assert!(status.success(), "{status}\n{}", running.errors());
}
