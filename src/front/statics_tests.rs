//! Files over real sockets: what is served, and what stays hidden.

use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::super::harness::{Directory, HANDSHAKE, Running};
use super::*;
use crate::config::Config;

#[test]
fn files_are_served_with_their_type_and_length() {
    let directory = Directory::new();
    let front = Running::start(Some(directory.public()));
    for (path, content, kind) in [
        ("/", "<p>home", "text/html"),
        ("/index.html?v=1", "<p>home", "text/html"),
        ("/sub%20dir/", "<p>sub", "text/html"),
        ("/plain.txt", "0123456789", "text/plain"),
        ("/empty.txt", "", "text/plain"),
    ] {
        let answer = front.get(path);
        assert_eq!((answer.status(), answer.header("content-type")), (200, Some(kind)), "{path}");
        assert_eq!(String::from_utf8_lossy(&answer.body), content, "{path}");
    }
    let head = front.ask("HEAD /plain.txt HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(
        (head.status(), head.header("content-length"), head.header("content-type")),
        (200, Some("10"), Some("text/plain"))
    );
}

#[test]
fn an_endpoint_goes_before_a_file_of_its_name() {
    let directory = Directory::new();
    directory.write("public/chat", "file");
    let front = Running::start(Some(directory.public()));
    assert_eq!(front.get("/chat").status(), 426);
    assert_eq!(front.ask(HANDSHAKE).status(), 101);
}

#[test]
fn a_large_file_arrives_whole() {
    let directory = Directory::new();
    let content: String = (0..300_000).map(|number| format!("{number:07}\n")).collect();
    directory.write("public/large.txt", &content);
    let front = Running::start(Some(directory.public()));
    let mut peer = front.connect();
    for _ in 0..2 {
        assert!(peer.ask("GET /large.txt HTTP/1.1\r\nHost: x\r\n\r\n").body == content.as_bytes());
    }
}

