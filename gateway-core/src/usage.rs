//! Token counts, as model servers report them.

/// What a response says it used. Unknown is not 0.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Tokens of the prompt.
    pub(crate) input: Option<u64>,
    /// Tokens of the answer.
    pub(crate) output: Option<u64>,
}
