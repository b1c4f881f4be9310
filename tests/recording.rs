//! Recordings: what was recorded is read again as if it were now, whatever ended the recording.

mod support;

use std::fs::{self, OpenOptions};
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use igctl::discover::Pod;
use igctl::recording::{Piece, Pieces, Recorded, Recorder, RecordingError};
use igctl::scrape::Page;
use jiff::{SignedDuration, Timestamp};
use support::call::{call, ended, igctl};
use support::picker::{Picker, answer};
use support::unpacked;
use tempfile::TempDir;

const T0: &str = "tests/fixtures/scrapes/gie-v0.5.1/t0.prom.gz";
const T1: &str = "tests/fixtures/scrapes/gie-v0.5.1/t1.prom.gz";

fn begun() -> Timestamp {
    "2026-11-25T10:00:00Z".parse().expect("a time")
}

/// What two pods said so many seconds after [`begun`]; the second one nothing.
fn look(seconds: i64, text: &[u8]) -> Piece {
    let at = begun() + SignedDuration::from_secs(seconds);
    let pod = |name: &str| Pod {
        name: name.to_owned(),
        namespace: Some("llm".to_owned()),
        uid: Some(format!("uid-of-{name}")),
        picker: Some("epp".to_owned()),
        pools: vec!["qwen".to_owned()],
        ready: Some(true),
        ..Pod::default()
    };
    let page = Page {
        body: text.to_vec(),
        taken: at,
        elapsed: Duration::from_millis(12),
        wire_bytes: 345,
    };
    Piece {
        at,
        pods: vec![
            Recorded {
                pod: pod("epp-0"),
                page: Ok(page),
            },
            Recorded {
                pod: pod("epp-1"),
                page: Err("no answer from pod llm/epp-1:9090 within 5s".to_owned()),
            },
        ],
    }
}

/// A folder with a recording of these looks.
fn recording(looks: &[Piece]) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("incident.igr");
    let mut recorder = Recorder::open(&path).expect("a new file");
    for look in looks {
        recorder.append(look).expect("the disk is not full");
    }
    let path = path.to_str().expect("UTF-8").to_owned();
    (folder, path)
}

/// Both scrapes of a picker, half a minute apart, only of the pod that answered.
fn minute() -> (TempDir, String) {
    let only_first = |mut piece: Piece| {
        piece.pods.truncate(1);
        piece
    };
    recording(&[
        only_first(look(0, &unpacked(T0))),
        only_first(look(30, &unpacked(T1))),
    ])
}

#[test]
fn what_was_recorded_is_read_again() {
    let (_folder, path) = recording(&[look(0, b"a 1\n"), look(5, b"a 2\n")]);
    let file = fs::File::open(&path).expect("it is there");
    let mut pieces = Pieces::index(file).expect("it is readable");

    let read = pieces.read(1).expect("it is whole");

    let page = read.pods[0].page.as_ref().expect("it answered");
    assert_eq!(
        (
            &read.pods[0].pod,
            (
                page.body.as_slice(),
                page.taken,
                page.elapsed,
                page.wire_bytes
            ),
            read.pods[1].page.as_ref().err().map(String::as_str),
        ),
        (
            &look(5, b"").pods[0].pod,
            (
                &b"a 2\n"[..],
                begun() + SignedDuration::from_secs(5),
                Duration::from_millis(12),
                345
            ),
            Some("no answer from pod llm/epp-1:9090 within 5s"),
        )
    );
}

#[test]
fn every_length_of_a_cut_off_file_keeps_what_is_whole() {
    let pieces = [look(0, b"a 1\n"), look(5, b"a 2\n"), look(10, b"a 3\n")];
    let (_folder, path) = recording(&pieces);
    let bytes = fs::read(path).expect("it is there");
    let ends: Vec<usize> = pieces
        .iter()
        .scan(0, |end, piece| {
            *end += piece.pack().expect("it packs").len();
            Some(*end)
        })
        .collect();

    let readable = (0..=bytes.len()).map(|length| {
        let mut cut = Pieces::index(Cursor::new(&bytes[..length])).expect("memory is readable");
        let looks = cut.looks().len();
        (0..looks).filter(|look| cut.read(*look).is_ok()).count()
    });

    let whole = (0..=bytes.len()).map(|length| ends.iter().filter(|end| **end <= length).count());
    assert_eq!(readable.collect::<Vec<_>>(), whole.collect::<Vec<_>>());
}

