//! Token counts, as model servers report them.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// What a response says it used. Unknown is not 0.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Tokens of the prompt.
    pub(crate) input: Option<u64>,
    /// Tokens of the answer.
    pub(crate) output: Option<u64>,
}

impl Usage {
    /// Takes over what another `usage` of the same response says: completions
    /// say `prompt_tokens` and `completion_tokens`, messages and responses
    /// `input_tokens` and `output_tokens`. Each field stands on its own: a stream
    /// may give its input first and its output last, and one that is no count,
    /// or of which there are several, says nothing of the others. Of several the
    /// last counts, as with most readers of JSON. What is not an object says
    /// nothing.
    pub(crate) fn merge(&mut self, json: &[u8]) {
        let Ok(fields) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(json) else {
            return;
        };
        let read = |names: [&str; 2]| {
            let mut values = names.iter().filter_map(|&name| fields.get(name));
            values.find_map(|value| count(value.get()))
        };
        self.input = read(["prompt_tokens", "input_tokens"]).or(self.input);
        self.output = read(["completion_tokens", "output_tokens"]).or(self.output);
    }
}

/// A whole number of JSON, in whichever way it is written: `7`, `7.0`, `7e0`.
fn count(written: &str) -> Option<u64> {
    // Beyond it not every whole number is one of these.
    const LARGEST: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
    let is_count = |number: &f64| number.fract() == 0.0 && (0.0..=LARGEST).contains(number);
    let from_float = || {
        written
            .parse()
            .ok()
            .filter(is_count)
            .map(|number| number as u64)
    };
    written.parse().ok().or_else(from_float)
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

    #[test]
    fn a_field_that_is_no_count_says_nothing_and_voids_no_other() {
        let read = |field: &str| {
            let mut usage = Usage::default();
            usage.merge(format!(r#"{{"prompt_tokens":7,{field}}}"#).as_bytes());
            (usage.input, usage.output)
        };
        let outputs = [
            (r#""completion_tokens":3.0"#, Some(3)),
            (r#""completion_tokens":3e2"#, Some(300)),
            (r#""completion_tokens":-1"#, None),
            (r#""completion_tokens":3.5"#, None),
            (r#""completion_tokens":1e300"#, None),
            (r#""completion_tokens":"3""#, None),
            (r#""completion_tokens":[3]"#, None),
            (r#""completion_tokens":null,"output_tokens":3"#, Some(3)),
            (r#""completion_tokens":2,"completion_tokens":3"#, Some(3)),
            (r#""completion_tokens":2,"completion_tokens":-3"#, None),
            (
                r#""completion_tokens":18446744073709551615"#,
                Some(u64::MAX),
            ),
        ];
        let seen = outputs.map(|(field, _)| (field, read(field)));
        let expected = outputs.map(|(field, output)| (field, (Some(7), output)));
        assert_eq!(seen, expected);
    }
}
