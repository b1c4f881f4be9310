//! A port of a pod → a port of this machine, for as long as the `Forward` lives.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::Portforwarder;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::by_hand::ByHand;
use crate::cluster::{ApiError, Cluster, Right};
use crate::discover::Target;
use crate::error;
use crate::shell::word;

/// Why a connection to the pod did not come about.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ForwardError {
    /// No port on this machine.
    #[error("cannot listen on a loopback port\n  {reason}")]
    Listen {
        /// Why.
        reason: String,
    },
    /// The API server's refusal.
    #[error("{cause}")]
    Refused {
        /// Its refusal.
        cause: Arc<ApiError>,
    },
    /// The user may not.
    #[error(
        "not allowed to forward a port to pod {namespace}/{pod}\n  \
         the WebSocket upgrade is a GET and needs the verb get on pods/portforward in namespace {namespace}, \
         from Kubernetes 1.35 on create too; create alone serves only SPDY clients, such as an old kubectl\n  \
         the Kubernetes API server says: {message:?}"
    )]
    Forbidden {
        /// The pod's namespace.
        namespace: String,
        /// The pod.
        pod: String,
        /// The API server's words.
        message: String,
    },
    /// The pod is no more.
    #[error("pod {namespace}/{pod} is not there to forward a port to")]
    Gone {
        /// Its namespace.
        namespace: String,
        /// Its name.
        pod: String,
    },
    /// Connection refused inside the pod.
    #[error("nothing listens on port {port} of pod {namespace}/{pod}")]
    NotListening {
        /// Its namespace.
        namespace: String,
        /// Its name.
        pod: String,
        /// The port.
        port: u16,
    },
    /// Another failure between the API server and the pod.
    #[error(
        "the node of pod {namespace}/{pod} could not connect to its port {port}\n  {message:?}"
    )]
    Node {
        /// Its namespace.
        namespace: String,
        /// Its name.
        pod: String,
        /// The port.
        port: u16,
        /// The kubelet's words.
        message: String,
    },
}

impl ForwardError {
    /// The next thing to try.
    pub fn hint(&self, hand: &ByHand) -> Option<String> {
        let (kubectl, flags) = (hand.kubectl(), hand.flags());
        match self {
            // A policy's refusal says what is to be known; what the API server failed at is to reach the node.
            Self::Refused { cause } => match &**cause {
                ApiError::Failed { code, .. } if *code < 500 => None,
                cause => Some(
                    cause
                        .hint(hand)
                        .unwrap_or_else(|| format!("is the pod's node up?  {kubectl} get nodes")),
                ),
            },
            Self::Forbidden { namespace, .. } => Some(format!(
                "the rule that is missing:  - {{apiGroups: [\"\"], resources: [pods/portforward], verbs: [get, create]}}\n\
                 an admin can grant it:  {} create role port-forward -n {place} --verb=get,create --resource=pods/portforward\n\
                 check with:  {kubectl} auth can-i get pods --subresource=portforward -n {place}\n\
                 from inside the cluster --direct needs none",
                hand.admin(),
                place = word(namespace)
            )),
            Self::NotListening { namespace, pod, .. } => Some(format!(
                "another port?  igctl metrics top pod/{} -n {}{flags} --metrics-port PORT",
                word(pod),
                word(namespace)
            )),
            Self::Gone { namespace, .. } => {
                Some(format!("{kubectl} get pods -n {}", word(namespace)))
            }
            Self::Node { namespace, pod, .. } => Some(format!(
                "{kubectl} describe pod {} -n {}",
                word(pod),
                word(namespace)
            )),
            Self::Listen { .. } => None,
        }
    }

    /// What the process should exit with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { cause } => cause.exit_code(),
            Self::Forbidden { .. } => error::AUTH,
            _ => error::ERROR,
        }
    }
}

/// A port-forward. Dropping it closes the port and every connection through it.
pub(crate) struct Forward {
    address: SocketAddr,
    failure: Arc<Mutex<Option<ForwardError>>>,
    listener: JoinHandle<()>,
}

impl Drop for Forward {
    fn drop(&mut self) {
        // The task owns the connections' tasks, which end with it.
        self.listener.abort();
    }
}

