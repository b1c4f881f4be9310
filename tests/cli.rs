//! The program as it is called: output, errors with their hints, exit codes.

mod support;

use std::{io::Write, process::Stdio};

use support::call::{call, ended, igctl};

fn call_with_stdin(arguments: &[&str], stdin: &str) -> String {
    ended(
        &igctl(arguments)
            .write_stdin(stdin)
            .output()
            .expect("igctl starts"),
    )
}

const SCRAPE: &str = "tests/fixtures/scrapes/gie-v0.5.1/t0.prom.gz";

#[test]
fn a_saved_scrape_as_table() {
    insta::assert_snapshot!(call(&["metrics", "top", "-f", SCRAPE]));
}

#[test]
fn a_saved_scrape_as_wide_table() {
    insta::assert_snapshot!(call(&[
        "metrics",
        "top",
        "-f",
        "tests/fixtures/scrapes/llm-d-router-main/t0.prom.gz",
        "-o",
        "wide"
    ]));
}

#[test]
fn a_saved_scrape_as_csv() {
    insta::assert_snapshot!(call(&[
        "metrics",
        "top",
        "-f",
        SCRAPE,
        "-o",
        "csv",
        "--quantiles",
        "50,99.9"
    ]));
}

#[test]
fn a_saved_scrape_as_json() {
    let output = igctl(&[
        "metrics",
        "top",
        "-f",
        SCRAPE,
        "-o",
        "json",
        "--limit",
        "1",
        "--quantiles",
        "90",
    ])
    .output()
    .expect("igctl starts");
    let mut json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    support::assert_fits("metrics-top", &json);
    json["at"] = "(when it was read)".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).expect("JSON"));
}

#[test]
fn several_files_are_replicas() {
    let one = call(&["metrics", "top", "-f", SCRAPE, "-o", "csv"]);
    let two = call(&[
        "metrics",
        "top",
        "-f",
        SCRAPE,
        "-f",
        "tests/fixtures/scrapes/gie-v0.5.1/t1.prom.gz",
        "-o",
        "csv",
    ]);
    let requests = |text: &str| {
        text.lines()
            .find(|l| l.starts_with("sql-lora,"))
            .and_then(|l| l.split(',').nth(3))
            .map(str::to_owned)
    };
    assert_eq!(
        (requests(&one), requests(&two)),
        (Some("10".to_owned()), Some("26".to_owned())),
        "{two}"
    );
}

#[test]
fn models_are_chosen_by_glob_and_ordered_by_column() {
    let text = call(&[
        "metrics", "top", "-f", SCRAPE, "-m", "*s*", "--sort", "p99", "-o", "csv",
    ]);
    let models: Vec<&str> = text
        .lines()
        .skip(2)
        .filter_map(|l| l.split(',').next())
        .collect();
    assert_eq!(
        models,
        [
            "sql-lora",
            "tweet-summary",
            "meta-llama/Llama-3.1-8B-Instruct",
            "tweet-summary",
            "no-such-model"
        ],
        "{text}"
    );
}

#[test]
fn no_traffic_yet_is_no_failure() {
    insta::assert_snapshot!(call(&[
        "metrics",
        "top",
        "-f",
        "tests/fixtures/scrapes/gie-v1.5.0/idle.prom.gz"
    ]));
}

#[test]
fn a_stranger_is_no_picker() {
    insta::assert_snapshot!(call(&[
        "metrics",
        "top",
        "-f",
        "tests/fixtures/scrapes/gie-lwepp-main/t0.prom.gz"
    ]));
}

#[test]
fn an_error_page_is_no_metrics() {
    insta::assert_snapshot!(call_with_stdin(
        &["metrics", "top", "-f", "-"],
        "<html>\n<body>\u{1b}[2J404</body>\n"
    ));
}

#[test]
fn an_empty_answer_is_no_metrics() {
    insta::assert_snapshot!(call_with_stdin(&["metrics", "top", "-f", "-"], ""));
}