#[test]
fn damage_takes_no_more_than_the_looks_it_is_in() {
    let pieces = [look(0, b"a 1\n"), look(5, b"a 2\n"), look(10, b"a 3\n")];
    let (_folder, path) = recording(&pieces);
    let bytes = fs::read(path).expect("it is there");

    let lost: Vec<usize> = (0..bytes.len())
        .map(|at| {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            let mut pieces = Pieces::index(Cursor::new(damaged)).expect("memory is readable");
            let looks = pieces.looks();
            let read = looks.iter().enumerate().filter(|(look, at)| {
                pieces.read(*look).is_ok_and(|piece| {
                    assert_eq!(piece.at, **at);
                    true
                })
            });
            3 - read.count()
        })
        .collect();

    let most = lost.iter().max();
    assert_eq!(most, Some(&1), "{lost:?}");
}

#[test]
fn going_on_after_a_kill_cuts_off_what_is_not_whole() {
    let (_folder, path) = recording(&[look(0, b"a 1\n")]);
    let torn = &look(5, b"a 2\n").pack().expect("it packs")[..50];
    let mut file = OpenOptions::new()
        .append(true)
        .open(&path)
        .expect("it is there");
    file.write_all(torn).expect("the disk is not full");

    let mut recorder = Recorder::open(Path::new(&path)).expect("it is a recording");
    recorder
        .append(&look(10, b"a 3\n"))
        .expect("the disk is not full");

    let pieces =
        Pieces::index(fs::File::open(&path).expect("it is there")).expect("it is readable");
    assert_eq!(
        (pieces.looks(), pieces.left_out),
        (vec![look(0, b"").at, look(10, b"").at], 0)
    );
}

#[test]
fn two_do_not_record_to_one_file() {
    let (_folder, path) = recording(&[]);
    let _first = Recorder::open(Path::new(&path)).expect("it is free");
    let second = Recorder::open(Path::new(&path)).map(|recorder| recorder.length());
    assert!(
        matches!(second, Err(RecordingError::Busy { .. })),
        "{second:?}"
    );
}

#[test]
fn another_file_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("precious.txt");
    fs::write(&path, "do not lose me").expect("written");
    let told = call(&[
        "metrics",
        "record",
        "--url",
        "http://127.0.0.1:1/metrics",
        path.to_str().expect("UTF-8"),
    ]);
    let kept = fs::read_to_string(&path).expect("it is there");
    assert!(
        told.starts_with("exit 2\n") && kept == "do not lose me",
        "{told}{kept}"
    );
}

/// The row of a model in JSON: requests, requests per second.
fn row(arguments: &[&str]) -> (serde_json::Value, serde_json::Value) {
    let arguments = [
        &[
            "metrics", "top", "-o", "json", "--by", "model", "-m", "sql-lora",
        ],
        arguments,
    ]
    .concat();
    let output = igctl(&arguments).output().expect("igctl starts");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", ended(&output)));
    let row = &json["rows"][0];
    (row["requests"].clone(), row["request_rate"].clone())
}

#[test]
fn a_moment_is_a_saved_scrape_and_a_window_is_between_two() {
    let (_folder, path) = minute();
    let of = |more: &[&str]| row(&[&["-f", path.as_str()], more].concat());
    let requests = |file: &str| row(&["-f", file]).0;
    let (before, after) = (requests(T0), requests(T1));
    let (increase, rate) = of(&["--window", "30s"]);

    assert_eq!(
        [
            of(&["--at", "-30s"]).0,
            of(&["--at", "10:00:29"]).0,
            of(&[]).0
        ],
        [before.clone(), before.clone(), after.clone()]
    );
    let difference = after.as_f64().unwrap_or(f64::NAN) - before.as_f64().unwrap_or(f64::NAN);
    assert_eq!(
        (increase.as_f64(), rate.as_f64()),
        (Some(difference), Some(difference / 30.0))
    );
}

