//! Reads a response as it passes by: what it used, and, where the model was
//! rewritten, puts the client's own name back. Nothing is held: every byte
//! that comes in goes out with its piece, but for the value of `model`.

use bytes::{Bytes, BytesMut};

use crate::headers;
use crate::members::{Follower, Member};
use crate::proto::envoy::config::core::v3::HeaderMap;
use crate::usage::Usage;

/// The longest `usage` that is read, in bytes. Real ones have a few hundred.
const MAX_USAGE: usize = 16 << 10;

/// A response in a format that can be read.
#[derive(Debug)]
pub(crate) struct Reader {
    format: Format,
    follower: Follower,
    /// Whether the last piece had bytes of JSON in it.
    has_document: bool,
    /// The bytes of the `usage` that is passing by.
    usage_text: Vec<u8>,
    usage: Usage,
    /// What is written for the value of `model`, quotes included.
    model: Option<String>,
    /// Whether it has been written for the value that is passing by.
    is_model_written: bool,
}

#[derive(Debug)]
enum Format {
    Json,
    Events(Line),
}

/// Where in a stream of events the next byte stands (HTML standard, 9.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// So many bytes into a line that may yet turn out to be data.
    Start(usize),
    /// As `Start(0)`, but a line feed still belongs to the line before.
    AfterReturn,
    Data,
    Other,
}

impl Line {
    fn after(self, byte: u8) -> Self {
        const DATA: &[u8] = b"data:";
        match (self, byte) {
            (_, b'\r') => Self::AfterReturn,
            (_, b'\n') => Self::Start(0),
            (Self::AfterReturn, _) => Self::Start(0).after(byte),
            (Self::Start(read), _) if byte == DATA[read] => {
                if read + 1 == DATA.len() {
                    Self::Data
                } else {
                    Self::Start(read + 1)
                }
            }
            (Self::Data, _) => Self::Data,
            _ => Self::Other,
        }
    }
}

impl Reader {
    /// A reader for a response with these headers: successful, not packed, and
    /// JSON or a stream of events. Others are to be passed on unread.
    ///
    /// `model` is the name that the client shall see instead of the written
    /// one.
    pub(crate) fn new(status: u16, headers: &HeaderMap, model: Option<&str>) -> Option<Self> {
        let coding = headers::get(headers, "content-encoding").unwrap_or(b"identity");
        if !(200..300).contains(&status) || !coding.eq_ignore_ascii_case(b"identity") {
            return None;
        }
        let kind = headers::get(headers, "content-type")?;
        let kind = kind.split(|&byte| byte == b';').next()?.trim_ascii();
        let format = if kind.eq_ignore_ascii_case(b"application/json") {
            Format::Json
        } else if kind.eq_ignore_ascii_case(b"text/event-stream") {
            Format::Events(Line::Start(0))
        } else {
            return None;
        };
        Some(Self {
            format,
            follower: Follower::default(),
            has_document: false,
            usage_text: Vec::new(),
            usage: Usage::default(),
            model: model.map(|name| serde_json::Value::from(name).to_string()),
            is_model_written: false,
        })
    }

    /// Whether the last piece was one of a stream of tokens. Comments, which keep
    /// the connection alive until there are some, are not.
    pub(crate) fn was_token(&self) -> bool {
        self.has_document && matches!(self.format, Format::Events(_))
    }

    /// Whether other bytes than those that come in may go out.
    pub(crate) fn puts_model_back(&self) -> bool {
        self.model.is_some()
    }

    /// What the response has said so far.
    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    /// Reads the next piece; returns what is to go out for it where that is
    /// not the piece itself.
    pub(crate) fn read(&mut self, piece: &[u8]) -> Option<Bytes> {
        let mut changed: Option<BytesMut> = None;
        let mut copied = 0;
        let mut index = 0;
        self.has_document = false;
        while let Some(&byte) = piece.get(index) {
            index += 1;
            if !self.is_document(byte) {
                continue;
            }
            self.has_document = true;
            let member = self.follower.step(byte);
            if let (Some(Member::Model), Some(model)) = (member, &self.model) {
                let changed = changed.get_or_insert_default();
                changed.extend_from_slice(&piece[copied..index - 1]);
                copied = index;
                if !self.is_model_written {
                    changed.extend_from_slice(model.as_bytes());
                }
            }
            self.is_model_written = member == Some(Member::Model);
            self.collect_usage(byte, member);
            index += self.follower.skippable(&piece[index..]);
        }
        changed.map(|mut changed| {
            changed.extend_from_slice(&piece[copied..]);
            changed.freeze()
        })
    }

    /// Whether the next byte is one of JSON, not of the lines around it.
    fn is_document(&mut self, byte: u8) -> bool {
        let Format::Events(line) = &mut self.format else {
            return true;
        };
        let before = *line;
        *line = before.after(byte);
        let is_empty = matches!(before, Line::Start(0) | Line::AfterReturn)
            && matches!(*line, Line::Start(0) | Line::AfterReturn);
        if is_empty && (before, byte) != (Line::AfterReturn, b'\n') {
            // An empty line ends an event, and with it the document in its
            // data, however many lines that had.
            self.follower = Follower::default();
        }
        (before, *line) == (Line::Data, Line::Data)
    }

