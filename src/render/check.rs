//! The links of `igctl check` → a table for people, JSON for programs.

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use crate::check::{Outcome, Step, passes};
use crate::visible::visible;

/// Name and version of the document's form. Fields may be added under the same version; none is renamed, removed or
/// given another meaning.
pub const SCHEMA: &str = "igctl.check/v1";

/// Where the second column begins: ` FAIL  `.
const NAME_AT: usize = 7;
/// Where the text begins.
const TEXT_AT: usize = 23;
/// Narrower than this, lines are long rather than many.
const NARROWEST: usize = 60;

/// A line for each link, with evidence and fix below it.
pub fn table(steps: &[Step], width: usize) -> String {
    let room = width.max(NARROWEST) - TEXT_AT;
    let mut text = String::new();
    let mut picker = None;
    for step in steps {
        if step.picker != picker {
            picker.clone_from(&step.picker);
            if let Some(name) = &picker {
                text.push_str(&format!("\n{}\n", visible(name)));
            }
        }
        let outcome = match step.outcome {
            Outcome::Fail => "FAIL",
            other => other.text(),
        };
        let found = folded(&step.found, room);
        let evidence = step.evidence.iter().flat_map(|line| folded(line, room));
        let mut first = format!(
            " {outcome:<w$}{:<n$}",
            step.name.text(),
            w = NAME_AT - 1,
            n = TEXT_AT - NAME_AT
        );
        for line in found.into_iter().chain(evidence) {
            push(&mut text, &first, &line);
            first = " ".repeat(TEXT_AT);
        }
        let mut first = format!(
            "{:w$}{:<n$}",
            "",
            "fix:",
            w = NAME_AT,
            n = TEXT_AT - NAME_AT
        );
        for command in &step.fix {
            for line in broken(&visible(command), room) {
                push(&mut text, &first, &line);
                first = " ".repeat(TEXT_AT);
            }
        }
    }
    text.push_str(&summary(steps));
    text.push('\n');
    text
}

fn push(text: &mut String, start: &str, line: &str) {
    text.push_str(format!("{start}{line}").trim_end());
    text.push('\n');
}

fn folded(line: &str, room: usize) -> Vec<String> {
    let options = textwrap::Options::new(room)
        .subsequent_indent("  ")
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    let line = visible(line);
    let lines = textwrap::wrap(&line, options).into_iter();
    lines.map(|line| line.into_owned()).collect()
}

/// A command on lines that a shell reads as one: broken at blanks outside of quotes, each but the last ending in `\`.
fn broken(command: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words(command) {
        match lines.last_mut() {
            // Two columns are for the `\` and the blank before it.
            Some(line) if line.width() + 1 + word.width() + 2 <= room => {
                line.push(' ');
                line.push_str(word);
            }
            Some(line) => {
                line.push_str(" \\");
                lines.push(format!("  {word}"));
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A shell command's words, with their quotes.
fn words(command: &str) -> impl Iterator<Item = &str> {
    let (mut quote, mut is_escaped) = (None, false);
    let is_break = move |c: char| {
        is_escaped = match (quote, c) {
            _ if is_escaped => false,
            (None | Some('"'), '\\') => true,
            (None, '\'' | '"') => {
                quote = Some(c);
                false
            }
            (Some(open), _) if c == open => {
                quote = None;
                false
            }
            _ => false,
        };
        c == ' ' && quote.is_none()
    };
    command.split(is_break).filter(|word| !word.is_empty())
}

/// `1 failed, 4 ok, 1 skipped`
fn summary(steps: &[Step]) -> String {
    let parts = [
        (Outcome::Fail, "failed"),
        (Outcome::Warn, "to look at"),
        (Outcome::Ok, "ok"),
        (Outcome::Skip, "skipped"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(outcome, word)| {
            (
                steps.iter().filter(|step| step.outcome == outcome).count(),
                word,
            )
        })
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    parts.join(", ")
}

/// What `igctl check -o json` prints.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Document<'a> {
    /// `igctl.check/v1`
    schema: &'a str,
    /// Whether nothing failed, so that the command exits with 0.
    ok: bool,
    /// In the order of the chain: the first that failed is the cause.
    steps: Vec<JsonStep<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct JsonStep<'a> {
    /// `kubeconfig`, `pool`, `picker`, `my rights`, `reader's right`, `picker's right`, `metrics` or `content`.
    name: &'a str,
    /// Of which picker, where there are several: its Service's namespace and name, or, found without one, its namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    picker: Option<&'a str>,
    /// `ok`, `warn`, `fail` or `skip`.
    outcome: &'a str,
    /// What was found, what is wrong, or why it was not looked at.
    found: &'a str,
    /// What that rests on.
    evidence: &'a [String],
    /// Shell commands that mend it, in this order.
    fix: &'a [String],
}

/// The document.
pub fn document(steps: &[Step]) -> impl Serialize {
    Document {
        schema: SCHEMA,
        ok: passes(steps),
        steps: steps
            .iter()
            .map(|step| JsonStep {
                name: step.name.text(),
                picker: step.picker.as_deref(),
                outcome: step.outcome.text(),
                found: &step.found,
                evidence: &step.evidence,
                fix: &step.fix,
            })
            .collect(),
    }
}

/// A head line, and a line for each link.
pub fn records(steps: &[Step]) -> Vec<Vec<String>> {
    let head = ["picker", "name", "outcome", "found", "evidence", "fix"];
    let lines = |lines: &[String]| visible(&lines.join("; ")).into_owned();
    let record = |step: &Step| {
        vec![
            visible(step.picker.as_deref().unwrap_or_default()).into_owned(),
            step.name.text().to_owned(),
            step.outcome.text().to_owned(),
            visible(&step.found).into_owned(),
            lines(&step.evidence),
            lines(&step.fix),
        ]
    };
    std::iter::once(head.map(str::to_owned).to_vec())
        .chain(steps.iter().map(record))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_docs_is_current() {
        crate::render::schema::assert_is_current::<Document<'_>>("check");
    }

    #[test]
    fn a_long_command_is_broken_where_a_shell_does_not_mind() {
        let patch = r#"kubectl patch service epp -n llm --type=json -p '[{"op": "replace"}]'"#;

        assert_eq!(
            broken(patch, 40),
            [
                r"kubectl patch service epp -n llm \",
                r#"  --type=json -p '[{"op": "replace"}]'"#
            ]
        );
        assert_eq!(
            broken(r#"kubectl -n "it's a \" b" get pods"#, 12),
            ["kubectl -n \\", r#"  "it's a \" b" \"#, "  get pods"]
        );
    }
}
