//! Token counts, as model servers report them.

use serde::Deserialize;

/// What a response says it used. Unknown is not 0.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Tokens of the prompt.
    pub(crate) input: Option<u64>,
    /// Tokens of the answer.
    pub(crate) output: Option<u64>,
}

/// The object `usage` of any API: completions say `prompt_tokens` and
/// `completion_tokens`, messages and responses `input_tokens` and
/// `output_tokens`.
#[derive(Debug, Deserialize)]
struct Written {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

impl Usage {
    /// Takes over what another `usage` of the same response says. Each field
    /// stands on its own: a stream may give its input first and its output
    /// last. What is not an object of this kind says nothing.
    pub(crate) fn merge(&mut self, json: &[u8]) {
        if let Ok(Some(written)) = serde_json::from_slice::<Option<Written>>(json) {
            self.input = written
                .prompt_tokens
                .or(written.input_tokens)
                .or(self.input);
            self.output = written
                .completion_tokens
                .or(written.output_tokens)
                .or(self.output);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_merged_one_by_one_and_the_last_wins() {
        let mut usage = Usage::default();
        for json in [
            r#"{"input_tokens":21,"output_tokens":1}"#,
            "null",
            r#"{"output_tokens":6,"other":{}}"#,
            r#"{"output_tokens":"many"}"#,
            "7",
        ] {
            usage.merge(json.as_bytes());
        }
        assert_eq!(
            usage,
            Usage {
                input: Some(21),
                output: Some(6)
            }
        );
    }
}
