//! What a completion's request says, as far as the answer depends on it.

use serde::Deserialize;

/// Which of the two completion APIs was called: their answers are shaped differently.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Chat,
}

/// The body of a completion's request.
#[derive(Deserialize)]
pub(crate) struct Completion {
    pub(crate) model: String,
    #[serde(default)]
    pub(crate) stream: bool,
    #[serde(default)]
    stream_options: StreamOptions,
    #[serde(default)]
    prompt: String,
    #[serde(default)]
    messages: Vec<Message>,
    /// How many words the answer has.
    #[serde(default = "three")]
    pub(crate) max_tokens: usize,
}

#[derive(Default, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

fn three() -> usize {
    3
}

impl Completion {
    /// Whether a stream ends with an event that tells the usage.
    pub(crate) fn include_usage(&self) -> bool {
        self.stream_options.include_usage
    }

    /// A token is a word here.
    pub(crate) fn prompt_tokens(&self) -> usize {
        let words = |text: &str| text.split_whitespace().count();
        words(&self.prompt)
            + self
                .messages
                .iter()
                .map(|message| words(&message.content))
                .sum::<usize>()
    }
}
