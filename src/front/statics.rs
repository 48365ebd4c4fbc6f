//! Static files out of one directory, and nothing from outside it.
//!
//! hyper-staticfile finds, streams and describes the files. Ours are the way to them (dot files, links,
//! special files) and the conditions of RFC 9110 §13 that it leaves out.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http_body_util::Either;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_staticfile::util::FileResponseBuilder;
use hyper_staticfile::vfs::{FileOpener, FileWithMetadata};
use hyper_staticfile::{AcceptEncoding, ResolveResult, ResolvedFile, Resolver};
use tokio::fs::File;

use super::reply::{self, Body, Refusal, StaticHeaders};
use super::{LOG, compress, path};

/// More ranges than this in one request are answered with the whole file (RFC 9110 §14.2): thousands of
/// overlapping ones would make a small request a large answer.
const RANGE_LIMIT: usize = 16;

/// The files below one directory.
pub(super) struct Statics {
    resolver: Resolver<Opener>,
    /// In seconds; `None` says nothing of it.
    cache_time: Option<u32>,
}

impl Statics {
    /// Fails if there is no such directory.
    pub(super) fn new(directory: &Path, cache_time: Option<u32>) -> io::Result<Self> {
        let root = directory.canonicalize().and_then(|root| match root.is_dir() {
            true => Ok(root),
            false => Err(io::Error::from_raw_os_error(libc::ENOTDIR)),
        });
        let root = root.map_err(|error| {
            io::Error::new(error.kind(), format!("directory {}: {error}", directory.display()))
        })?;
        let mut resolver = Resolver::with_opener(Opener { root: Arc::from(root) });
        resolver.allowed_encodings = AcceptEncoding::all();
        Ok(Self { resolver, cache_time })
    }

    /// The file that the request's path names, as far as the request's conditions ask for it.
    ///
    /// `path` is the part of it below the prefix, with a slash in front.
    pub(super) async fn respond<B>(
        &self,
        request: &Request<B>,
        path: &str,
    ) -> Result<Response<Body>, Refusal> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            const ALLOW: StaticHeaders = &[(header::ALLOW, "GET, HEAD")];
            return Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                ALLOW,
                "Files are read by GET and HEAD",
            ));
        }
        if !is_plain(path) {
            return Err(Refusal::not_found());
        }
        match self.resolve(request.headers(), path).await {
            Ok(ResolveResult::Found(file)) => {
                let response = found(request, file, self.cache_time)?;
                Ok(compress::response(request.method(), request.headers(), response).await)
            }
            Ok(ResolveResult::IsDirectory { .. }) => with_slash(request.uri()),
            Ok(_) => Err(Refusal::not_found()),
            Err(error) => {
                tracing::warn!(target: LOG, "{path} cannot be read: {error}");
                Err(unreadable())
            }
        }
    }
}

impl Statics {
    /// The file at this path: or, where the peer takes that, what lies beside it compressed already, as `app.js.br`
    /// or `app.js.gz`. Parts are those of the file itself. A directory is its `index.html`, or `index.htm`.
    async fn resolve(&self, asked: &HeaderMap, path: &str) -> io::Result<ResolveResult<File>> {
        let whole = !asked.contains_key(header::RANGE);
        let encoding = || AcceptEncoding {
            gzip: whole && compress::takes(asked, "gzip"),
            br: whole && compress::takes(asked, "br"),
        };
        match self.resolver.resolve_path(path, encoding()).await {
            Ok(ResolveResult::NotFound) if path.ends_with('/') => {
                self.resolver.resolve_path(&format!("{path}index.htm"), encoding()).await
            }
            found => found,
        }
    }
}

/// Whether every segment of the path, once decoded, is a name that may be served. A dot in front hides a
/// file, and is how a path climbs.
fn is_plain(path: &str) -> bool {
    path::decoded(path).is_some_and(|path| {
        !path.contains(['\0', '\\']) && !path.split('/').any(|segment| segment.starts_with('.'))
    })
}

fn unreadable() -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, &[], "The file cannot be read")
}

/// Opens files for the resolver: only what really lies below the root, wherever links lead.
struct Opener {
    root: Arc<Path>,
}

impl FileOpener for Opener {
    type File = File;
    type Future = Pin<Box<dyn Future<Output = io::Result<FileWithMetadata<File>>> + Send>>;

    fn open(&self, path: &Path) -> Self::Future {
        let (root, path) = (Arc::clone(&self.root), self.root.join(path));
        Box::pin(async move {
            tokio::task::spawn_blocking(move || open_below(&root, path)).await.map_err(io::Error::other)?
        })
    }
}

fn open_below(root: &Path, path: PathBuf) -> io::Result<FileWithMetadata<File>> {
    let opened = path.canonicalize().and_then(|path| {
        let below = path.strip_prefix(root).map_err(|_| io::ErrorKind::NotFound)?;
        if below.components().any(is_hidden) {
            return Err(io::ErrorKind::NotFound.into());
        }
        // A pipe would block without O_NONBLOCK; no link can have taken the resolved path's place.
        OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(path)
    });
    let file = opened.map_err(|error| match error.raw_os_error() {
        // The resolver knows NotFound, and takes these for trouble.
        Some(libc::ENOTDIR | libc::ENAMETOOLONG | libc::ELOOP | libc::ENXIO | libc::EACCES) => {
            io::ErrorKind::NotFound.into()
        }
        _ => error,
    })?;
    let metadata = file.metadata()?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(FileWithMetadata {
        handle: File::from_std(file),
        size: metadata.len(),
        modified: metadata.modified().ok(),
        is_dir: metadata.is_dir(),
    })
}