#[test]
fn one_bad_file_of_two_is_partial() {
    insta::assert_snapshot!(call(&[
        "metrics",
        "top",
        "-f",
        SCRAPE,
        "-f",
        "/nonexistent.prom",
        "-o",
        "csv"
    ]));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let wrong: [&[&str]; 12] = [
        &["metrics", "top", "web-0"],
        &["metrics", "top", "node/web-0"],
        &["metrics", "top", "--url", "ftp://x/metrics"],
        &["metrics", "top", "--url", "user:secret@h:9090/metrics"],
        &["metrics", "top", "-f", SCRAPE, "--sort", "p42"],
        &[
            "metrics",
            "top",
            "-f",
            SCRAPE,
            "--quantiles",
            "29",
            "--sort",
            "x",
        ],
        &["metrics", "top", "-f", SCRAPE, "--window", "10s"],
        &["metrics", "top", "-f", SCRAPE, "-w"],
        &["metrics", "top", "--service-account", "reader"],
        &["metrics", "top", "-f", "-", "-f", "-"],
        &["metrics", "top", "-f", SCRAPE, "-f", SCRAPE],
        &["metrics", "top", "-f", SCRAPE, "-m", "[a"],
    ];
    insta::assert_snapshot!(wrong.map(call).join("\n"));
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_igctl"))
        .args(["completion", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("igctl starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("igctl ends");
    assert_eq!(ended(&output), "exit 0\n");
}

#[test]
fn a_full_disk_is_a_failure() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("Linux has it");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_igctl"))
        .args(["metrics", "top", "-f", SCRAPE, "-o", "json"])
        .stdout(full)
        .output()
        .expect("igctl starts");
    assert_eq!(
        ended(&output),
        "exit 1\nerror: writing the output\n  No space left on device (os error 28)\n"
    );
}

#[test]
fn stdin_may_be_packed() {
    let packed = std::fs::read(SCRAPE).expect("the fixture");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_igctl"))
        .args(["metrics", "top", "-f", "-", "-o", "csv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("igctl starts");
    // A pipe may bring its first byte alone.
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(&packed[..1]).expect("igctl reads");
    std::thread::sleep(std::time::Duration::from_millis(200));
    stdin.write_all(&packed[1..]).expect("igctl reads");
    drop(stdin);
    let output = child.wait_with_output().expect("igctl ends");
    assert!(
        ended(&output).contains("\nsql-lora,sql-lora-v2,,10,"),
        "{}",
        ended(&output)
    );
}

#[test]
fn a_time_that_no_clock_has_is_refused() {
    let error = call(&[
        "smoke",
        "-f",
        SCRAPE,
        "--assert",
        "requests > 0",
        "--wait",
        "9223372036854775807",
    ]);

    assert!(
        error.contains("exit 2") && error.contains("more than a year"),
        "{error}"
    );
}

/// A pod that fails is told, and what the others emit is shown.
#[test]
fn the_catalog_of_what_can_be_read() {
    let csv = |more: &[&str]| {
        let arguments = [&["metrics", "catalog", "-o", "csv", "-f", SCRAPE], more].concat();
        igctl(&arguments).output().expect("igctl starts")
    };
    let (one, both) = (csv(&[]), csv(&["-f", "/nonexistent.prom"]));
    assert_eq!(
        (both.status.code(), &both.stdout, both.stderr.is_empty()),
        (Some(4), &one.stdout, false)
    );
}

#[test]
fn only_a_picker_has_a_catalog() {
    let told = |text: &str| {
        let told = call_with_stdin(&["metrics", "catalog", "-o", "csv", "-f", "-"], text);
        let is_told = |line: &&str| line.starts_with("exit") || line.contains("stdin");
        told.lines().filter(is_told).collect::<Vec<_>>().join("\n")
    };
    let request = "inference_model_request_total{model_name=\"a\"} 1\n";

    let texts = [
        "",
        "<html></html>\n",
        "node_load1 0.5\n",
        request,
        &request[..request.len() - 1],
        &format!("{request}this is garbage!! {{{{{{\n"),
    ];
    let no_picker = |code| format!("exit {code}\nerror: no endpoint picker's metrics at stdin");
    assert_eq!(
        texts.map(told),
        [
            no_picker(1),
            no_picker(1),
            no_picker(6),
            "exit 0".to_owned(),
            "exit 0\n WARN stdin: the text ends without a newline; it may be cut off".to_owned(),
            "exit 0\n WARN stdin: 1 unreadable lines are not in the list".to_owned(),
        ]
    );
}

#[test]
fn what_is_not_there_is_told() {
    let top = |more: &[&str]| call(&[&["metrics", "top", "-f", SCRAPE], more].concat());

    let told = [top(&["-m", "nosuch"]), top(&["--latency", "ttft"])];

    assert!(
        told[0].contains("no model matches \"nosuch\"")
            && told[1].contains("TTFT P99")
            && told[1].contains("no ttft was measured"),
        "{told:?}"
    );
}

#[test]
fn dumped_texts_do_not_run_into_each_other() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = ["one\n", "two", ""].map(|text| {
        let path = folder.path().join(text.trim()).with_extension("prom");
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    });
    let arguments = [
        "metrics", "dump", "-f", &files[0], "-f", &files[1], "-f", &files[2],
    ];

    let told = call(&arguments);

    let texts: Vec<&str> = told.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(texts, ["exit 0", "one", "two"], "{told}");
}

#[test]
fn a_file_that_cannot_be_read_has_a_hint() {
    let hint = |file: &str| {
        let told = call(&["metrics", "top", "-f", file]);
        told.lines().last().unwrap_or_default().to_owned()
    };

    assert_eq!(
        ["/nonexistent.prom", "tests", "docs/check.schema.json"].map(hint),
        [
            "hint: is it there, and may you read it?  ls -l /nonexistent.prom",
            "hint: name the files in it: -f tests/FILE",
            "hint: save a scrape anew:  igctl metrics dump -n NAMESPACE > FILE",
        ]
    );
}

#[test]
fn each_person_has_a_binding_of_their_own() {
    let people = [
        "--user", "ops", "--group", "ops", "--user", "a/b", "--user", "a-b",
    ];
    let manifests = call(
        &[
            &["rbac", "generate", "-n", "llm", "--only", "operator"][..],
            &people,
        ]
        .concat(),
    );

    let bindings: Vec<&str> = manifests
        .lines()
        .filter_map(|line| line.trim().strip_prefix("name: \"igctl-operator-"))
        .collect();
    assert_eq!(
        bindings,
        ["user-ops\"", "user-a_2fb\"", "user-a-b\"", "group-ops\""]
    );
}

/// `2024` is a number in YAML, `null` is nothing, and `on` and `no` are booleans to kubectl.
#[test]
fn names_that_yaml_takes_for_something_else_are_quoted() {
    let manifests = call(&[
        "rbac",
        "generate",
        "-n",
        "2024",
        "--service-account",
        "null",
        "--token-secret",
        "--user",
        "on",
        "--picker",
        "no",
    ]);

    let bare: Vec<&str> = manifests
        .lines()
        .filter(|line| {
            let value = line.rsplit(": ").next().unwrap_or_default();
            ["2024", "null", "on", "no"].contains(&value)
        })
        .collect();
    assert!(
        bare.is_empty() && manifests.contains("namespace: \"2024\""),
        "{bare:?} of\n{manifests}"
    );
}
