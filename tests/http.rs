//! Files and a request handler, as curl sees them.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // these are tests, and a skipped one must be seen

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use wsgate::{Config, Delivery, Event, Handle, Kind, Request, RequestId, Server};

/// What curl was answered.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

struct Site {
    server: Option<Server>,
    port: u16,
    directory: PathBuf,
}

impl Site {
    /// Files at `/`, and a handler that tells what it was asked. `None` without curl.
    fn start(name: &str) -> Option<Self> {
        if Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_err() {
            eprintln!("SKIPPED: curl is not installed");
            return None;
        }
        let directory = std::env::temp_dir().join(format!("wsgate-http-{name}-{}", std::process::id()));
        fs::create_dir_all(directory.join("public/sub")).unwrap();
        fs::write(directory.join("secret.txt"), "secret").unwrap();
        fs::write(directory.join("public/index.html"), "<p>home").unwrap();
        fs::write(directory.join("public/.htaccess"), "secret").unwrap();
        fs::write(directory.join("public/long.txt"), "0123456789".repeat(1000)).unwrap();
        let mut config = Config::new();
        config.listen("127.0.0.1:0").unwrap();
        config.add_endpoint("/chat").unwrap();
        config.set_directory(directory.join("public")).unwrap();
        config.set_requests(true);
        config.set_max_body_size(1000).unwrap();
        let server = Server::start(config, Delivery::push(answer)).unwrap();
        Some(Self { port: server.port(0).unwrap(), server: Some(server), directory })
    }

    fn curl(&self, path: &str, arguments: &[&str]) -> Answer {
        self.curl_with(path, arguments, b"")
    }

    fn curl_with(&self, path: &str, arguments: &[&str], input: &[u8]) -> Answer {
        let head = self.directory.join("head");
        let mut curl = Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "20", "--path-as-is", "--dump-header"])
            .arg(&head)
            .args(arguments)
            .arg(format!("http://127.0.0.1:{}{path}", self.port))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It may have its answer before it has taken all.
        let _ = curl.stdin.take().unwrap().write_all(input);
        let output = curl.wait_with_output().unwrap();
        assert!(output.status.success(), "curl {path} {arguments:?}: {}", output.status);
        let head = fs::read_to_string(&head).unwrap();
        // The last one: 100 Continue comes before.
        let last = head.trim_end().rsplit("\r\n\r\n").next().unwrap().to_owned();
        let status = last.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: last, body: output.stdout }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop(Duration::ZERO).unwrap();
            server.join().unwrap();
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// `/api/…` is answered with what was asked, other paths with 404.
fn answer(server: &Handle, event: &Event<'_>) {
    if event.kind != Kind::Request {
        return;
    }
    let request = Request::parse(event.data).unwrap();
    let text: &[(&[u8], &[u8])] = &[(b"Content-Type", b"text/plain")];
    let (status, body) = match request.path().starts_with("/api/") {
        true => (200, format!("{} {} {}", request.method(), request.target(), request.body().len())),
        false => (404, "no such thing".to_owned()),
    };
    let body = if request.path() == "/api/long" { body.repeat(100) } else { body };
    // The peer may have left.
    let _ = server.respond(RequestId(event.client), status, text, body.as_bytes());
}

#[test]
fn curl_gets_files_as_it_asks_for_them() {
    let Some(site) = Site::start("files") else { return };
    let home = site.curl("/", &[]);
    assert_eq!((home.status, &home.body[..]), (200, &b"<p>home"[..]));
    assert!(home.header("content-type").unwrap().starts_with("text/html"), "{}", home.head);

    let head = site.curl("/long.txt", &["--head"]);
    assert_eq!((head.status, head.header("content-length")), (200, Some("10000")));
    let (etag, modified) = (head.header("etag").unwrap(), head.header("last-modified").unwrap());
    for condition in [format!("If-None-Match: {etag}"), format!("If-Modified-Since: {modified}")] {
        let unchanged = site.curl("/long.txt", &["--header", &condition]);
        assert_eq!((unchanged.status, unchanged.body.len()), (304, 0), "{condition}");
    }
    let part = site.curl("/long.txt", &["--range", "5-14"]);
    assert_eq!((part.status, &part.body[..]), (206, &b"5678901234"[..]));
    assert_eq!(part.header("content-range"), Some("bytes 5-14/10000"));
    assert_eq!(site.curl("/long.txt", &["--range", "10000-"]).status, 416);

    let packed = site.curl("/long.txt", &["--compressed"]);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.body, "0123456789".repeat(1000).as_bytes(), "curl has unpacked it");
    let head = site.curl("/long.txt", &["--head", "--compressed"]);
    assert_eq!(head.header("content-length"), packed.header("content-length"), "HEAD is told what GET is");
    assert_eq!(site.curl("/sub", &[]).header("location"), Some("/sub/"));
}

#[test]
fn curl_gets_nothing_from_outside_of_the_directory() {
    let Some(site) = Site::start("outside") else { return };
    for path in ["/../secret.txt", "/sub/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/%00"]
    {
        assert_eq!(site.curl(path, &[]).status, 400, "{path}");
    }
    for path in ["/.htaccess", "//secret.txt", "/missing.txt", "/sub/"] {
        let answer = site.curl(path, &[]);
        assert_eq!(
            (answer.status, &answer.body[..]),
            (404, &b"no such thing"[..]),
            "{path}: the handler's words"
        );
    }
}

#[test]
fn curl_is_answered_by_the_handler() {
    let Some(site) = Site::start("handler") else { return };
    let asked = site.curl("/api/x?y=%20", &[]);
    assert_eq!((asked.status, &asked.body[..]), (200, &b"GET /api/x?y=%20 0"[..]));
    let head = site.curl("/api/x", &["--head"]);
    assert_eq!((head.status, head.header("content-length")), (200, Some("13")));
    let put = site.curl("/api/x", &["--request", "PUT", "--data-binary", "four"]);
    assert_eq!(put.body, b"PUT /api/x 4");
    let long = site.curl("/api/long", &["--compressed"]);
    assert_eq!(
        (long.header("content-encoding"), long.header("vary")),
        (Some("gzip"), Some("accept-encoding"))
    );
    assert_eq!(long.body, b"GET /api/long 0".repeat(100));
    let not_allowed = site.curl("/api/x", &["--request", "TRACE"]);
    assert_eq!(not_allowed.status, 405);
    assert!(not_allowed.header("allow").unwrap().contains("DELETE"));
}

#[test]
fn curl_is_told_that_its_body_is_too_large() {
    let Some(site) = Site::start("body") else { return };
    let fits = vec![b'x'; 1000];
    let upload: &[&str] = &["--request", "POST", "--upload-file", "-"];
    let chunked = site.curl_with("/api/x", upload, &fits);
    assert_eq!((chunked.status, &chunked.body[..]), (200, &b"POST /api/x 1000"[..]));
    assert_eq!(site.curl_with("/api/x", upload, &vec![b'x'; 1001]).status, 413);
    let large = vec![b'x'; 5 << 20];
    let sized: &[&str] = &["--header", "Expect:", "--data-binary", "@-"];
    for arguments in [sized, &["--data-binary", "@-"], upload] {
        let answer = site.curl_with("/api/x", arguments, &large);
        assert_eq!((answer.status, answer.header("connection")), (413, Some("close")), "{arguments:?}");
    }
}
