//! A network between a gateway and the picker that can fail without a word.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::free_socket;

/// Passes on what is sent to its address; it stops with the test's runtime.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    is_frozen: watch::Sender<bool>,
}

impl Relay {
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let listener = free_socket().await;
        let address = listener.local_addr().expect("a bound socket");
        let is_frozen = watch::Sender::new(false);
        let frozen = is_frozen.subscribe();
        tokio::spawn(async move {
            loop {
                let (mut from, _) = listener.accept().await.expect("a connection");
                let mut to = TcpStream::connect(to).await.expect("somebody listens");
                let mut frozen = frozen.clone();
                tokio::spawn(async move {
                    let freezes = async { frozen.wait_for(|&is_frozen| is_frozen).await.map(drop) };
                    tokio::select! {
                        _ = copy_bidirectional(&mut from, &mut to) => {}
                        // Both connections stay open, and nothing passes.
                        _ = freezes => std::future::pending().await,
                    }
                });
            }
        });
        Self { address, is_frozen }
    }

    /// Lets nothing pass any more, as a machine that has lost its power.
    pub(crate) fn freeze(&self) {
        self.is_frozen.send_replace(true);
    }
}
