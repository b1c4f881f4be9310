//! The manifests in `deploy/` and the page that explains them.
#![allow(missing_docs)]

use std::collections::BTreeSet;

use clap::CommandFactory;
use gateway_core::Arguments;

#[test]
fn the_page_shows_the_metrics_readers_manifest_as_it_is() {
    let page = include_str!("../README.md");
    let manifest = include_str!("../deploy/metrics-reader.yaml");
    assert!(
        page.contains(&format!("```yaml\n{manifest}```\n")),
        "README.md has no block that is\n{manifest}"
    );
}

/// Where the page shows part of a file it may be indented otherwise.
fn without_indentation(text: &str) -> String {
    let lines = text.lines().map(|line| format!("{}\n", line.trim_start()));
    lines.collect()
}

#[test]
fn the_page_shows_the_filter_of_the_example_as_it_is() {
    let page = include_str!("../README.md");
    let shown = page
        .split("```yaml\n")
        .find(|block| block.starts_with("- name: ext_proc"))
        .and_then(|block| block.split("```").next())
        .expect("a block with the filter");
    let example = include_str!("../examples/envoy.yaml");
    assert!(
        without_indentation(example).contains(&without_indentation(shown)),
        "examples/envoy.yaml has no part that is\n{shown}"
    );
}

#[test]
fn the_page_lists_all_flags_with_their_defaults() {
    let page = include_str!("../README.md");
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with("| flag | default |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let listed: BTreeSet<_> = rows
        .map(|row| {
            let cells: Vec<_> = row
                .split('|')
                .map(|cell| cell.trim().replace('`', ""))
                .collect();
            (cells[1].clone(), cells[2].clone())
        })
        .collect();
    let command = Arguments::command();
    let taken: BTreeSet<_> = command
        .get_arguments()
        .filter_map(|argument| {
            let default = argument.get_default_values().first();
            let default = default.map(|value| value.to_string_lossy().into_owned());
            Some((
                format!("--{}", argument.get_long()?),
                default.unwrap_or_default(),
            ))
        })
        .collect();
    assert_eq!(listed, taken);
}
