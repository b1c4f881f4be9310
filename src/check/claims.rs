//! What a token says about itself, unverified: its end, its audiences, its owner. Its signature, the secret part, is
//! not looked at.
//! <https://www.rfc-editor.org/rfc/rfc7519>

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;

use crate::cluster::is_name;

/// The part of a token's claims that explains a refusal.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Claims {
    /// `system:serviceaccount:llm:reader`
    #[serde(default)]
    pub(super) sub: String,
    #[serde(default)]
    aud: Audiences,
    exp: Option<i64>,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Many(Vec<String>),
}

impl Default for Audiences {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Claims {
    /// `None` for a token that is none of this kind.
    pub(super) fn of(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let json = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// When it ended, if it has.
    pub(super) fn ended(&self) -> Option<Timestamp> {
        let end = Timestamp::from_second(self.exp?).ok()?;
        (end < Timestamp::now()).then_some(end)
    }

    /// The ServiceAccount whose it is: namespace and name.
    pub(super) fn account(&self) -> Option<(&str, &str)> {
        let owner = self.sub.strip_prefix("system:serviceaccount:")?;
        let (namespace, name) = owner.split_once(':')?;
        (is_name(namespace) && is_name(name)).then_some((namespace, name))
    }

    /// What is known of why it may not be good.
    pub(super) fn evidence(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(end) = self.ended() {
            lines.push(format!("it ended at {end}"));
        }
        let audiences: Vec<&str> = match &self.aud {
            Audiences::One(audience) => vec![audience],
            Audiences::Many(audiences) => audiences.iter().map(String::as_str).collect(),
        };
        if !audiences.is_empty() {
            lines.push(format!("it is made out to {}", audiences.join(", ")));
        }
        if !self.sub.is_empty() {
            lines.push(format!("its owner is {}", self.sub));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_its_end_and_owner() {
        let payload = BASE64_URL_SAFE_NO_PAD.encode(
            r#"{"aud":["vault"],"exp":1700000000,"sub":"system:serviceaccount:llm:reader"}"#,
        );
        let claims = Claims::of(&format!("e30.{payload}.c2ln"));

        assert_eq!(
            claims.map(|claims| claims.evidence()),
            Some(vec![
                "it ended at 2023-11-14T22:13:20Z".to_owned(),
                "it is made out to vault".to_owned(),
                "its owner is system:serviceaccount:llm:reader".to_owned(),
            ])
        );
        assert_eq!(Claims::of("not-a-token"), None);
    }
}
