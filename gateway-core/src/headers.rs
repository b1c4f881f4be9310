//! Reading Envoy's headers and metadata. Pure.

use prost_types::{Value, value::Kind};

use crate::proto::envoy::config::core::v3::{HeaderMap, Metadata};

/// The first header of a name, as bytes. Names compare without case; the text
/// is in `raw_value`, with old proxies in `value`.
pub(crate) fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let header = headers
        .headers
        .iter()
        .find(|header| header.key.eq_ignore_ascii_case(name))?;
    Some(if header.raw_value.is_empty() {
        header.value.as_bytes()
    } else {
        &header.raw_value
    })
}

/// As [`get`], where the header is a number.
pub(crate) fn number<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    std::str::from_utf8(get(headers, name)?).ok()?.parse().ok()
}

/// The texts of a metadata value: one, or a list of them. `None` if the
/// namespace or the key is not there at all.
pub(crate) fn metadata<'a>(
    metadata: &'a Metadata,
    namespace: &str,
    key: &str,
) -> Option<Vec<&'a str>> {
    let value = metadata.filter_metadata.get(namespace)?.fields.get(key)?;
    Some(match &value.kind {
        Some(Kind::ListValue(list)) => list.values.iter().filter_map(text).collect(),
        _ => text(value).into_iter().collect(),
    })
}

fn text(value: &Value) -> Option<&str> {
    match &value.kind {
        Some(Kind::StringValue(text)) => Some(text),
        _ => None,
    }
}
