//! What became of assertions → GitHub Actions: a workflow command for each one that does not hold, which
//! becomes an annotation, and a table for the step's summary.
//! Source: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>.

use super::smoke::{reason, span, summary as counts};
use crate::verdict::{Outcome, Smoke};
use crate::visible::visible;

/// A line for each assertion that does not hold.
pub fn annotations(smoke: &Smoke) -> String {
    let mut text = String::new();
    for verdict in &smoke.verdicts {
        let level = match (verdict.outcome, smoke.allow_inconclusive) {
            (Outcome::Pass, _) => continue,
            (Outcome::Inconclusive, true) => "warning",
            (Outcome::Fail, _) | (Outcome::Inconclusive, false) => "error",
        };
        let title = format!("{}: {}", verdict.outcome.name(), verdict.assertion);
        text.push_str(&format!(
            "::{level} title={}::{}\n",
            property(&visible(&title)),
            data(&reason(verdict))
        ));
    }
    text
}

/// Markdown.
pub fn summary(smoke: &Smoke) -> String {
    let mut text = format!(
        "### {}\n\n| outcome | assertion | seen |\n| --- | --- | --- |\n",
        counts(smoke)
    );
    for verdict in &smoke.verdicts {
        text.push_str(&format!(
            "| {} | {} | {} |\n",
            verdict.outcome.name(),
            cell(&visible(&verdict.assertion)),
            cell(&reason(verdict))
        ));
    }
    text.push_str(&format!("\nCounts are {}.\n", span(smoke)));
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Model names are strangers' text: none of it may become markup.
fn cell(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '!' | '#' | '~' | '@' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}