#[test]
fn a_recording_as_table_says_when_that_was() {
    let (folder, path) = minute();
    let told = call(&["metrics", "top", "-f", &path, "--window", "30s"]);
    insta::assert_snapshot!(told.replace(&folder.path().display().to_string(), "(folder)"));
}

#[test]
fn what_was_not_recorded_is_refused() {
    let (folder, path) = minute();
    let [then, no_time] = ["10:00", "99:99"].map(|time| format!("{path}@{time}"));
    let wrong: [&[&str]; 10] = [
        &["metrics", "top", "-f", &path, "--at", "09:59:59"],
        &["metrics", "top", "-f", &path, "--at", "2026-11-24T10:00:00"],
        &["metrics", "top", "-f", &path, "--window", "10m"],
        &["metrics", "top", "-f", &then],
        &["smoke", "-f", &path, "--baseline", &no_time],
        &["metrics", "top", "-f", &path, "-f", T0],
        &["metrics", "top", "-f", &path, "--watch"],
        &["metrics", "top", "-f", T0, "--at", "-1m"],
        &["metrics", "dump", "-f", T0, "--export", "openmetrics"],
        &[
            "smoke",
            "-f",
            &path,
            "--wait",
            "1m",
            "--assert",
            "requests > 1",
        ],
    ];
    let told = wrong.map(call).join("\n");
    insta::assert_snapshot!(told.replace(&folder.path().display().to_string(), "(folder)"));
}

#[test]
fn assertions_hold_for_moments_and_windows_of_it() {
    let (_folder, path) = minute();
    let judged = |more: &[&str]| {
        let arguments = [&["smoke", "-f", path.as_str(), "-o", "json"], more].concat();
        igctl(&arguments)
            .output()
            .expect("igctl starts")
            .status
            .code()
    };
    let total = |file: &str| format!("requests == {}", all_requests(file));
    let (before, after) = (total(T0), total(T1));
    let increase = format!("requests == {}", all_requests(T1) - all_requests(T0));
    assert_eq!(
        [
            judged(&["--assert", &after]),
            judged(&["--assert", &before]),
            judged(&["--at", "-30s", "--assert", &before]),
            judged(&["--window", "30s", "--assert", &increase]),
            judged(&["--window", "30s", "--assert", &after]),
            judged(&["--window", "30s", "--assert", "rate(\"sql-lora\") >= 0.2/s"]),
            judged(&["--window", "30s", "--assert", "rate(\"sql-lora\") > 0.2/s"]),
        ],
        [0, 3, 0, 0, 3, 0, 3].map(Some)
    );
}

#[test]
fn why_a_pod_was_not_read_is_shown_not_obeyed() {
    let mut piece = look(0, &unpacked(T0));
    piece.pods[1].page = Err("\u{1b}[2J\u{202e}".to_owned());
    let (_folder, path) = recording(&[piece]);

    let told = [&["top", "-o", "csv"][..], &["dump"], &["catalog"]]
        .map(|command| call(&[&["metrics"], command, &["-f", &path]].concat()));

    let is_shown = |told: &String| {
        told.contains(r"\u{1b}[2J\u{202e}") && !told.contains(['\u{1b}', '\u{202e}'])
    };
    assert!(told.iter().all(is_shown), "{told:?}");
}

/// What a process has counted until it ended is in no later look.
#[test]
fn a_window_with_a_restart_proves_nothing() {
    let mut looks = [look(0, &unpacked(T1)), look(30, &unpacked(T0))];
    looks.iter_mut().for_each(|look| look.pods.truncate(1));
    let (_folder, path) = recording(&looks);
    let told = call(&[
        "smoke",
        "-f",
        &path,
        "--window",
        "30s",
        "--assert",
        "errors <= 4",
    ]);
    assert!(
        told.starts_with("exit 3\n") && told.contains("restarted meanwhile"),
        "{told}"
    );
}

