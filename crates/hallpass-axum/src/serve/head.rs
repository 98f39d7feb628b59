//! Reads where a request ends, strictly, before the HTTP parser sees it (RFC 9112 section 6.3).
//!
//! The parser is allowed to repair a head that could be read in two ways; a proxy in front may have read it the other
//! way, and would then take a part of one request for another (request smuggling). Such a head is refused here, never
//! repaired.

use memchr::{memchr, memchr_iter};

/// The largest head, in bytes.
pub(super) const LARGEST_HEAD: usize = 16 * 1024;

/// What follows a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes.
    Length(u64),
    /// Chunks, and then the end of the connection.
    Chunked,
}

/// The length of the head at the beginning of `bytes`, once it is there whole.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    // An empty line ends it. Bare line feeds count here, so that a head that uses them is found and refused, not waited
    // for.
    let mut line_begins = 0;
    for end in memchr_iter(b'\n', bytes).map(|at| at + 1) {
        if matches!(bytes.get(line_begins..end), Some(b"\r\n" | b"\n")) {
            return Some(end);
        }
        line_begins = end;
    }
    None
}

/// What follows `head`, if it can be read in one way only.
pub(super) fn body(head: &[u8]) -> Option<Body> {
    let mut begins = 0;
    let mut lines = 0;
    let mut content_length = None;
    let mut chunked = false;
    for end in memchr_iter(b'\n', head) {
        let line = head.get(begins..end)?.strip_suffix(b"\r")?;
        begins = end + 1;
        lines += 1;
        match line.first() {
            Some(b' ' | b'\t') => return None,
            // Of all fields two say what follows. The first line may begin alike, and is neither of them.
            Some(b'c' | b'C' | b't' | b'T') if lines > 1 => {}
            _ => continue,
        }
        let Some(colon) = memchr(b':', line) else { continue };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..)?.trim_ascii();
        if name.trim_ascii_end().eq_ignore_ascii_case(b"content-length") {
            if content_length.replace(digits(value)?).is_some() {
                return None;
            }
        } else if name.trim_ascii_end().eq_ignore_ascii_case(b"transfer-encoding") {
            if chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return None;
            }
            chunked = true;
        }
    }
    // Neither may stand alone: some readers end a line there.
    if memchr(0, head).is_some() || memchr_iter(b'\r', head).count() != lines {
        return None;
    }
    match (content_length, chunked) {
        (Some(_), true) => None,
        (None, true) => Some(Body::Chunked),
        (length, false) => Some(Body::Length(length.unwrap_or(0))),
    }
}

/// A number in digits alone: no sign, no spaces, no list.
fn digits(text: &[u8]) -> Option<u64> {
    let all_digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    str::from_utf8(text).ok().filter(|_| all_digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Option<Body> {
        let head =
            format!("POST / HTTP/1.1\r\n{}\r\n", lines.iter().map(|line| format!("{line}\r\n")).collect::<String>());
        assert_eq!(length(head.as_bytes()), Some(head.len()));
        body(head.as_bytes())
    }

    #[test]
    fn a_head_says_in_one_way_what_follows() {
        assert_eq!(of(&["Host: a"]), Some(Body::Length(0)));
        assert_eq!(of(&["Host: a", "content-LENGTH:  17 "]), Some(Body::Length(17)));
        assert_eq!(of(&["Transfer-Encoding: Chunked"]), Some(Body::Chunked));
    }

    #[test]
    fn a_head_that_can_be_read_in_two_ways_is_refused() {
        for lines in [
            &["Content-Length: 3", "Transfer-Encoding: chunked"][..],
            &["Transfer-Encoding: chunked", "Content-Length: 3"],
            &["Content-Length: 3", "Content-Length: 4"],
            &["Content-Length: 3", "Content-Length: 3"],
            &["Content-Length: 3, 3"],
            &["Content-Length: +3"],
            &["Content-Length: -3"],
            &["Content-Length: 0x3"],
            &["Content-Length:"],
            &["Content-Length: 99999999999999999999"],
            &["Transfer-Encoding: xchunked"],
            &["Transfer-Encoding: chunked, identity"],
            &["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
            &["Transfer-Encoding: \x0bchunked"],
            &["X: folded", " Content-Length: 3"],
            &["X: folded", "\tContent-Length: 3"],
            &["X: a\rContent-Length: 3"],
            &["X: a\0"],
        ] {
            assert_eq!(of(lines), None, "{lines:?}");
        }
    }

    #[test]
    fn a_bare_line_feed_ends_a_head_only_to_have_it_refused() {
        for head in
            ["GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\n"]
        {
            assert_eq!(length(head.as_bytes()), Some(head.len()));
            assert_eq!(body(head.as_bytes()), None, "{head:?}");
        }
    }

    #[test]
    fn half_a_head_is_waited_for() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for cut in 0..head.len() {
            assert_eq!(length(&head[..cut]), None, "cut to {cut}");
        }
    }
}
