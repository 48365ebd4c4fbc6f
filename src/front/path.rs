//! The path of a request's target.

/// The path without percent escapes; `None` if one is broken or the result is not UTF-8.
pub(super) fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || (rest.next()? as char).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Whether the path can't be taken for another one: its escapes are whole and give UTF-8 without a NUL, and no
/// segment of it, decoded, climbs or stands still. A client resolves `.` and `..` before it sends a path (RFC
/// 3986 §5.2.4), so that only an attack keeps them, and hides them as `%2e%2e`, `..%2f` or `..\`.
pub(super) fn is_sound(path: &str) -> bool {
    decoded(path).is_some_and(|path| {
        !path.contains('\0') && !path.split(['/', '\\']).any(|segment| matches!(segment, "." | ".."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_climbs_in_any_spelling_is_unsound() {
        for path in [
            "/..",
            "/.",
            "/a/../b",
            "/a/./b",
            "/%2e%2e/x",
            "/%2E./x",
            "/..%2fx",
            "/a%2f..%2Fb",
            "/..\\x",
            "/..%5cx",
            "/a%00",
            "/%",
            "/%4",
            "/%zz",
            "/%+1",
            "/%ff",
        ] {
            assert!(!is_sound(path), "{path}");
        }
        for path in ["/", "*", "/a//b", "/.hidden", "/...", "/a..b", "/a%2fb", "/%252e%252e/", "/caf%C3%A9"] {
            assert!(is_sound(path), "{path}");
        }
    }
}
