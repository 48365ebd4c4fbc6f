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
                Ok(compress::response(request.headers(), response).await)
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
    // HEAD is told what GET would be, its compressed length too; hyper leaves the body out.
    builder.request_parts(&Method::GET, request.headers());
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
#[path = "statics_tests.rs"]
mod tests;
