//! gRPC health: the four names that gateways and probes ask for.

use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// What must hold before requests may come.
const READINESS: [&str; 3] = [
    "readiness",
    "inference-extension",
    "envoy.service.ext_proc.v3.ExternalProcessor",
];

/// Says that the process lives, and whether it can take requests.
pub(crate) async fn report(reporter: &HealthReporter, is_ready: bool) {
    let readiness = if is_ready {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    reporter
        .set_service_status("liveness", ServingStatus::Serving)
        .await;
    for name in READINESS {
        reporter.set_service_status(name, readiness).await;
    }
}
