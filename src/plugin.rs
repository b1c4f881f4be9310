//! Credential plugins of the kubeconfig (`users[].user.exec`): a program that prints who we are.
//!
//! kube runs a plugin several times per client, without a time limit, with our stdin whether or not that is a terminal,
//! and puts its output into the error. So igctl runs it once itself and hands kube the result.
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>

use std::io::{self, IsTerminal as _};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use kube::config::{ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use tokio::process::Command;

use crate::by_hand::ByHand;
use crate::error;
use crate::shell::word;

/// What a plugin gave.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Credential {
    pub(crate) token: Option<String>,
    /// PEM
    pub(crate) client_certificate_data: Option<String>,
    /// PEM
    pub(crate) client_key_data: Option<String>,
    /// When to run the plugin again.
    pub(crate) expiration_timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
struct ExecCredential {
    status: Option<Credential>,
}

/// Why a plugin gave no credential.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The kubeconfig names no command.
    #[error("the kubeconfig's credential plugin has no command")]
    NoCommand,
    /// The program does not exist.
    #[error("the kubeconfig's credential plugin {program} is not there")]
    Missing {
        /// As the kubeconfig names it; a relative path in full.
        program: String,
        /// What the kubeconfig says about installing it.
        install_hint: Option<String>,
    },
    /// The program could not be started.
    #[error("cannot start the kubeconfig's credential plugin {program}")]
    Start {
        /// As the kubeconfig names it.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It needs a person, and there is no terminal.
    #[error(
        "the kubeconfig's credential plugin {program} needs a terminal (interactiveMode: Always)"
    )]
    NoTerminal {
        /// As the kubeconfig names it.
        program: String,
    },
    /// It ran and failed.
    #[error("the kubeconfig's credential plugin {program} failed: {status}{stderr}")]
    Failed {
        /// As the kubeconfig names it.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said, ready to print; never its stdout, which may hold a token.
        stderr: String,
    },
    /// It did not end.
    #[error("the kubeconfig's credential plugin {program} did not end within {after:?}")]
    Stuck {
        /// As the kubeconfig names it.
        program: String,
        /// How long it had.
        after: Duration,
    },
    /// It printed something else.
    #[error(
        "the kubeconfig's credential plugin {program} printed no ExecCredential with a token or a certificate"
    )]
    Unreadable {
        /// As the kubeconfig names it.
        program: String,
    },
}

impl PluginError {
    /// The next thing to try.
    pub fn hint(&self, hand: &ByHand) -> Option<String> {
        match self {
            Self::NoCommand => None,
            Self::Missing {
                install_hint,
                program,
            } => Some(install_hint.clone().unwrap_or_else(|| {
                format!(
                    "install it, or put it on the PATH: command -v {}",
                    word(program)
                )
            })),
            Self::NoTerminal { .. } => {
                Some("run igctl from a terminal, or use a context that needs no login".into())
            }
            Self::Start { .. }
            | Self::Failed { .. }
            | Self::Stuck { .. }
            | Self::Unreadable { .. } => Some(format!(
                "does kubectl get through?  {} auth whoami",
                hand.kubectl()
            )),
        }
    }

    /// What the process should exit with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Stuck { .. } => error::TIMEOUT,
            Self::Failed { .. } => error::AUTH,
            _ => error::ERROR,
        }
    }
}

/// Runs the plugin once and reads what it prints, JSON or YAML.
///
/// A plugin that may talk to a person gets the terminal, if there is one; it is killed after `limit` all the same.
pub(crate) async fn run(exec: &ExecConfig, limit: Duration) -> Result<Credential, PluginError> {
    let program = exec.command.clone().ok_or(PluginError::NoCommand)?;
    let terminal = io::stdin().is_terminal();
    let interactive = match exec.interactive_mode {
        Some(ExecInteractiveMode::Never) => false,
        Some(ExecInteractiveMode::Always) if !terminal => {
            return Err(PluginError::NoTerminal { program });
        }
        Some(ExecInteractiveMode::Always | ExecInteractiveMode::IfAvailable) | None => terminal,
    };

    let mut command = Command::new(&program);
    command
        .args(exec.args.iter().flatten())
        .envs(
            exec.env
                .iter()
                .flatten()
                .filter_map(|variable| Some((variable.get("name")?, variable.get("value")?))),
        )
        .env("KUBERNETES_EXEC_INFO", exec_info(exec, interactive))
        .stdin(if interactive {
            Stdio::inherit()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(if interactive {
            Stdio::inherit()
        } else {
            Stdio::piped()
        })
        .kill_on_drop(true);

    let Output {
        status,
        stdout,
        stderr,
    } = match tokio::time::timeout(limit, command.output()).await {
        Err(_) => {
            return Err(PluginError::Stuck {
                program,
                after: limit,
            });
        }
        Ok(Err(source)) if source.kind() == io::ErrorKind::NotFound => {
            return Err(PluginError::Missing {
                program,
                install_hint: exec.install_hint.clone(),
            });
        }
        Ok(Err(source)) => return Err(PluginError::Start { program, source }),
        Ok(Ok(output)) => output,
    };
    if !status.success() {
        return Err(PluginError::Failed {
            program,
            status,
            stderr: last_words(&stderr),
        });
    }
    // The parser's own complaint may quote the line that it could not read, and so a token.
    serde_saphyr::from_slice::<ExecCredential>(&stdout)
        .ok()
        .and_then(|credential| credential.status)
        .filter(|given| {
            given.token.is_some()
                || (given.client_certificate_data.is_some() && given.client_key_data.is_some())
        })
        .ok_or(PluginError::Unreadable { program })
}

fn exec_info(exec: &ExecConfig, interactive: bool) -> String {
    let mut spec = json!({ "interactive": interactive });
    if exec.provide_cluster_info {
        spec["cluster"] = json!(exec.cluster);
    }
    json!({ "apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec }).to_string()
}

/// The last lines of what a plugin said, each on a line of its own and without control characters.
fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines
        .iter()
        .skip(lines.len().saturating_sub(5))
        .map(|line| format!("\n  {}", line.escape_debug()))
        .collect()
}
