//! A watch as a process: the terminal that it takes over and gives back, and what it keeps over hours.
#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use pty_process::Size;
use pty_process::blocking as terminal;
use support::picker::{PAGE, Picker, answer};

const IGCTL: &str = env!("CARGO_BIN_EXE_igctl");

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_gives_the_terminal_back_with_the_last_table_on_it() {
    let picker = Picker::serve(|_| answer(200, PAGE)).await;
    let (mut terminal, of_child) = terminal::open().expect("a terminal");
    terminal.resize(Size::new(24, 80)).expect("a size");
    let command = terminal::Command::new(IGCTL)
        .args(watch(&picker))
        .args(["--interval", "100ms"]);
    let mut igctl = command.spawn(of_child).expect("igctl starts");
    let mut shown = read_until(&mut terminal, "m-a");

    terminal.write_all(b"\x03").expect("Ctrl-C is typed");

    // Linux reports the other end's close as an error.
    let mut rest = Vec::new();
    let _ = terminal.read_to_end(&mut rest);
    shown.push_str(&String::from_utf8_lossy(&rest));
    let status = igctl.wait().expect("igctl ends");
    let left = shown.rsplit("\x1b[?1049l").next().unwrap_or_default();
    assert!(
        status.success()
            && shown.contains("\x1b[?25h")
            && left.contains("m-a")
            && !left.contains('\x1b'),
        "{status}: {shown:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrow_terminal_keeps_the_head_line() {
    let picker = Picker::serve(|_| answer(200, PAGE)).await;
    let (mut terminal, of_child) = terminal::open().expect("a terminal");
    terminal.resize(Size::new(24, 20)).expect("a size");
    let command = terminal::Command::new(IGCTL)
        .args(watch(&picker))
        .args(["--interval", "100ms"]);
    let mut igctl = command.spawn(of_child).expect("igctl starts");

    let shown = read_until(&mut terminal, "TOTAL");

    igctl.kill().expect("it runs");
    igctl.wait().expect("it ends");
    // What stands between two moves of the cursor to the next line, without what is no text.
    let frame = shown.rsplit("\x1b[1;1H").next().unwrap_or_default();
    let rows = frame.lines().map(|row| row.rsplit("\x1b[K").next());
    let widest = rows
        .flatten()
        .map(|row| row.trim_end_matches('\r').chars().count())
        .max();
    assert_eq!(widest, Some(20), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_refreshes_leave_nothing_behind() {
    let picker = Picker::serve(|_| answer(200, PAGE)).await;
    let mut igctl = Command::new(IGCTL)
        .args(watch(&picker))
        .args(["--interval", "1ms", "--window", "50ms", "-o", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("igctl starts");
    let stdout = igctl.stdout.take().expect("it is piped");
    let mut looks = BufReader::new(stdout).lines();

    looks.nth(1_000).expect("a thousand looks").expect("text");
    let early = held(&igctl);
    looks.nth(9_000).expect("ten thousand looks").expect("text");
    let late = held(&igctl);

    igctl.kill().expect("it runs");
    igctl.wait().expect("it ends");
    assert!(
        late.kilobytes < early.kilobytes + 1_024 && late.files <= early.files + 2,
        "after 1,000 looks {early:?}, after 10,000 {late:?}"
    );
}

/// The arguments of a watch of the picker.
fn watch(picker: &Picker) -> [String; 5] {
    let url = format!("--url=http://{}/metrics", picker.address);
    ["metrics", "top", "-w", "--auth=none", &url].map(str::to_owned)
}

/// Reads what a terminal shows until it has shown this.
fn read_until(terminal: &mut terminal::Pty, text: &str) -> String {
    let mut shown = String::new();
    let mut piece = [0; 4096];
    while !shown.contains(text) {
        let length = terminal.read(&mut piece).expect("igctl goes on");
        shown.push_str(&String::from_utf8_lossy(&piece[..length]));
    }
    shown
}

/// What a process holds.
#[derive(Debug)]
struct Held {
    /// Of memory, resident.
    kilobytes: u64,
    /// Open files and sockets.
    files: usize,
}

fn held(process: &Child) -> Held {
    let folder = format!("/proc/{}", process.id());
    let status = fs::read_to_string(format!("{folder}/status")).expect("it runs");
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("a size");
    let kilobytes = resident
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number");
    let files = fs::read_dir(format!("{folder}/fd"))
        .expect("it runs")
        .count();
    Held { kilobytes, files }
}
