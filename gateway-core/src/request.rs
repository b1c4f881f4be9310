//! Which requests name a model, and which model they name. Pure.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
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

/// The longest name of a model, in bytes as it is written: where it was
/// rewritten it is put back into every event of the response, which a client
/// could make as long as it likes. Servers name models by their paths at the
/// longest, and none of those is longer.
const MAX_NAME: usize = 4096;

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
    /// Longer than [`MAX_NAME`].
    #[error("\"model\" in the body is longer than {MAX_NAME} bytes")]
    TooLong,
    /// More than one member of that name. Readers of JSON differ in which of
    /// them counts, so the model server might take another one than is counted.
    #[error("the body has more than one \"model\"")]
    Repeated,
}

/// The model that a body names, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Model<'a> {
    pub(crate) name: Cow<'a, str>,
    /// Where it stands in the body, quotes included.
    span: Range<usize>,
}

impl<'a> Model<'a> {
    /// Reads the top-level `model` of a JSON object without building the
    /// document.
    pub(crate) fn in_body(body: &'a [u8]) -> Result<Self, Unnamed> {
        let members = serde_json::from_slice(body).map_err(|error| Unnamed::NotAnObject {
            line: error.line(),
            column: error.column(),
        })?;
        let value = match members {
            Members::One(value) => value.get(),
            Members::None => return Err(Unnamed::Missing),
            Members::More => return Err(Unnamed::Repeated),
        };
        // A string as serde_json validated it may still hold a lone surrogate.
        let Text(name) = serde_json::from_str(value).map_err(|_| Unnamed::NotText)?;
        if name.is_empty() {
            return Err(Unnamed::Empty);
        }
        if value.len() - "\"\"".len() > MAX_NAME {
            return Err(Unnamed::TooLong);
        }
        let start = value.as_ptr() as usize - body.as_ptr() as usize;
        let span = start..start + value.len();
        Ok(Self { name, span })
    }

    /// The body with `target` for the model, and every other byte as it was.
    pub(crate) fn replace(&self, body: &[u8], target: &str) -> Bytes {
        let quoted = serde_json::Value::from(target).to_string();
        let (before, after) = (&body[..self.span.start], &body[self.span.end..]);
        [before, quoted.as_bytes(), after].concat().into()
    }
}

/// A string, borrowed where it has no escapes. (`Cow` alone would always copy.)
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members called `model`, and the value of a single one as it is written.
enum Members<'a> {
    None,
    One(&'a RawValue),
    More,
}

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
        let mut members = Members::None;
        while let Some(Text(key)) = map.next_key()? {
            members = match members {
                Members::None if key == "model" => Members::One(map.next_value()?),
                so_far => {
                    // Skipped without recursion, however deep it nests.
                    map.next_value::<IgnoredAny>()?;
                    if key == "model" {
                        Members::More
                    } else {
                        so_far
                    }
                }
            };
        }
        Ok(members)
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
    fn the_top_level_counts_and_escapes_are_read() {
        let body = r#"{"messages":[{"model":"inner"}],"mod\u0065l":"b\u002f\"c\""}"#;
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
            (r#"{"model":"a","mod\u0065l":3}"#, Err(Unnamed::Repeated)),
            (r#"{"model":"a","model":"a","x":1}"#, Err(Unnamed::Repeated)),
            (r#"{"model":"\ud800"}"#, Err(Unnamed::NotText)),
            (r#"{"model":""}"#, Err(Unnamed::Empty)),
        ];
        let read: Vec<_> = cases.iter().map(|(body, _)| (*body, name(body))).collect();
        assert_eq!(read, cases);
    }

    #[test]
    fn a_name_is_as_long_as_it_is_written() {
        let written =
            |letter: &str, count| name(&format!(r#"{{"model":"{}"}}"#, letter.repeat(count)));
        let names = [
            written("x", MAX_NAME),
            written("x", MAX_NAME + 1),
            written("\\n", MAX_NAME / 2 + 1),
        ];
        let expected = [
            Ok("x".repeat(MAX_NAME)),
            Err(Unnamed::TooLong),
            Err(Unnamed::TooLong),
        ];
        assert_eq!(names, expected);
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
        let body = "{ \"n\":1, \"model\" : \"a\",\n \"prompt\":\"\u{e4}\" }".as_bytes();
        let model = Model::in_body(body).expect("names a");
        assert_eq!(
            model.replace(body, "b\"1"),
            "{ \"n\":1, \"model\" : \"b\\\"1\",\n \"prompt\":\"\u{e4}\" }".as_bytes()
        );
    }
}
