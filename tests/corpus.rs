//! What the fuzz targets check, on the inputs that are kept: see fuzz/README.md.

use std::{fs, path::Path};

#[path = "../fuzz/checks/assertion.rs"]
mod assertion;
#[path = "../fuzz/checks/exposition.rs"]
mod exposition;
#[path = "../fuzz/checks/recording.rs"]
mod recording;
#[path = "../fuzz/checks/report.rs"]
mod report;

/// Hands every kept input of a target to its check.
fn replay(target: &str, check: impl Fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let inputs: Vec<_> = fs::read_dir(&seeds)
        .expect("a folder of seeds")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert!(!inputs.is_empty(), "no seeds in {}", seeds.display());
    for input in inputs {
        check(&fs::read(&input).unwrap_or_else(|e| panic!("{}: {e}", input.display())));
    }
}

#[test]
fn exposition() {
    replay("exposition", exposition::check);
}

#[test]
fn report() {
    replay("report", report::check);
}

#[test]
fn recording() {
    replay("recording", recording::check);
}

#[test]
fn assertion() {
    replay("assertion", |text| {
        assertion::check(std::str::from_utf8(text).expect("UTF-8"));
    });
}