    fn collect_usage(&mut self, byte: u8, member: Option<Member>) {
        if member == Some(Member::Usage) {
            if self.usage_text.len() < MAX_USAGE {
                self.usage_text.push(byte);
            }
        } else if !self.usage_text.is_empty() {
            // One that was too long is cut here, and so is no JSON any more.
            self.usage.merge(&self.usage_text);
            self.usage_text.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::envoy::config::core::v3::HeaderValue;

    fn reader(kind: &'static str, model: Option<&str>) -> Reader {
        Reader::new(200, &headers(&[("content-type", kind)]), model).expect("a readable response")
    }

    fn headers(pairs: &[(&str, &'static str)]) -> HeaderMap {
        let headers = pairs.iter().map(|(key, value)| HeaderValue {
            key: (*key).to_owned(),
            raw_value: Bytes::from_static(value.as_bytes()),
            ..HeaderValue::default()
        });
        HeaderMap {
            headers: headers.collect(),
        }
    }

    /// What comes out of a response that comes in in pieces of one size.
    fn pass(reader: &mut Reader, response: &str, size: usize) -> String {
        let pieces = response.as_bytes().chunks(size);
        let out: Vec<_> = pieces
            .flat_map(|piece| {
                reader
                    .read(piece)
                    .unwrap_or_else(|| Bytes::copy_from_slice(piece))
            })
            .collect();
        String::from_utf8(out).expect("text")
    }

    const STREAM: &str = "event: a\r\ndata: {\"model\":\"tweet-0\",\"text\":\"\\\"model\\\":\\\"x\\\"\"}\r\n\r\n\
        : data: {\"model\":\"comment\"}\n\n\
        data:{\"choices\":[],\ndata: \"model\": \"tweet-0\",\"usage\":{\"prompt_tokens\":11,\ndata:\"completion_tokens\":4}}\n\n\
        data: [DONE]\n\n";

    #[test]
    fn the_clients_model_is_put_back_wherever_a_stream_is_cut() {
        let expected = STREAM.replace("tweet-0", "tw\\\"eet");
        let results: Vec<_> = (1..STREAM.len())
            .map(|size| {
                pass(
                    &mut reader("text/event-stream; charset=utf-8", Some("tw\"eet")),
                    STREAM,
                    size,
                )
            })
            .filter(|result| *result != expected)
            .collect();
        assert_eq!(results.first(), None);
    }

    #[test]
    fn usage_is_read_wherever_a_stream_is_cut() {
        let expected = Usage {
            input: Some(11),
            output: Some(4),
        };
        let usages: Vec<_> = (1..STREAM.len())
            .map(|size| {
                let mut reader = reader("text/event-stream", None);
                pass(&mut reader, STREAM, size);
                reader.usage()
            })
            .filter(|usage| *usage != expected)
            .collect();
        assert_eq!(usages.first(), None);
    }

    #[test]
    fn a_document_is_changed_in_its_own_model_alone() {
        let body = r#"{"id":"model","choices":[{"model":"inner"}],"model":"t-0","usage":{"prompt_tokens":7,"completion_tokens":3}}"#;
        let mut reader = reader("application/json", Some("t"));
        let passed = pass(&mut reader, body, 3);
        assert_eq!(
            (passed, reader.usage()),
            (
                body.replace("t-0", "t"),
                Usage {
                    input: Some(7),
                    output: Some(3)
                }
            )
        );
    }

    #[test]
    fn without_a_rewrite_pieces_pass_as_they_are() {
        let mut reader = reader("application/json", None);
        assert_eq!(reader.read(br#"{"model":"a"}"#), None);
    }

    #[test]
    fn only_plain_successes_in_a_known_format_are_read() {
        let json = ("content-type", "application/json");
        let readable = [
            (200, vec![json]),
            (
                200,
                vec![("content-type", "Application/JSON; charset=utf-8")],
            ),
            (200, vec![json, ("content-encoding", "identity")]),
            (503, vec![json]),
            (200, vec![json, ("content-encoding", "gzip")]),
            (200, vec![("content-type", "text/plain")]),
            (200, vec![]),
        ]
        .map(|(status, pairs)| Reader::new(status, &headers(&pairs), None).is_some());
        assert_eq!(readable, [true, true, true, false, false, false, false]);
    }

    #[test]
    fn an_endless_usage_costs_no_memory_and_says_nothing() {
        let mut reader = reader("application/json", None);
        reader.read(br#"{"usage":{"x":""#);
        reader.read(&vec![b'x'; 1 << 20]);
        reader.read(br#""},"prompt_tokens":1}"#);
        assert_eq!(
            (reader.usage(), reader.usage_text.capacity() <= MAX_USAGE),
            (Usage::default(), true)
        );
    }
}