impl Forward {
    /// Opens a loopback port of the system's choice; the pod is contacted with the first connection to it.
    pub(crate) async fn open(cluster: &Cluster, target: &Target) -> Result<Self, ForwardError> {
        let listen = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) =
            listen
                .await
                .map_err(|fault: std::io::Error| ForwardError::Listen {
                    reason: fault.to_string(),
                })?;
        let failure = Arc::default();
        let (namespace, pod) = target.key();
        let tunnel = Tunnel {
            cluster: cluster.clone(),
            namespace,
            pod,
            port: target.port,
        };
        let listener = tokio::spawn(accept(listener, Arc::new(tunnel), Arc::clone(&failure)));
        Ok(Self {
            address,
            failure,
            listener,
        })
    }

    /// Where to connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Why the last connection broke, if it was not the pod's server that closed it.
    pub(crate) fn take_failure(&self) -> Option<ForwardError> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

async fn accept(
    listener: TcpListener,
    tunnel: Arc<Tunnel>,
    failure: Arc<Mutex<Option<ForwardError>>>,
) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            return;
        };
        while connections.try_join_next().is_some() {}
        let (tunnel, failure) = (Arc::clone(&tunnel), Arc::clone(&failure));
        connections.spawn(async move {
            let mut socket = socket;
            if let Err(fault) = tunnel.carry(&mut socket).await {
                // Before the socket closes, so that whoever sees it close finds the reason here.
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
            }
            drop(socket);
        });
    }
}

struct Tunnel {
    cluster: Cluster,
    namespace: String,
    pod: String,
    port: u16,
}

impl Tunnel {
    /// Carries one connection until either end closes it.
    ///
    /// Each has a forward of its own, since kube's gives one stream per port. The pod's side is never half-closed:
    /// answers still under way would be lost.
    async fn carry(&self, socket: &mut TcpStream) -> Result<(), ForwardError> {
        let mut forwarder = Aborting(self.upgrade().await?);
        let mut stream = forwarder
            .0
            .take_stream(self.port)
            .expect("this port was asked for, and not taken before");
        let reason = forwarder
            .0
            .take_error(self.port)
            .expect("this port was asked for, and not taken before");
        let _ = socket.set_nodelay(true);

        let (mut from_us, mut to_us) = socket.split();
        let (mut from_pod, mut to_pod) = tokio::io::split(&mut stream);
        tokio::select! {
            // Our client is done, or gone.
            _ = tokio::io::copy(&mut from_us, &mut to_pod) => Ok(()),
            _ = tokio::io::copy(&mut from_pod, &mut to_us) => {
                // The reason comes before the close on the same WebSocket, so it is here by now, if there is one.
                match reason.now_or_never().flatten() {
                    Some(message) => Err(self.explain(message)),
                    None => {
                        let _ = to_us.shutdown().await;
                        Ok(())
                    }
                }
            }
        }
    }

    async fn upgrade(&self) -> Result<Portforwarder, ForwardError> {
        let Self {
            cluster,
            namespace,
            pod,
            port,
        } = self;
        let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
        let right = Right::get("", "pods/portforward", namespace, pod);
        cluster
            .ask(right, api.portforward(pod, &[*port]))
            .await
            .map_err(|fault| {
                let (namespace, pod) = (namespace.clone(), pod.clone());
                match fault {
                    ApiError::Forbidden { message, .. } => ForwardError::Forbidden {
                        namespace,
                        pod,
                        message,
                    },
                    ApiError::NotFound { .. } => ForwardError::Gone { namespace, pod },
                    cause => ForwardError::Refused {
                        cause: Arc::new(cause),
                    },
                }
            })
    }

    fn explain(&self, message: String) -> ForwardError {
        let (namespace, pod, port) = (self.namespace.clone(), self.pod.clone(), self.port);
        match message.contains("connection refused") {
            true => ForwardError::NotListening {
                namespace,
                pod,
                port,
            },
            false => ForwardError::Node {
                namespace,
                pod,
                port,
                message,
            },
        }
    }
}

/// kube's forwarder runs on when it is dropped.
struct Aborting(Portforwarder);

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}
