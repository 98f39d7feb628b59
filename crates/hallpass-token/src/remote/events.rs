//! Server-sent events as they arrive, in pieces of any size (WHATWG HTML section 9.2.6). It never holds more than
//! [`MAX_EVENT`] bytes of an event that has not ended.

use std::mem;

use super::server::{Failure, MAX_ANSWER as MAX_EVENT};

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Its `event`; empty where there was none.
    pub(super) name: String,
    /// Its `data`, several lines as one text.
    pub(super) data: String,
}

/// Reads events. `id` and `retry` are passed over: the cursor stands in the data, and when to come again is our affair.
#[derive(Default)]
pub(super) struct Events {
    /// The line that has not ended.
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed right after it ends the same line.
    after_return: bool,
    /// The first line was read, which may begin with a byte order mark.
    begun: bool,
    name: String,
    /// Every line of it with its end.
    data: String,
}

impl Events {
    /// Takes the next bytes, and returns the events that end with them.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, Failure> {
        let mut ended = Vec::new();
        for piece in bytes.split_inclusive(|byte| matches!(byte, b'\r' | b'\n')) {
            if mem::take(&mut self.after_return) && piece == b"\n" {
                continue;
            }
            match piece.split_last() {
                Some((end @ (b'\r' | b'\n'), rest)) => {
                    self.line.extend_from_slice(rest);
                    self.after_return = *end == b'\r';
                    let line = mem::take(&mut self.line);
                    ended.extend(self.end_line(&String::from_utf8_lossy(&line)));
                }
                _ => self.line.extend_from_slice(piece),
            }
            if self.line.len() + self.data.len() > MAX_EVENT {
                return Err(Failure::Unexpected("an event is too long"));
            }
        }
        Ok(ended)
    }

    fn end_line(&mut self, line: &str) -> Option<Event> {
        let mark = if mem::replace(&mut self.begun, true) { None } else { line.strip_prefix('\u{feff}') };
        let line = mark.unwrap_or(line);
        if line.is_empty() {
            let (name, mut data) = (mem::take(&mut self.name), mem::take(&mut self.data));
            return data.pop().map(|_end_of_its_last_line| Event { name, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            // A comment has an empty name.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str) -> Event {
        Event { name: name.into(), data: data.into() }
    }

    fn read(pieces: &[&[u8]]) -> Vec<Event> {
        let mut events = Events::default();
        pieces.iter().flat_map(|piece| events.push(piece).unwrap()).collect()
    }

    #[test]
    fn an_event_is_the_same_wherever_it_is_cut_and_however_its_lines_end() {
        let text = ": hello\nevent: lines\nid: 1.2\ndata: {\"a\":\ndata: \"ü\"}\n\nevent: heartbeat\ndata: {}\n\n";
        let expected = [event("lines", "{\"a\":\n\"ü\"}"), event("heartbeat", "{}")];
        for end in ["\n", "\r", "\r\n"] {
            let text = text.replace('\n', end);
            let bytes = text.as_bytes();
            assert_eq!(read(&bytes.chunks(1).collect::<Vec<_>>()), expected, "byte by byte, {end:?}");
            for at in 0..bytes.len() {
                let (head, tail) = bytes.split_at(at);
                assert_eq!(read(&[head, tail]), expected, "cut at {at}, {end:?}");
            }
        }
    }

    #[test]
    fn what_has_no_data_or_has_not_ended_is_no_event() {
        for text in ["event: heartbeat\n\n", ": only a comment\n\n", "\n\n\n", "id: 7\n\n", "data: {}\n", "data: {}"] {
            assert_eq!(read(&[text.as_bytes()]), [], "{text:?}");
        }
        assert_eq!(read(&[b"event: heartbeat\n\ndata: x\n\n"]), [event("", "x")], "a name is for one event");
    }

    #[test]
    fn fields_are_read_as_the_standard_says() {
        for (text, expected) in [
            ("data:x\n\n", "x"),
            ("data: x\n\n", "x"),
            ("data:  x\n\n", " x"),
            ("data: a:b\n\n", "a:b"),
            ("data\n\n", ""),
            ("data\ndata\n\n", "\n"),
            ("\u{feff}data: x\n\n", "x"),
            ("data: x\nid: 7\nretry: 10\nother: y\n: z\n\n", "x"),
            ("data: x\nDATA: y\n data: z\n\n", "x"),
        ] {
            assert_eq!(read(&[text.as_bytes()]), [event("", expected)], "{text:?}");
        }
    }

    #[test]
    fn an_event_without_end_is_given_up() {
        let mut events = Events::default();
        let piece = vec![b'x'; MAX_EVENT / 2];
        assert_eq!(events.push(b"data: "), Ok(vec![]));
        assert_eq!(events.push(&piece), Ok(vec![]));
        assert!(events.push(&piece).is_err());
        let mut events = Events::default();
        let line = [b"data: ".as_slice(), &piece, b"\n"].concat();
        assert_eq!(events.push(&line), Ok(vec![]));
        assert!(events.push(&line).is_err());
    }
}