fn is_hidden(component: Component<'_>) -> bool {
    component.as_os_str().as_encoded_bytes().starts_with(b".")
}

fn found<B>(
    request: &Request<B>,
    mut file: ResolvedFile<File>,
    cache_time: Option<u32>,
) -> Result<Response<Body>, Refusal> {
    let (size, modified, content_type) = (file.size, file.modified, file.content_type.take());
    let mut builder = FileResponseBuilder::new();
    builder.request_parts(request.method(), request.headers());
    builder.cache_headers(cache_time);
    let is_encoded = file.encoding.is_some();
    // Its own answer to this condition does without the headers that a 304 has to repeat.
    let since = builder.if_modified_since.take();
    if size == 0 || builder.range.as_ref().is_some_and(|ranges| ranges.split(',').count() > RANGE_LIMIT) {
        builder.range = None;
    }
    // Of several ranges each part repeats the type; the response's own is another.
    file.content_type.clone_from(&content_type);
    let mut response = match builder.build(file) {
        Ok(response) => response.map(Either::Right),
        Err(error) => {
            tracing::warn!(target: LOG, "{} cannot be answered: {error}", request.uri().path());
            return Err(unreadable());
        }
    };
    if is_encoded {
        compress::varies(response.headers_mut());
    }
    if is_unchanged(request.headers(), response.headers(), since, modified) {
        return Ok(not_modified(response.headers()));
    }
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        return Ok(out_of_range(size));
    }
    if let Some(Ok(content_type)) = content_type.map(HeaderValue::try_from) {
        response.headers_mut().entry(header::CONTENT_TYPE).or_insert(content_type);
    }
    Ok(response)
}

/// RFC 9110 §13.2.2: `If-None-Match` decides where it is given, `If-Modified-Since` else.
fn is_unchanged(
    request: &HeaderMap,
    response: &HeaderMap,
    since: Option<SystemTime>,
    modified: Option<SystemTime>,
) -> bool {
    if request.contains_key(header::IF_NONE_MATCH) {
        let etag = response.get(header::ETAG).map(|etag| opaque(etag.as_bytes()));
        return request
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || Some(opaque(tag)) == etag);
    }
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok().map(|age| age.as_secs());
    match (since.and_then(seconds), modified.and_then(seconds)) {
        (Some(since), Some(modified)) => modified <= since,
        _ => false,
    }
}

/// The tag without its mark of weakness, which this comparison ignores (RFC 9110 §8.8.3.2).
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

fn not_modified(described: &HeaderMap) -> Response<Body> {
    let mut head = Response::new(());
    *head.status_mut() = StatusCode::NOT_MODIFIED;
    for name in [header::ETAG, header::LAST_MODIFIED, header::CACHE_CONTROL, header::VARY] {
        if let Some(value) = described.get(&name) {
            head.headers_mut().insert(name, value.clone());
        }
    }
    reply::empty(head)
}

fn out_of_range(size: u64) -> Response<Body> {
    let mut response = reply::text(StatusCode::RANGE_NOT_SATISFIABLE, "The file has no such range");
    if let Ok(range) = HeaderValue::try_from(format!("bytes */{size}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    response
}

/// A directory's own links are relative to it: its address has to end in a slash. The path stays as it was
/// sent, but for slashes in front, of which two would make the rest a host.
fn with_slash(uri: &Uri) -> Result<Response<Body>, Refusal> {
    let mut location = format!("/{}/", uri.path().trim_start_matches('/'));
    if let Some(query) = uri.query() {
        location.push('?');
        location.push_str(query);
    }
    let Ok(location) = HeaderValue::try_from(location) else { return Err(Refusal::not_found()) };
    let mut response = reply::text(StatusCode::MOVED_PERMANENTLY, "A directory's path ends in a slash");
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use std::io::Read;

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
        for (path, location) in [
            ("/sub%20dir", "/sub%20dir/"),
            ("/sub%20dir?a=b", "/sub%20dir/?a=b"),
            ("//sub%20dir", "/sub%20dir/"),
        ] {
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

        for (accepted, encoding, body) in
            [("gzip", Some("gzip"), "beside"), ("gzip, br", Some("br"), "smaller"), ("x", None, &text[..])]
        {
            let answer = front.get_with("/app.js", &format!("Accept-Encoding: {accepted}"));
            assert_eq!((answer.header("content-encoding"), &answer.body[..]), (encoding, body.as_bytes()));
            assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"), "{accepted}");
        }
        let part = front.get_with("/app.js", "Accept-Encoding: gzip\r\nRange: bytes=0-2");
        assert_eq!(
            (part.status(), &part.body[..], part.header("content-encoding")),
            (206, &b"All"[..], None)
        );
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
        assert_eq!(
            (unchanged.status(), unchanged.header("cache-control")),
            (304, Some("public, max-age=3600"))
        );
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
}
