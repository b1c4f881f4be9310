//! Commands to be pasted. Strangers chose the names that go into them, and a shell is to read each as one word.

use std::borrow::Cow;

use serde_json::{Value, json};

/// What a shell reads as this word.
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    // Only a NUL cannot be quoted, and no program can be given one.
    shlex::try_quote(text).unwrap_or(Cow::Borrowed("''"))
}

/// Options of `kubectl patch` that change one place of an object.
pub(crate) fn json_patch(op: &str, path: &str, value: Value) -> String {
    let patch = json!([{ "op": op, "path": path, "value": value }]);
    format!("--type=json -p {}", word(&patch.to_string()))
}

/// Options of `kubectl patch` that merge something into an object.
pub(crate) fn merge_patch(patch: &Value) -> String {
    format!("--type=merge -p {}", word(&patch.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_each_name_as_one_word() {
        for name in ["epp", "x;touch /tmp/pwned #", "$(id)", "it's \"a\" `b`", ""] {
            let path = format!("/spec/{name}");
            let command = format!(
                "kubectl -n {} {}",
                word(name),
                json_patch("add", &path, json!(name))
            );

            let words = shlex::split(&command).expect("all quotes are closed");
            let patch: Value = serde_json::from_str(&words[5]).expect("JSON");
            assert_eq!(
                (&words[..5], &patch[0]["path"], &patch[0]["value"]),
                (
                    &["kubectl", "-n", name, "--type=json", "-p"].map(String::from)[..],
                    &json!(path),
                    &json!(name)
                )
            );
        }
    }
}
