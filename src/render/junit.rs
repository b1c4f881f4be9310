//! What became of assertions → JUnit's XML, as Jenkins and GitLab read it: a test case for each. What is
//! inconclusive is an error, and skipped where that is allowed.
//! Source: <https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd>.

use std::borrow::Cow;

use super::smoke::{reason, span};
use crate::verdict::{Outcome, Smoke};
use crate::visible::visible;

/// The document.
pub fn render(smoke: &Smoke) -> String {
    let tests = smoke.verdicts.len();
    let failures = smoke.count(Outcome::Fail);
    let inconclusive = smoke.count(Outcome::Inconclusive);
    let (errors, skipped) = match smoke.allow_inconclusive {
        true => (0, inconclusive),
        false => (inconclusive, 0),
    };
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"igctl smoke\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n\
         \x20 <testsuite name=\"igctl smoke\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" timestamp=\"{}\">\n",
        smoke.at.strftime("%Y-%m-%dT%H:%M:%S"),
    );
    for verdict in &smoke.verdicts {
        let name = escaped(&verdict.assertion);
        let said = reason(verdict);
        let said = escaped(&said);
        let inner = match (verdict.outcome, smoke.allow_inconclusive) {
            (Outcome::Pass, _) => format!("<system-out>{said}</system-out>"),
            (Outcome::Fail, _) => format!("<failure type=\"fail\" message=\"{said}\"/>"),
            (Outcome::Inconclusive, true) => format!("<skipped message=\"{said}\"/>"),
            (Outcome::Inconclusive, false) => {
                format!("<error type=\"inconclusive\" message=\"{said}\"/>")
            }
        };
        text.push_str(&format!(
            "    <testcase classname=\"igctl.smoke\" name=\"{name}\">{inner}</testcase>\n"
        ));
    }
    let said = format!("counts are {}", span(smoke));
    text.push_str(&format!(
        "    <system-out>{}</system-out>\n  </testsuite>\n</testsuites>\n",
        escaped(&said)
    ));
    text
}

/// Text for an attribute or an element: XML 1.0 has no way to write control characters at all.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in visible(text).chars() {
        safe.push_str(&match c {
            '&' => Cow::Borrowed("&amp;"),
            '<' => Cow::Borrowed("&lt;"),
            '>' => Cow::Borrowed("&gt;"),
            '"' => Cow::Borrowed("&quot;"),
            '\u{fffe}' | '\u{ffff}' => Cow::Borrowed("\u{fffd}"),
            c => Cow::Owned(c.to_string()),
        });
    }
    safe
}
