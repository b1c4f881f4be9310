//! One line, read whole: name, labels, value.

use std::borrow::Cow;

use memchr::memchr2;

use super::{
    Labels,
    Reason::{self, Malformed},
};

/// More labels than this on one line make it unreadable: no picker comes near, and a hostile line
/// could otherwise take many times its own size in memory.
const MAX_LABELS: usize = 128;

/// One sample line, read whole.
pub(super) struct Line<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) labels: Labels<'a>,
    pub(super) le: Option<Le<'a>>,
    pub(super) value: f64,
}

/// The label `le`.
pub(super) struct Le<'a> {
    pub(super) text: Cow<'a, str>,
    /// Where it begins in the line, if no label follows it.
    pub(super) last_at: Option<usize>,
}

pub(super) fn parse_line(line: &[u8]) -> Result<Line<'_>, Reason> {
    let mut cursor = Cursor { line, at: 0 };
    let mut name = cursor.metric_name();
    let mut labels = Labels::default();
    let mut le: Option<Le<'_>> = None;
    cursor.blanks();
    if cursor.skip(b'{') {
        while let Some((begin, part)) = cursor.part()? {
            let (label, value) = match part {
                Part::Label(label, value) => (label, value),
                Part::Name(quoted) if name.is_none() => {
                    name = Some(quoted);
                    continue;
                }
                Part::Name(_) => return Err(Malformed("two names")),
            };
            if let Some(le) = &mut le {
                le.last_at = None;
            }
            if label == "le" {
                if le.is_some() {
                    return Err(Malformed("a label given twice"));
                }
                le = Some(Le {
                    text: value,
                    last_at: Some(begin),
                });
            } else if labels.0.len() < MAX_LABELS {
                labels.0.push((label, value));
            } else {
                return Err(Malformed("more than 128 labels"));
            }
        }
    }
    let name = name.ok_or(Malformed("no metric name"))?;
    if !labels.0.is_sorted_by(|a, b| a.0 < b.0) {
        labels.0.sort();
        if labels.0.windows(2).any(|w| w[0].0 == w[1].0) {
            return Err(Malformed("a label given twice"));
        }
    }
    let value = value_and_rest(&line[cursor.at..])?;
    // Most lines have fewer labels than a vector begins with, and they are kept for as long as the text is.
    labels.0.shrink_to_fit();
    Ok(Line {
        name,
        labels,
        le,
        value,
    })
}

/// The value, then perhaps a timestamp, then perhaps an exemplar.
fn value_and_rest(rest: &[u8]) -> Result<f64, Reason> {
    let (value, rest) = word(trim_start(rest));
    let value = number(value).ok_or(Malformed("no value, or one that is no number"))?;
    let (timestamp, rest) = match trim_start(rest) {
        exemplar @ [b'#', ..] => (&b""[..], exemplar),
        other => word(other),
    };
    if !timestamp.is_empty() && !number(timestamp).is_some_and(f64::is_finite) {
        return Err(Malformed("a timestamp that is no number"));
    }
    match trim_start(rest) {
        [] => Ok(value),
        // OpenMetrics' exemplar; nothing here needs it.
        [b'#', exemplar @ ..] if trim_start(exemplar).first() == Some(&b'{') => Ok(value),
        _ => Err(Malformed("something after the value")),
    }
}

struct Cursor<'a> {
    line: &'a [u8],
    at: usize,
}

/// What stands between two commas.
enum Part<'a> {
    /// The metric's name, in quotes.
    Name(Cow<'a, str>),
    /// A label's name and value.
    Label(Cow<'a, str>, Cow<'a, str>),
}