/// What was in flight when the window began, and gave up within it, is no request of the window.
#[test]
fn a_window_counts_those_that_gave_up_in_it() {
    let counts = |requests: u32, durations: u32, running: u32| {
        let family = "llm_d_epp_request_duration_seconds";
        format!(
            "llm_d_epp_request_total{{model_name=\"m\"}} {requests}\n\
             llm_d_epp_request_running{{model_name=\"m\"}} {running}\n\
             # TYPE {family} histogram\n\
             {family}_bucket{{model_name=\"m\",le=\"0.1\"}} {durations}\n\
             {family}_bucket{{model_name=\"m\",le=\"+Inf\"}} {durations}\n\
             {family}_count{{model_name=\"m\"}} {durations}\n"
        )
    };
    let judged = |running: [u32; 2]| {
        let before = counts(1000 + running[0], 1000, running[0]);
        let now = counts(1200 + running[0], 1200, running[1]);
        let mut looks = [look(0, before.as_bytes()), look(30, now.as_bytes())];
        looks.iter_mut().for_each(|look| look.pods.truncate(1));
        let (_folder, path) = recording(&looks);
        let smoke = [
            "smoke", "-f", &path, "--window", "30s", "--assert", "p99 < 5s",
        ];
        call(&smoke)
    };
    let (gave_up, still_running) = (judged([100, 0]), judged([100, 100]));
    assert!(
        gave_up.starts_with("exit 3\n") && gave_up.contains("only 200 of 300 requests"),
        "{gave_up}"
    );
    assert!(still_running.starts_with("exit 0\n"), "{still_running}");
}

/// Which of them comes first by its name says nothing of who is right.
#[test]
fn replicas_that_see_their_pool_differently_prove_nothing() {
    let judged = |ready: [u32; 2]| {
        let text = |n: u32| format!("llm_d_epp_ready_endpoints{{name=\"p\"}} {n}\n").into_bytes();
        let mut both = look(0, &text(ready[0]));
        both.pods[1].page = look(0, &text(ready[1])).pods.swap_remove(0).page;
        let (_folder, path) = recording(&[both]);
        call(&["smoke", "-f", &path, "--assert", "ready_endpoints >= 2"])
    };
    let told = [[2, 2], [2, 0], [0, 2], [1, 0]].map(judged);
    let expected = [
        ("exit 0\n", "PASS"),
        ("exit 3\n", "replicas disagree: llm/epp-0: 2, llm/epp-1: 0"),
        ("exit 3\n", "replicas disagree: llm/epp-0: 0, llm/epp-1: 2"),
        ("exit 3\n", "FAIL"),
    ];
    for (text, (begins, said)) in told.iter().zip(expected) {
        assert!(
            text.starts_with(begins) && text.contains(said),
            "no {said:?} in {text}"
        );
    }
}

#[test]
fn a_moment_in_which_a_pod_could_not_be_read_is_half_a_baseline() {
    let (_folder, path) = recording(&[look(0, &unpacked(T0))]);
    let told = call(&["smoke", "-f", T0, "--baseline", &path, "--min-samples", "1"]);
    let why = "the baseline is not whole: 1 of 2 pods not counted: llm/epp-1: no answer";
    assert!(told.starts_with("exit 3\n") && told.contains(why), "{told}");
}

