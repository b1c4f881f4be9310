//! What reading takes in memory beyond the text itself: it grows with the models that are shown, and with
//! nothing else.

use std::fmt::Write;

use igctl::snapshot::Snapshot;

#[global_allocator]
static HEAP: dhat::Alloc = dhat::Alloc;

/// The most that was allocated at a time while reading, in bytes.
fn peak(text: &str) -> usize {
    let _profiler = dhat::Profiler::builder().testing().build();
    let snapshot = Snapshot::read(text.as_bytes());
    let peak = dhat::HeapStats::get().max_bytes;
    snapshot.expect("a picker's metrics");
    peak
}

/// A histogram of so many models, and `others` times as many series that no report shows.
fn scrape(models: usize, others: usize) -> String {
    let mut text = String::new();
    histogram(
        &mut text,
        "inference_model_request_duration_seconds",
        models,
    );
    histogram(
        &mut text,
        "workqueue_work_duration_seconds",
        models * others,
    );
    text
}

fn histogram(text: &mut String, family: &str, models: usize) {
    for model in 0..models {
        let labels = format!("model_name=\"model-{model:06}\",target_model_name=\"\"");
        for le in 1..=35 {
            let _ = writeln!(text, "{family}_bucket{{{labels},le=\"{le}\"}} {le}");
        }
        let _ = writeln!(
            text,
            "{family}_sum{{{labels}}} 7\n{family}_count{{{labels}}} 35"
        );
    }
}

#[test]
fn memory_grows_with_the_models_and_with_nothing_else() {
    let few = peak(&scrape(100, 0));
    let many = peak(&scrape(1_000, 0));
    let many_among_others = peak(&scrape(1_000, 9));
    let many_names: String = (0..1_000_000).map(|i| format!("x{i} 1\n")).collect();
    let many_among_names = peak(&(scrape(1_000, 0) + &many_names));

    let per_model = many / 1_000;
    let growth = many as f64 / few as f64;
    let others = many_among_others as f64 / many as f64;
    let names = (many_among_names - many) / 1_000_000;
    assert!(
        per_model < 4_096 && growth < 12.0 && others < 1.01 && names < 2,
        "{per_model} bytes for a model, {growth:.1} times as much for ten times the models, {others:.3} times for other \
         families, {names} bytes for every other name"
    );
}
