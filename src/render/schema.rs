//! The committed schemas of documents are made from the types of the documents.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

/// That `docs/NAME.schema.json` is current; `UPDATE=1 cargo test` rewrites it.
#[track_caller]
pub(super) fn assert_is_current<Document: JsonSchema>(name: &str) {
    // What is left out when it is written need not be there.
    let settings = SchemaSettings::default().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Document>();
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
    let path = format!("{}/docs/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).expect("docs/ is writable");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed, text, "stale: UPDATE=1 cargo test");
}