/// Of hours in which nothing was recorded, and of a clock that was set back.
#[test]
fn which_look_is_judged_is_told() {
    let text = |n: u32| format!("llm_d_epp_request_total{{model_name=\"m\"}} {n}\n").into_bytes();
    let only_first = |mut piece: Piece| {
        piece.pods.truncate(1);
        piece
    };
    let hours = recording(&[
        only_first(look(0, &text(1))),
        only_first(look(12 * 3600, &text(2))),
    ]);
    let set_back = recording(&[
        only_first(look(3600, &text(1))),
        only_first(look(5, &text(2))),
    ]);
    let smoke = |path: &str, more: &[&str]| {
        let told = call(&[&["smoke", "-f", path, "--assert", "requests == 2"], more].concat());
        told.replace(path, "R")
    };
    let told = [
        (
            smoke(&hours.1, &[]),
            "since the pickers' start, at 2026-11-25T22:00:00Z",
        ),
        (
            smoke(&hours.1, &["--at", "21:59"]),
            "at 2026-11-25T10:00:00Z",
        ),
        (
            smoke(&hours.1, &["--at", "21:59"]),
            "WARN R: the last look before 21:59:00 is of 2026-11-25T10:00:00Z, 11h 59m earlier",
        ),
        (
            smoke(&hours.1, &["-o", "junit"]),
            "at 2026-11-25T22:00:00Z</system-out>",
        ),
        (smoke(&set_back.1, &[]), "at 2026-11-25T10:00:05Z"),
    ];
    for (text, said) in &told {
        assert!(text.contains(said), "no {said:?} in {text}");
    }
}

#[test]
fn a_recording_may_come_by_a_pipe() {
    let (_folder, path) = minute();
    let bytes = fs::read(&path).expect("it is there");
    let piped = |arguments: &[&str]| {
        let mut igctl = igctl(arguments);
        ended(
            &igctl
                .write_stdin(bytes.clone())
                .output()
                .expect("igctl starts"),
        )
    };
    let named = |arguments: &[&str]| call(arguments).replace(&path, "-");
    let from_pipe = [
        piped(&["metrics", "top", "-f", "-", "--window", "30s"]),
        piped(&["metrics", "diff", &format!("{path}@-30s"), "-"]),
    ];
    let from_file = [
        named(&["metrics", "top", "-f", &path, "--window", "30s"]),
        named(&["metrics", "diff", &format!("{path}@-30s"), &path]),
    ];
    assert_eq!(from_pipe, from_file);
}

#[test]
fn stdin_is_read_once() {
    let (_folder, path) = minute();
    let bytes = fs::read(&path).expect("it is there");
    let refused = [
        &["metrics", "diff", "-", "-"][..],
        &["metrics", "top", "-f", "-", "-f", "-"],
        &["smoke", "-f", "-", "--baseline", "-"],
    ]
    .map(|arguments| {
        let output = igctl(arguments).write_stdin(bytes.clone()).output();
        output.expect("igctl starts").status.code()
    });
    assert_eq!(refused, [Some(2); 3]);
}

/// Not every promtool takes names in quotes.
#[test]
fn exported_names_need_no_quotes() {
    let text = b"# TYPE \"a.b_total\" counter\n{\"a.b_total\",\"c.d\"=\"e.f\"} 1\n# TYPE x:y gauge\nx:y{m=\"1\"} 2\n";
    let (_folder, path) = recording(&[look(0, text), look(5, text)]);
    let told = call(&["metrics", "dump", "-f", &path, "--export", "openmetrics"]);
    insta::assert_snapshot!(told);
}

fn all_requests(file: &str) -> u64 {
    let output = igctl(&["metrics", "top", "-o", "json", "-f", file])
        .output()
        .expect("igctl starts");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    json["total"]["requests"].as_u64().expect("a count")
}

#[test]
fn dumped_is_what_came() {
    let (_folder, path) = minute();
    let dumped = |at: &str| {
        igctl(&["metrics", "dump", "-f", &path, "--at", at])
            .output()
            .expect("igctl starts")
            .stdout
    };
    assert!(dumped("-0s") == unpacked(T1) && dumped("-30s") == unpacked(T0));
}

