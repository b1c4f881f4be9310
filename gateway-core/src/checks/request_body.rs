//! Any bytes as a request's body: the model is the one that a whole JSON reader
//! finds, and a rewrite changes nothing but it.

use serde_json::Value;

use crate::request::{Model, Unnamed};

const TARGET: &str = "the \"target\"";

/// # Panics
/// Something does not hold.
pub fn check(body: &[u8]) {
    let found = Model::in_body(body);
    // A whole reader gives up earlier: on depth, and on text that is none.
    let Ok(document) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    let Value::Object(mut members) = document else {
        assert!(
            matches!(found, Err(Unnamed::NotAnObject { .. })),
            "{found:?}"
        );
        return;
    };
    let expected = match members.get("model") {
        None => Err(Unnamed::Missing),
        Some(Value::String(name)) if name.is_empty() => Err(Unnamed::Empty),
        Some(Value::String(name)) => Ok(name.as_str()),
        Some(_) => Err(Unnamed::NotText),
    };
    // A whole reader keeps the last of several members with one name.
    if found == Err(Unnamed::Repeated) {
        assert!(members.contains_key("model"));
        return;
    }
    // It has a limit for the name as it is written.
    if found == Err(Unnamed::TooLong) {
        assert!(members["model"].is_string());
        return;
    }
    let name = found.as_ref().map(|model| &*model.name);
    assert_eq!(name.map_err(Clone::clone), expected);

    if let Ok(model) = &found {
        let rewritten: Value =
            serde_json::from_slice(&model.replace(body, TARGET)).expect("still JSON");
        members.insert("model".to_owned(), TARGET.into());
        assert_eq!(rewritten, Value::Object(members));
    }
}
