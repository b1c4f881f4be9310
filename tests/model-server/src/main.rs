//! `model-server [ADDRESS]`: serves until it is told to stop. A container's first process has no default
//! action for SIGTERM, so without the handler every pod would take its whole grace period to end.

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "0.0.0.0:8000".to_owned());
    let listener = TcpListener::bind(address).await?;
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = model_server::serve(listener) => ended,
        _ = terminated.recv() => Ok(()),
    }
}
