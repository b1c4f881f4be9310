//! The page that tells how to scrape by hand, taken at its word.

use std::fs;
use std::process::Command;

use crate::cluster::{self, apply, kubeconfig, kubectl, kubectl_command};
use crate::gateway::picker_manifests;

#[test]
fn the_page_on_scraping_by_hand_works_as_it_stands() {
    cluster::ensure_inference_api();
    let _default = DefaultNamespace::deploy();
    let page = include_str!("../../gateway-core/README.md");
    let (_, section) = page
        .split_once("## Scraping the metrics by hand")
        .expect("the page has the section");
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(
        folder.path().join("metrics-reader.yaml"),
        code(section, "yaml"),
    )
    .expect("the folder is writable");

    let scrape = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &code(section, "sh")])
        .env("KUBECONFIG", kubeconfig())
        .current_dir(folder.path())
        .output()
        .expect("bash runs");

    let (metrics, complaints) = (
        String::from_utf8_lossy(&scrape.stdout),
        String::from_utf8_lossy(&scrape.stderr),
    );
    assert!(
        scrape.status.success() && metrics.contains("# TYPE process_start_time_seconds gauge"),
        "{}: {metrics}{complaints}",
        scrape.status
    );
}

/// The section's one code block in `language`.
fn code(section: &str, language: &str) -> String {
    let (_, rest) = section
        .split_once(&format!("```{language}\n"))
        .expect("the section has the block");
    let (block, _) = rest.split_once("\n```").expect("the block ends");
    block.to_owned()
}

/// gateway-core in the namespace that the page names.
struct DefaultNamespace;

impl DefaultNamespace {
    fn deploy() -> DefaultNamespace {
        let there = kubectl(["-n", "default", "get", "deployments", "-o", "name"]);
        assert!(
            !there.contains("gateway-core"),
            "the namespace `default` has a gateway-core that is not ours: {there}"
        );
        apply(
            "default",
            &picker_manifests("default", &["127.0.0.1:8000".to_owned()]),
        );
        kubectl([
            "-n",
            "default",
            "rollout",
            "status",
            "--timeout=90s",
            "deployment/gateway-core",
        ]);
        DefaultNamespace
    }
}

impl Drop for DefaultNamespace {
    fn drop(&mut self) {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/gateway-core/deploy");
        let _ = kubectl_command([
            "-n",
            "default",
            "delete",
            "--ignore-not-found",
            "--wait=false",
            "-f",
            folder,
        ])
        .output();
    }
}
