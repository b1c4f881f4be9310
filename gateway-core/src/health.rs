//! gRPC health: the four names that gateways and probes ask for, and none.

use std::convert::Infallible;

use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// What can take requests only when its endpoints are known. The empty name is
/// the server as a whole, which who asks for it takes for just that.
const READINESS: [&str; 4] = [
    "",
    "readiness",
    "inference-extension",
    "envoy.service.ext_proc.v3.ExternalProcessor",
];

/// Reports that the process lives; and that it can take requests, from when
/// the endpoints are known until it is to stop.
pub(crate) async fn follow(
    reporter: &HealthReporter,
    mut are_endpoints_known: watch::Receiver<bool>,
    stop: impl Future<Output = ()>,
) -> Infallible {
    reporter
        .set_service_status("liveness", ServingStatus::Serving)
        .await;
    report(reporter, ServingStatus::NotServing).await;
    let known = async {
        // The sender lives as long as the process.
        if are_endpoints_known.wait_for(|&known| known).await.is_ok() {
            report(reporter, ServingStatus::Serving).await;
        }
        std::future::pending().await
    };
    tokio::select! {
        never = known => never,
        () = stop => {
            report(reporter, ServingStatus::NotServing).await;
            std::future::pending().await
        }
    }
}

async fn report(reporter: &HealthReporter, readiness: ServingStatus) {
    for name in READINESS {
        reporter.set_service_status(name, readiness).await;
    }
}
