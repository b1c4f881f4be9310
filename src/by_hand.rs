//! The same API server as the same user, by hand: how the commands that a hint suggests reach what igctl was told to.

use std::path::Path;

use crate::shell::word;

/// The flags of the connection, as they were typed; kubectl and igctl spell them alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByHand {
    /// ` --context prod`
    connection: String,
    /// ` --as jane`
    acting: String,
}

impl ByHand {
    /// From what was typed.
    pub fn new(
        kubeconfig: Option<&Path>,
        context: Option<&str>,
        user: Option<&str>,
        groups: &[String],
    ) -> Self {
        let flag = |flag: &str, value: &str| format!(" {flag} {}", word(value));
        let kubeconfig = kubeconfig.map(|path| flag("--kubeconfig", &path.to_string_lossy()));
        let context = context.map(|name| flag("--context", name));
        let user = user.map(|name| flag("--as", name));
        let groups = groups.iter().map(|name| flag("--as-group", name));
        Self {
            connection: kubeconfig.into_iter().chain(context).collect(),
            acting: user.into_iter().chain(groups).collect(),
        }
    }

    /// `kubectl --context prod --as jane`: what igctl itself may do.
    pub fn kubectl(&self) -> String {
        format!("kubectl{}", self.flags())
    }

    /// `kubectl --context prod`: what takes more rights than those of the user who was acted as.
    pub fn admin(&self) -> String {
        format!("kubectl{}", self.connection)
    }

    /// ` --context prod --as jane`, to follow a command of igctl.
    pub fn flags(&self) -> String {
        format!("{}{}", self.connection, self.acting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_carried_and_quoted() {
        let hand = ByHand::new(
            Some(Path::new("my config")),
            Some("prod"),
            Some("jane"),
            &["ops".to_owned()],
        );

        assert_eq!(
            [hand.kubectl(), hand.admin()],
            [
                "kubectl --kubeconfig 'my config' --context prod --as jane --as-group ops",
                "kubectl --kubeconfig 'my config' --context prod",
            ]
        );
    }
}
