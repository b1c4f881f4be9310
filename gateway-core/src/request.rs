//! Which requests name a model, and which model they name. Pure.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The paths whose JSON bodies name a model in a top-level `model`.
const INFERENCE_PATHS: [&str; 5] = [
    "/v1/completions",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/messages",
];

/// Whether a request is one that names a model in its body.
///
/// The query does not count, and nothing may follow the path: helpers such as
/// `/v1/messages/count_tokens` are no inference.
pub(crate) fn is_inference(method: &[u8], path: &[u8]) -> bool {
    method == b"POST"
        && INFERENCE_PATHS
            .iter()
            .any(|known| known.as_bytes() == without_query(path))
}

/// The path up to its query.
pub(crate) fn without_query(path: &[u8]) -> &[u8] {
    path.split(|&byte| byte == b'?').next().unwrap_or_default()
}

/// Why a body names no model. The texts hold nothing of the body itself, so
/// they may be logged and sent back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unnamed {
    /// Not JSON, or JSON but no object.
    #[error("the body is not a JSON object (line {line}, column {column})")]
    NotAnObject { line: usize, column: usize },
    /// An object without the member.
    #[error("the body has no \"model\"")]
    Missing,
    /// A number, a list, null…
    #[error("\"model\" in the body is not a string")]
    NotText,
    /// `""`.
    #[error("\"model\" in the body is empty")]
    Empty,
}

/// The model that a body names, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Model<'a> {
    pub(crate) name: Cow<'a, str>,
    /// Where the values of `model` stand in the body, quotes included: more
    /// than one if the key is repeated.
    spans: Vec<Range<usize>>,
}

impl<'a> Model<'a> {
    /// Reads the top-level `model` of a JSON object without building the
    /// document. Of repeated keys the last counts, as in the readers of the
    /// model servers (Python, Go, JavaScript).
    pub(crate) fn in_body(body: &'a [u8]) -> Result<Self, Unnamed> {
        let Members(values) =
            serde_json::from_slice(body).map_err(|error| Unnamed::NotAnObject {
                line: error.line(),
                column: error.column(),
            })?;
        let last = values.last().ok_or(Unnamed::Missing)?;
        // A string as serde_json validated it may still hold a lone surrogate.
        let Text(name) = serde_json::from_str(last.get()).map_err(|_| Unnamed::NotText)?;
        if name.is_empty() {
            return Err(Unnamed::Empty);
        }
        let start = body.as_ptr() as usize;
        let spans = values
            .iter()
            .map(|value| {
                let offset = value.get().as_ptr() as usize - start;
                offset..offset + value.get().len()
            })
            .collect();
        Ok(Self { name, spans })
    }

    /// The body with `target` for the model, and every other byte as it was.
    /// A repeated key gets it each time: no reader may see the old name.
    pub(crate) fn replace(&self, body: &[u8], target: &str) -> Bytes {
        let quoted = serde_json::Value::from(target).to_string();
        let mut new = BytesMut::with_capacity(body.len() + self.spans.len() * quoted.len());
        let mut copied = 0;
        for span in &self.spans {
            new.extend_from_slice(&body[copied..span.start]);
            new.extend_from_slice(quoted.as_bytes());
            copied = span.end;
        }
        new.extend_from_slice(&body[copied..]);
        new.freeze()
    }
}

/// A string, borrowed where it has no escapes. (`Cow` alone would always copy.)
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The values of all members called `model`, as they are written.
struct Members<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ModelMembers)
    }
}

struct ModelMembers;

impl<'de> Visitor<'de> for ModelMembers {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::with_capacity(1);
        while let Some(Text(key)) = map.next_key()? {
            if key == "model" {
                values.push(map.next_value()?);
            } else {
                // Skipped without recursion, however deep it nests.
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Members(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(body: &str) -> Result<String, Unnamed> {
        Model::in_body(body.as_bytes()).map(|model| model.name.into_owned())
    }

    #[test]
    fn inference_is_a_post_to_a_whole_path() {
        let verdicts = [
            ("POST", "/v1/completions"),
            ("POST", "/v1/chat/completions?trace=1&model=evil"),
            ("POST", "/v1/completionsX"),
            ("POST", "/v1/messages/count_tokens"),
            ("POST", "/v1/completions/"),
            ("GET", "/v1/responses"),
            ("POST", ""),
        ]
        .map(|(method, path)| is_inference(method.as_bytes(), path.as_bytes()));
        assert_eq!(verdicts, [true, true, false, false, false, false, false]);
    }

    #[test]
    fn the_last_of_repeated_keys_counts_whatever_the_others_are() {
        let body = r#"{"model":7,"messages":[{"model":"inner"}],"mod\u0065l":"b\u002f\"c\""}"#;
        assert_eq!(name(body), Ok("b/\"c\"".to_owned()));
    }

    #[test]
    fn a_body_without_a_usable_name_says_why() {
        let at = |line, column| Err(Unnamed::NotAnObject { line, column });
        let cases = [
            ("", at(1, 0)),
            ("x", at(1, 1)),
            ("[]", at(1, 0)),
            (r#""just text""#, at(1, 11)),
            (r#"{"model":"a"}}"#, at(1, 14)),
            (r#"{"model":"a""#, at(1, 12)),
            (r#"{"prompt":"a"}"#, Err(Unnamed::Missing)),
            (r#"{"model":null}"#, Err(Unnamed::NotText)),
            (r#"{"model":["a"]}"#, Err(Unnamed::NotText)),
            (r#"{"model":"a","model":3}"#, Err(Unnamed::NotText)),
            (r#"{"model":"\ud800"}"#, Err(Unnamed::NotText)),
            (r#"{"model":""}"#, Err(Unnamed::Empty)),
        ];
        let read: Vec<_> = cases.iter().map(|(body, _)| (*body, name(body))).collect();
        assert_eq!(read, cases);
    }

    #[test]
    fn what_an_error_says_holds_nothing_of_the_body() {
        let error = name(r#""a secret prompt""#).expect_err("a string is no object");
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn depth_does_not_matter() {
        let deep = format!(
            r#"{{"a":{}{},"model":"m"}}"#,
            "[".repeat(1 << 20),
            "]".repeat(1 << 20)
        );
        assert_eq!(name(&deep), Ok("m".to_owned()));
    }

    #[test]
    fn a_rewrite_changes_the_name_and_nothing_else() {
        let body = "{ \"model\" : \"a\",\n \"prompt\":\"\u{e4}\", \"model\":\"a\" }".as_bytes();
        let model = Model::in_body(body).expect("names a");
        assert_eq!(
            model.replace(body, "b\"1"),
            "{ \"model\" : \"b\\\"1\",\n \"prompt\":\"\u{e4}\", \"model\":\"b\\\"1\" }".as_bytes()
        );
    }
}
