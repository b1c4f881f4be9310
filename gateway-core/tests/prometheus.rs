//! Prometheus' own judgement of the page of metrics. `promtool` is found by
//! `PATH`.

mod support;

use std::io::Write;
use std::process::{Command, Stdio};

use support::Gateway;

#[tokio::test]
async fn promtool_finds_nothing() {
    let page = Gateway::well_used().await.page().await;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    let mut input = promtool.stdin.take().expect("a pipe");
    input.write_all(page.as_bytes()).expect("promtool reads");
    drop(input);
    let checked = promtool.wait_with_output().expect("promtool ends");
    assert_eq!(
        (
            String::from_utf8_lossy(&checked.stderr).as_ref(),
            checked.status.success()
        ),
        ("", true)
    );
}