impl<'a> Cursor<'a> {
    /// The name before the labels, if it is there.
    fn metric_name(&mut self) -> Option<Cow<'a, str>> {
        let bare = bare_name(self.line);
        self.at = bare.len();
        let name = std::str::from_utf8(bare).expect("a bare name is ASCII");
        (!name.is_empty()).then_some(name.into())
    }

    /// The next label or quoted name, and where it begins; `None` for the closing brace.
    fn part(&mut self) -> Result<Option<(usize, Part<'a>)>, Reason> {
        self.blanks();
        if self.skip(b'}') {
            return Ok(None);
        }
        let begin = self.at;
        let quoted = self.peek() == Some(b'"');
        let name = match quoted {
            true => self.quoted()?,
            false => self.label_name().into(),
        };
        if name.is_empty() && !quoted {
            return Err(Malformed("a label without a name"));
        }
        self.blanks();
        let part = if self.skip(b'=') {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(Malformed("a label value without quotes"));
            }
            Part::Label(name, self.quoted()?)
        } else if quoted {
            Part::Name(name)
        } else {
            return Err(Malformed("a label without ="));
        };
        self.blanks();
        if self.skip(b',') || self.peek() == Some(b'}') {
            Ok(Some((begin, part)))
        } else {
            Err(Malformed("labels that are not closed"))
        }
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    fn label_name(&mut self) -> &'a str {
        let rest = &self.line[self.at..];
        let end = rest
            .iter()
            .position(|b| !(b.is_ascii_alphanumeric() || *b == b'_'))
            .unwrap_or(rest.len());
        if rest.first().is_some_and(u8::is_ascii_digit) {
            return "";
        }
        self.at += end;
        std::str::from_utf8(&rest[..end]).unwrap_or("")
    }

    /// A quoted string. `\"`, `\\` and `\n` are its only escapes; any other backslash stands for itself.
    fn quoted(&mut self) -> Result<Cow<'a, str>, Reason> {
        let start = self.at + 1;
        let mut owned: Option<Vec<u8>> = None;
        let mut from = start;
        loop {
            let rest = &self.line[from..];
            let Some(i) = memchr2(b'"', b'\\', rest) else {
                return Err(Malformed("a quote that is not closed"));
            };
            let at = from + i;
            if self.line[at] == b'"' {
                self.at = at + 1;
                let text = match owned {
                    None => std::str::from_utf8(&self.line[start..at])
                        .map(Cow::Borrowed)
                        .ok(),
                    Some(mut text) => {
                        text.extend_from_slice(&self.line[from..at]);
                        String::from_utf8(text).map(Cow::Owned).ok()
                    }
                };
                return text.ok_or(Malformed("a label value that is not UTF-8"));
            }
            let text = owned.get_or_insert_default();
            text.extend_from_slice(&self.line[from..at]);
            match self.line.get(at + 1) {
                Some(b'n') => text.push(b'\n'),
                Some(escaped @ (b'"' | b'\\')) => text.push(*escaped),
                Some(other) => text.extend_from_slice(&[b'\\', *other]),
                None => return Err(Malformed("a quote that is not closed")),
            }
            from = at + 2;
        }
    }
}

/// The metric name that a line begins with, or nothing.
pub(super) fn bare_name(line: &[u8]) -> &[u8] {
    let end = line
        .iter()
        .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b':')))
        .unwrap_or(line.len());
    match line.first() {
        Some(b'0'..=b'9') | None => b"",
        // Followed by anything else, it is no name.
        _ if line.get(end).is_some_and(|b| !(is_blank(*b) || *b == b'{')) => b"",
        _ => &line[..end],
    }
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(super) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

/// Up to the next blank, and what follows.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(memchr2(b' ', b'\t', text).unwrap_or(text.len()))
}

/// A bucket's count as nearly every line has it: digits to the end of the line.
pub(super) fn plain_count(text: &[u8]) -> Option<f64> {
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    // Up to 15 digits are exact in an f64.
    if text.is_empty() || text.len() > 15 {
        return None;
    }
    let mut n = 0u64;
    for b in text {
        let digit = b.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        n = n * 10 + u64::from(digit);
    }
    Some(n as f64)
}

/// A number as Go's `strconv.ParseFloat` takes it, without its hexadecimal and underscored forms, which
/// Prometheus refuses too.
pub(super) fn number(text: &[u8]) -> Option<f64> {
    if let Some(n) = plain_count(text) {
        return Some(n);
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}
