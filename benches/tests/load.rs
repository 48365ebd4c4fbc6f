//! The load generator against the servers of this workspace.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

struct Server {
    process: Child,
    port: String,
}

impl Server {
    fn start(program: &str, mode: &str) -> Server {
        let mut process = Command::new(program)
            .args([mode, "0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("listening on ws://127.0.0.1:").and_then(|l| l.strip_suffix('/'));
        Server { port: port.expect("the line that all servers print").to_string(), process }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn load(arguments: &[&str]) -> Output {
    let bounded = ["--timeout", "10"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_load"));
    command.args(arguments).args(bounded).stdin(Stdio::null()).output().expect("the load generator starts")
}

/// The number behind a name in the line of JSON that was printed.
fn figure(output: &Output, name: &str) -> f64 {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = String::from_utf8_lossy(&output.stdout);
    let rest = line.split_once(&format!("\"{name}\": ")).expect(name).1;
    rest.split([',', '}']).next().unwrap().parse().unwrap()
}

#[test]
fn every_echo_server_echoes_every_size() {
    for program in [
        env!("CARGO_BIN_EXE_peer-fastwebsockets"),
        env!("CARGO_BIN_EXE_peer-tungstenite"),
        env!("CARGO_BIN_EXE_driver-poll"),
        env!("CARGO_BIN_EXE_driver-task"),
    ] {
        let server = Server::start(program, "echo");
        for (size, kind) in [("0", "--text"), ("32", "--binary"), ("1024", "--text"), ("300000", "--binary")]
        {
            // All of it is warm-up, so that all contents are compared.
            let sizes = ["--size", size, kind, "--clients", "3", "--depth", "5", "--warmup", "60"];
            let output = load(&[&["echo", "--port", &server.port, "--messages", "10"], &sizes[..]].concat());
            assert_eq!(figure(&output, "messages"), 10.0, "{program}, {size} bytes");
        }
    }
}

#[test]
fn a_broadcast_is_done_when_all_have_it() {
    for program in [env!("CARGO_BIN_EXE_peer-fastwebsockets"), env!("CARGO_BIN_EXE_peer-tungstenite")] {
        let server = Server::start(program, "broadcast");
        let pid = server.process.id().to_string();
        let size = ["--clients", "20", "--in-flight", "4", "--warmup", "12"];
        let measured = ["--port", &server.port, "--pid", &pid, "--messages", "30"];
        let output = load(&[&["broadcast"], &measured[..], &size].concat());
        assert_eq!(figure(&output, "deliveries"), 600.0, "{program}");
        assert!(figure(&output, "server_cpu_ns_per_delivery") > 0.0, "{program}");
    }
}

#[test]
fn a_flood_is_over_when_all_lies_in_everybodys_buffer() {
    let server = Server::start(env!("CARGO_BIN_EXE_peer-tungstenite"), "broadcast");
    let pid = server.process.id().to_string();
    let size = ["--clients", "20", "--in-flight", "4", "--messages", "30", "--floods", "2"];
    let output = load(&[&["flood", "--port", &server.port, "--pid", &pid], &size[..]].concat());
    assert_eq!(figure(&output, "deliveries"), 1200.0);
    assert!(figure(&output, "deliveries_per_second") > 0.0);
}

#[test]
fn an_idle_client_of_tungstenite_has_its_buffer() {
    let server = Server::start(env!("CARGO_BIN_EXE_peer-tungstenite"), "echo");
    let pid = server.process.id().to_string();
    let output = load(&["idle", "--port", &server.port, "--pid", &pid, "--clients", "200"]);
    assert!(figure(&output, "memory_per_client") > 100_000.0, "tungstenite reads into 128 KiB a client");
}

#[test]
fn an_answer_that_was_not_sent_fails_the_run() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let liar = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let _ = socket.read(&mut request).unwrap();
        let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        write!(socket, "HTTP/1.1 101 Switching Protocols\r\n{accept}\r\n\r\n").unwrap();
        let _ = socket.read(&mut request).unwrap();
        socket.write_all(b"\x81\x04liar").unwrap();
        // Stays until the other side has seen it and gone.
        let _ = socket.read(&mut request);
    });
    let output = load(&["echo", "--port", &port, "--clients", "1", "--size", "4", "--messages", "1"]);
    liar.join().unwrap();
    assert!(!output.status.success());
    let reason = String::from_utf8_lossy(&output.stderr);
    assert!(reason.contains("wrong contents"), "{reason}");
}

#[test]
fn a_server_that_refuses_the_upgrade_fails_the_run() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let refusing = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let _ = socket.read(&mut [0; 1024]).unwrap();
        socket.write_all(b"HTTP/1.1 426 Upgrade Required\r\n\r\n").unwrap();
    });
    let output = load(&["echo", "--port", &port, "--clients", "1", "--messages", "1"]);
    refusing.join().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("426"));
}