/// A picker that wants a token and counts its looks.
async fn guarded() -> (Picker, Arc<AtomicUsize>) {
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    let picker = Picker::serve(move |token| match token {
        Some("the-secret-token") => {
            let n = counted.fetch_add(1, Ordering::Relaxed) + 1;
            answer(
                200,
                format!("# TYPE inference_model_request_total counter\ninference_model_request_total{{model_name=\"m\"}} {n}\n"),
            )
        }
        _ => answer(401, "Unauthorized"),
    })
    .await;
    (picker, looks)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_picker_does_not_prolong_a_recording() {
    let picker = Picker::serve(|_| {
        std::thread::sleep(Duration::from_millis(400));
        answer(
            200,
            "# TYPE inference_model_request_total counter\ninference_model_request_total{model_name=\"m\"} 1\n",
        )
    })
    .await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("r.igr");
    let path = path.to_str().expect("UTF-8").to_owned();
    let url = format!("http://{}/metrics", picker.address);
    let record = move || {
        igctl(&[
            "metrics", "record", "--url", &url, "--auth", "none", "--for", "500ms", "--every",
            "100ms", &path,
        ])
        .timeout(Duration::from_secs(10))
        .output()
        .expect("igctl starts")
    };

    let output = tokio::task::spawn_blocking(record).await.expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", ended(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_for_as_long_as_is_asked_and_keeps_no_token() {
    let (picker, looks) = guarded().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (token, path) = (folder.path().join("token"), folder.path().join("r.igr"));
    fs::write(&token, "the-secret-token").expect("written");
    let url = format!("http://{}/metrics", picker.address);
    let record = {
        let (token, path) = (token.clone(), path.clone());
        move || {
            let paths = [token, path].map(|path| path.to_str().expect("UTF-8").to_owned());
            call(&[
                "metrics",
                "record",
                "--url",
                &url,
                "--token-file",
                &paths[0],
                "--for",
                "1s",
                "--every",
                "300ms",
                &paths[1],
            ])
        }
    };
    let told = tokio::task::spawn_blocking(record).await.expect("it ends");

    let mut pieces = Pieces::index(fs::File::open(&path).expect("it is there")).expect("readable");
    let recorded = pieces.looks().len();
    let bodies: Vec<u8> = (0..recorded)
        .flat_map(|look| {
            let piece = pieces.read(look).expect("it is whole");
            let text = format!("{piece:?}");
            let page = piece
                .pods
                .into_iter()
                .next()
                .expect("a pod")
                .page
                .expect("a page");
            [text.into_bytes(), page.body].concat()
        })
        .collect();
    let bodies = String::from_utf8_lossy(&bodies);
    assert!(
        told.starts_with("exit 0\n")
            && (2..=4).contains(&recorded)
            && recorded == looks.load(Ordering::Relaxed)
            && !bodies.contains("secret"),
        "{told}{recorded} looks\n{bodies}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_time_it_leaves_every_whole_look_readable() {
    let page = unpacked(T1);
    let picker = Picker::serve(move |_| answer(200, page.clone())).await;
    let url = format!("http://{}/metrics", picker.address);
    let kills = move || {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("killed.igr");
        let mut random = fastrand::Rng::with_seed(20_261_125);
        // Each recording goes on with what the killed one before it has left.
        let mut kept = 0;
        for _ in 0..100 {
            let length = || fs::metadata(&path).map_or(0, |file| file.len());
            let before = length();
            let mut recorder = std::process::Command::new(env!("CARGO_BIN_EXE_igctl"))
                .args(["metrics", "record", "--every", "1ms", "--url", &url])
                .arg(&path)
                .spawn()
                .expect("igctl starts");
            wait_for(|| length() > before);
            std::thread::sleep(Duration::from_micros(random.u64(0..20_000)));
            recorder.kill().expect("it runs");
            recorder.wait().expect("it ends");
            let file = fs::File::open(&path).expect("it is there");
            let mut pieces = Pieces::index(file).expect("it is readable");
            let looks = pieces.looks().len();
            let whole = (0..looks).filter(|look| pieces.read(*look).is_ok()).count();
            assert!(
                whole == looks && looks > kept,
                "{whole} of {looks} looks readable, {kept} before"
            );
            kept = looks;
        }
    };
    tokio::task::spawn_blocking(kills).await.expect("it ends");
}

fn wait_for(holds: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited 20 s");
        std::thread::sleep(Duration::from_millis(1));
    }
}
