//! igctl as it is called, without what the caller's environment might add.

use std::process::Output;

use assert_cmd::Command;

pub fn igctl(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_igctl"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", "/nonexistent")
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// How a call ended.
pub fn call(arguments: &[&str]) -> String {
    ended(&igctl(arguments).output().expect("igctl starts"))
}

/// Exit code, stdout, stderr.
pub fn ended(output: &Output) -> String {
    let code = output.status.code();
    format!(
        "exit {}\n{}{}",
        code.map_or("by signal".to_owned(), |code| code.to_string()),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
