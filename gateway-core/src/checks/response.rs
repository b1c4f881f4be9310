//! Any bytes as a response, in pieces of any length: what goes out and what is
//! counted do not hang on where it is cut, no byte changes but the model's,
//! and JSON stays the JSON that it was.

use bytes::Bytes;
use serde_json::Value;

use crate::proto::envoy::config::core::v3::{HeaderMap, HeaderValue};
use crate::response::Reader;
use crate::usage::Usage;

const NAME: &str = "the \"client's\"";

/// The first byte is the length of the pieces.
///
/// # Panics
/// Something does not hold.
pub fn check(bytes: &[u8]) {
    let Some((&length, body)) = bytes.split_first() else {
        return;
    };
    let length = usize::from(length).max(1);
    for kind in ["application/json", "text/event-stream"] {
        let (untouched, usage) = pass(kind, None, [body]);
        assert_eq!(untouched, body);
        let renamed = pass(kind, Some(NAME), [body]);
        assert_eq!(pass(kind, Some(NAME), body.chunks(length)), renamed);
        assert_eq!(renamed.1, usage);
    }
    let document = serde_json::from_slice(body);
    // A key that is written with escapes is not known again; no server does so.
    if let (Ok(Value::Object(mut members)), false) = (document, body.contains(&b'\\')) {
        if let Some(Value::String(model)) = members.get_mut("model") {
            NAME.clone_into(model);
        }
        let (renamed, _) = pass("application/json", Some(NAME), [body]);
        let renamed: Value = serde_json::from_slice(&renamed).expect("still JSON");
        assert_eq!(renamed, Value::Object(members));
    }
}

/// What goes out for these pieces, and what they said was used.
fn pass<'a>(
    kind: &'static str,
    model: Option<&str>,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<u8>, Usage) {
    let headers = HeaderMap {
        headers: vec![HeaderValue {
            key: "content-type".to_owned(),
            raw_value: Bytes::from_static(kind.as_bytes()),
            ..HeaderValue::default()
        }],
    };
    let mut reader = Reader::new(200, &headers, model).expect("a kind that is read");
    let mut passed = Vec::new();
    for piece in pieces {
        match reader.read(piece) {
            Some(changed) => passed.extend_from_slice(&changed),
            None => passed.extend_from_slice(piece),
        }
    }
    (passed, reader.usage())
}