#[test]
fn files_are_only_read() {
    let directory = Directory::new();
    let front = Running::start(Some(directory.public()));
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = front.ask(&format!("{method} /plain.txt HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!((answer.status(), answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
}

#[test]
fn a_directory_is_redirected_to_its_slash_on_this_host() {
    let directory = Directory::new();
    let front = Running::start(Some(directory.public()));
    for (path, location) in
        [("/sub%20dir", "/sub%20dir/"), ("/sub%20dir?a=b", "/sub%20dir/?a=b"), ("//sub%20dir", "/sub%20dir/")]
    {
        let answer = front.get(path);
        assert_eq!((answer.status(), answer.header("location")), (301, Some(location)), "{path}");
    }
    assert_eq!(front.get("/sub%20dir/deep/").status(), 404, "no listing without an index");
}

#[test]
fn nothing_leads_out_of_the_directory_or_to_hidden_files() {
    let directory = Directory::new();
    let public = directory.public();
    symlink("../secret.txt", public.join("link.txt")).unwrap();
    symlink(".hidden", public.join("shown.txt")).unwrap();
    symlink("..", public.join("up")).unwrap();
    symlink("loop", public.join("loop")).unwrap();
    symlink("plain.txt", public.join("inside.txt")).unwrap();
    let _socket = UnixListener::bind(public.join("socket")).unwrap();
    let front = Running::start(Some(public));
    let long = format!("/{}", "x".repeat(300));
    for path in [
        "/../secret.txt",
        "/sub%20dir/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E%2Fsecret.txt",
        "/..%2fsecret.txt",
        "/sub%20dir%2f..%2f..%2fsecret.txt",
        "/..\\secret.txt",
        "/..%5csecret.txt",
        "/sub%20dir/../plain.txt",
        "/./plain.txt",
        "/plain.txt%00",
        "/plain.txt%",
        "/plain.txt%2",
        "/plain.txt%+1",
        "/%ff",
    ] {
        assert_eq!(front.get(path).status(), 400, "{path}");
    }
    for path in [
        "/.hidden",
        "/%2ehidden",
        "/plain.txt/",
        "/plain.txt/more",
        "/link.txt",
        "/shown.txt",
        "/up/secret.txt",
        "/up",
        "/loop",
        "/socket",
        "/missing.txt",
        &long,
    ] {
        assert_eq!(front.get(path).status(), 404, "{path}");
    }
    assert_eq!(front.get("/inside.txt").body, b"0123456789", "a link that stays inside is fine");
}

#[test]
fn an_unchanged_file_is_not_sent_again() {
    let directory = Directory::new();
    let front = Running::start(Some(directory.public()));
    let first = front.get("/plain.txt");
    let (etag, modified) = (first.header("etag").unwrap(), first.header("last-modified").unwrap());
    let strong = etag.trim_start_matches("W/");
    for header in [
        format!("If-None-Match: {etag}"),
        format!("If-None-Match: \"x\", {strong}"),
        "If-None-Match: *".to_string(),
        format!("If-Modified-Since: {modified}"),
        format!("If-None-Match: {etag}\r\nIf-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT"),
    ] {
        let answer = front.get_with("/plain.txt", &header);
        assert_eq!((answer.status(), answer.header("etag")), (304, Some(etag)), "{header}");
    }
    for header in [
        "If-None-Match: \"x\"".to_string(),
        format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {modified}"),
        "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT".to_string(),
        "If-Modified-Since: yesterday".to_string(),
    ] {
        assert_eq!(front.get_with("/plain.txt", &header).status(), 200, "{header}");
    }
}

#[test]
fn ranges_of_a_file_are_served() {
    let directory = Directory::new();
    let front = Running::start(Some(directory.public()));
    let part = front.get_with("/plain.txt", "Range: bytes=2-4");
    assert_eq!((part.status(), &part.body[..]), (206, &b"234"[..]));
    assert_eq!(part.header("content-range"), Some("bytes 2-4/10"));
    assert_eq!(part.header("content-type"), Some("text/plain"));
    assert_eq!(front.get_with("/plain.txt", "Range: bytes=-3").body, b"789");

    let parts = front.get_with("/plain.txt", "Range: bytes=0-1,8-9");
    assert_eq!(parts.status(), 206);
    assert!(parts.header("content-type").unwrap().starts_with("multipart/byteranges"));

    let none = front.get_with("/plain.txt", "Range: bytes=10-");
    assert_eq!((none.status(), none.header("content-range")), (416, Some("bytes */10")));

    let many = format!("Range: bytes=0-{}", ",0-".repeat(16));
    for (path, range) in [
        ("/plain.txt", "Range: lines=1-2"),
        ("/plain.txt", "Range: bytes=4-2"),
        ("/plain.txt", many.as_str()),
        ("/empty.txt", "Range: bytes=-5"),
    ] {
        assert_eq!(front.get_with(path, range).status(), 200, "{path} {range}");
    }
}

#[test]
fn a_file_is_sent_compressed_to_who_takes_it() {
    let directory = Directory::new();
    let text = "All work and no play. ".repeat(100);
    directory.write("public/play.txt", &text);
    directory.write("public/app.js", &text);
    directory.write("public/app.js.gz", "beside");
    directory.write("public/app.js.br", "smaller");
    directory.write("public/photo.png", &text);
    let front = Running::start(Some(directory.public()));
    let plain = front.get("/play.txt");
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("accept-encoding")));
    let packed = front.get_with("/play.txt", "Accept-Encoding: br;q=0, gzip");
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header("vary"), Some("accept-encoding"));
    assert!(packed.body.len() < 200);
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, text);
    for (path, accepted) in
        [("/play.txt", "gzip"), ("/play.txt", "x"), ("/app.js", "br"), ("/photo.png", "gzip")]
    {
        let get = front.get_with(path, &format!("Accept-Encoding: {accepted}"));
        let head =
            front.ask(&format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {accepted}\r\n\r\n"));
        for name in ["content-length", "content-encoding", "content-type", "etag", "vary", "accept-ranges"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path} for {accepted}");
        }
    }

    for (accepted, encoding, body) in
        [("gzip", Some("gzip"), "beside"), ("gzip, br", Some("br"), "smaller"), ("x", None, &text[..])]
    {
        let answer = front.get_with("/app.js", &format!("Accept-Encoding: {accepted}"));
        assert_eq!((answer.header("content-encoding"), &answer.body[..]), (encoding, body.as_bytes()));
        assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"), "{accepted}");
    }
    let part = front.get_with("/app.js", "Accept-Encoding: gzip\r\nRange: bytes=0-2");
    assert_eq!((part.status(), &part.body[..], part.header("content-encoding")), (206, &b"All"[..], None));
    let photo = front.get_with("/photo.png", "Accept-Encoding: gzip");
    assert_eq!((photo.header("content-encoding"), photo.header("vary")), (None, None));
}

#[test]
fn prefixes_indexes_and_cache_times_are_as_they_were_set() {
    let (files, assets) = (Directory::new(), Directory::new());
    files.write("public/sub dir/deep/index.htm", "<p>htm");
    assets.write("public/plain.txt", "asset");
    let mut config = Config::new();
    config.set_directory(files.public()).unwrap();
    config.add_directory("/assets", assets.public()).unwrap();
    config.set_cache_time(3600).unwrap();
    let front = Running::serving(&config, Arc::default(), Box::new(|_| true));
    assert_eq!(front.get("/sub%20dir/deep/").body, b"<p>htm");
    assert_eq!(front.get("/plain.txt").body, b"0123456789");
    let asset = front.get("/assets/plain.txt");
    assert_eq!(
        (&asset.body[..], asset.header("cache-control")),
        (&b"asset"[..], Some("public, max-age=3600"))
    );
    let unchanged =
        front.get_with("/assets/plain.txt", &format!("If-None-Match: {}", asset.header("etag").unwrap()));
    assert_eq!((unchanged.status(), unchanged.header("cache-control")), (304, Some("public, max-age=3600")));
    for path in ["/assetsplain.txt", "/assets/secret.txt", "/assets/missing.txt"] {
        assert_eq!(front.get(path).status(), 404, "{path}");
    }
    let redirect = front.get("/assets");
    assert_eq!((redirect.status(), redirect.header("location")), (301, Some("/assets/")));
}

#[test]
fn a_directory_that_is_none_is_refused_before_the_start() {
    let directory = Directory::new();
    for path in [directory.0.join("missing"), directory.0.join("secret.txt")] {
        let error = Statics::new(&path, None).err().unwrap();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}
