//! Server-sent events: reading those of the sidecar, writing those of pages
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

/// The media type of a stream.
pub const EVENT_STREAM: &str = "text/event-stream";
/// The longest line that a reader takes; a longer one ends the stream.
const MAX_LINE: usize = 2 << 20;

/// What a stream says next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An event.
    Event(Event),
    /// A comment, such as a heartbeat.
    Comment(String),
}

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Its kind; empty for `message`.
    pub kind: String,
    /// Its data, without the line break at the end.
    pub data: String,
}

/// A line is longer than any of ours: whoever writes this is no stream of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line of the stream is longer than {MAX_LINE} bytes")]
pub struct TooLong;

/// Makes events of the bytes of a stream, however they are cut. What is not finished at the end is no event.
#[derive(Debug, Default)]
pub struct Reader {
    /// Bytes of a line that has not ended.
    line: Vec<u8>,
    /// Whether the last byte was a carriage return, whose line feed may follow.
    after_return: bool,
    event: Event,
    /// Whether the event has data; without, it is none.
    has_data: bool,
}

impl Reader {
    /// Takes bytes, and gives what they complete.
    ///
    /// # Errors
    /// [`TooLong`], after which nothing more can be read.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Vec<Item>, TooLong> {
        let mut items = Vec::new();
        for byte in bytes {
            let ends_nothing = *byte == b'\n' && self.after_return;
            self.after_return = *byte == b'\r';
            match byte {
                b'\n' if ends_nothing => {}
                b'\n' | b'\r' => items.extend(self.end_line()),
                byte if self.line.len() < MAX_LINE => self.line.push(*byte),
                _ => return Err(TooLong),
            }
        }
        Ok(items)
    }

    fn end_line(&mut self) -> Option<Item> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(Item::Event(event));
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "" => return Some(Item::Comment(value.to_owned())),
            "event" => value.clone_into(&mut self.event.kind),
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            _ => {}
        }
        None
    }
}

/// Writes an event. `data` is one line, as JSON is.
///
/// A reader that loses the connection says the last `id` that it has seen when it comes back.
pub fn write(text: &mut String, kind: &str, id: Option<u64>, data: &str) {
    text.push_str("event: ");
    text.push_str(kind);
    if let Some(id) = id {
        text.push_str(&format!("\nid: {id}"));
    }
    text.push_str("\ndata: ");
    text.push_str(data);
    text.push_str("\n\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(kind: &str, data: &str) -> Item {
        Item::Event(Event { kind: kind.to_owned(), data: data.to_owned() })
    }

    #[test]
    fn events_and_comments_are_read_as_the_standard_says() {
        let text = ": ready\n\nid: 0-7\ndata: {\"a\":1}\n\nevent:end\r\ndata:one\r\ndata: two\r\rdata\n\nevent: none\n\nretry: 5\nx\ndata: cut";
        let expected =
            [Item::Comment("ready".to_owned()), event("", "{\"a\":1}"), event("end", "one\ntwo"), event("", "")];
        assert_eq!(Reader::default().take(text.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn what_is_written_is_read() {
        let mut text = String::new();
        write(&mut text, "update", Some(7), "{}");
        write(&mut text, "end", None, "1");
        assert_eq!(text, "event: update\nid: 7\ndata: {}\n\nevent: end\ndata: 1\n\n");
        assert_eq!(Reader::default().take(text.as_bytes()).unwrap(), [event("update", "{}"), event("end", "1")]);
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        assert_eq!(Reader::default().take(&vec![b'a'; MAX_LINE + 1]), Err(TooLong));
    }

    proptest! {
        #[test]
        fn a_stream_says_the_same_however_its_bytes_are_cut(
            text in "(: ?x|id: 1|data: ?[a-c]|data|event: e|\r|\n|\r\n|ü){0,40}\n\n",
            cuts in proptest::collection::vec(1_usize..5, 0..60),
        ) {
            let whole = Reader::default().take(text.as_bytes()).unwrap();
            let (mut reader, mut rest, mut found) = (Reader::default(), text.as_bytes(), Vec::new());
            for cut in cuts {
                let (piece, behind) = rest.split_at(cut.min(rest.len()));
                found.extend(reader.take(piece).unwrap());
                rest = behind;
            }
            found.extend(reader.take(rest).unwrap());
            prop_assert_eq!(found, whole);
        }
    }
}
