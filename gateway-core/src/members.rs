//! Follows a JSON document byte by byte, however it is cut, and knows when a
//! byte belongs to one of the few values that matter here. Pure, and without
//! memory of its own: nothing is buffered, nesting costs a counter.

/// The values that are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Member {
    /// `model` of the document itself, if it is a string; from quote to quote.
    Model,
    /// `usage` of the document itself, of its `message`, or of its `response`.
    Usage,
}

/// Where in a document the next byte stands.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    depth: u32,
    is_string: bool,
    is_escaped: bool,
    /// The outer two levels: deeper ones hold nothing that is looked for.
    levels: [Level; 2],
}

#[derive(Debug, Default, Clone, Copy)]
struct Level {
    is_value: bool,
    key: Key,
}

/// A key as far as it has been read, without quotes. Longer ones than any
/// that is looked for are cut, and so are none of them.
#[derive(Debug, Default, Clone, Copy)]
struct Key {
    bytes: [u8; 9],
    length: usize,
}

impl Key {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn is(&self, name: &str) -> bool {
        self.bytes[..self.length] == *name.as_bytes()
    }
}

impl Follower {
    /// Takes the next byte and says what it belongs to.
    pub(crate) fn step(&mut self, byte: u8) -> Option<Member> {
        if self.is_string {
            return self.step_in_string(byte);
        }
        match byte {
            b'"' => {
                self.is_string = true;
                if let Some(level) = self.level()
                    && !level.is_value
                {
                    level.key = Key::default();
                }
            }
            b'{' | b'[' => {
                let outside = self.member();
                self.depth += 1;
                if let Some(level) = self.level() {
                    *level = Level::default();
                }
                return outside.filter(|&member| member == Member::Usage);
            }
            b'}' | b']' => {
                let inside = self.member();
                self.depth = self.depth.saturating_sub(1);
                // The bracket still belongs to the value that it closes.
                return inside.and(self.member());
            }
            b':' => {
                // The colon belongs to what the key is in, not to its value.
                let outside = self.member();
                if let Some(level) = self.level() {
                    level.is_value = true;
                }
                return outside;
            }
            b',' => {
                if let Some(level) = self.level() {
                    level.is_value = false;
                }
            }
            _ => {}
        }
        // Of a model only the string counts, not the blanks around it.
        match self.member() {
            Some(Member::Model) if byte != b'"' => None,
            member => member,
        }
    }

    fn step_in_string(&mut self, byte: u8) -> Option<Member> {
        let member = self.member();
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' => self.is_escaped = true,
            b'"' => self.is_string = false,
            _ => {}
        }
        if self.is_string
            && let Some(level) = self.level()
            && !level.is_value
        {
            level.key.push(byte);
        }
        member
    }

    /// How many of these next bytes are in the middle of a string, and one
    /// whose content does not matter, so that a reader may skip them.
    pub(crate) fn skippable(&self, bytes: &[u8]) -> usize {
        let matters =
            !self.is_string || self.is_escaped || self.is_key() || self.member().is_some();
        if matters {
            return 0;
        }
        // Line ends are no part of a string; they may end a line of events.
        let end = memchr::memchr3(b'"', b'\\', b'\n', bytes).unwrap_or(bytes.len());
        memchr::memchr(b'\r', &bytes[..end]).unwrap_or(end)
    }

    fn is_key(&self) -> bool {
        let level = self.depth.checked_sub(1);
        let level = level.and_then(|index| self.levels.get(index as usize));
        level.is_some_and(|level| !level.is_value)
    }

    fn level(&mut self) -> Option<&mut Level> {
        let index = self.depth.checked_sub(1)?;
        self.levels.get_mut(index as usize)
    }

    fn member(&self) -> Option<Member> {
        let [outer, inner] = &self.levels;
        if self.depth == 0 || !outer.is_value {
            return None;
        }
        if outer.key.is("usage") {
            return Some(Member::Usage);
        }
        if self.depth == 1 {
            return outer.key.is("model").then_some(Member::Model);
        }
        let is_wrapped = outer.key.is("message") || outer.key.is("response");
        (is_wrapped && inner.is_value && inner.key.is("usage")).then_some(Member::Usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a document that belong to a member.
    fn found(document: &str, member: Member) -> String {
        let mut follower = Follower::default();
        let bytes = document
            .bytes()
            .filter(|&byte| follower.step(byte) == Some(member));
        String::from_utf8(bytes.collect()).expect("whole letters")
    }

    #[test]
    fn only_the_outer_model_is_found_and_only_as_a_string() {
        let documents = [
            r#"{"id":"model","model" : "a\"b" ,"x":{"model":"no"},"models":"no"}"#,
            r#"{"choices":[{"model":"no"}],"model":"yes"}"#,
            r#"["model",{"model":"no"}]"#,
            r#"{"model":null,"a":"model"}"#,
            r#"{"a":"\\","model":"yes"}"#,
        ];
        let models = documents.map(|document| found(document, Member::Model));
        assert_eq!(models, [r#""a\"b""#, r#""yes""#, "", "", r#""yes""#]);
    }

    #[test]
    fn usage_is_found_at_its_three_places() {
        let documents = [
            r#"{"usage":{"a":[1,{"b":2}]},"x":1}"#,
            r#"{"type":"message_start","message":{"usage":{"input_tokens":21},"x":{"usage":0}}}"#,
            r#"{"response":{"output":[{"usage":7}],"usage":{"c":3}}}"#,
            r#"{"choices":[{"usage":7}],"usage":null}"#,
        ];
        let usages = documents.map(|document| found(document, Member::Usage));
        assert_eq!(
            usages,
            [
                r#"{"a":[1,{"b":2}]}"#,
                r#"{"input_tokens":21}"#,
                r#"{"c":3}"#,
                "null",
            ]
        );
    }

    #[test]
    fn garbage_is_followed_without_harm() {
        let garbage = [
            "}}}]]]:,\"",
            "{{{{::::\"usage\"",
            "\u{0}\u{1}no JSON",
            "{\"usage\":{\"a\":",
        ];
        for text in garbage {
            let mut follower = Follower::default();
            for byte in text.bytes().cycle().take(1000) {
                follower.step(byte);
            }
        }
    }
}
