//! Listening sockets → connections, with TLS where it is wanted.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Stream, stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Duration, sleep, timeout};
use tokio_openssl::SslStream;
use tonic::transport::server::Connected;
use tracing::{debug, warn};

use crate::tls::Acceptor;

/// How long a client may take to show what it speaks.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many clients may be about to show it at one time. One more ends the one
/// that takes longest: who says nothing shall not keep others out.
const HANDSHAKES: usize = 256;

/// The first byte of a TLS connection (RFC 8446, 5.1: a handshake record).
const TLS_HANDSHAKE: u8 = 22;

/// What Go's servers answer, which clients know.
const NOT_TLS: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// What a socket speaks.
#[derive(Clone)]
pub(crate) enum Tls {
    /// Plain text alone.
    Off,
    /// TLS with clients that begin it, plain text with others.
    Either(Acceptor),
    /// TLS alone.
    Required(Acceptor),
}

/// The connections of a listener, for as long as it is polled. Clients that
/// fail to become one are left out.
pub(crate) fn connections(
    listener: TcpListener,
    tls: Tls,
) -> impl Stream<Item = io::Result<Connection>> + Send {
    let handshakes = Handshakes::default();
    stream::unfold(
        (listener, tls, handshakes),
        async |(listener, tls, mut handshakes)| {
            let connection = loop {
                tokio::select! {
                    // Who is done makes room for others.
                    biased;
                    Some(done) = handshakes.running.join_next() => {
                        // Not one that was ended for another.
                        if let Ok(Some(connection)) = done {
                            break connection;
                        }
                    }
                    socket = next_socket(&listener) => handshakes.begin(socket, tls.clone()),
                }
            };
            Some((Ok(connection), (listener, tls, handshakes)))
        },
    )
}

/// The clients that are about to show what they speak.
#[derive(Default)]
struct Handshakes {
    running: JoinSet<Option<Connection>>,
    /// The running ones, oldest first.
    by_age: VecDeque<AbortHandle>,
}

impl Handshakes {
    fn begin(&mut self, socket: TcpStream, tls: Tls) {
        self.by_age.retain(|handshake| !handshake.is_finished());
        if self.by_age.len() >= HANDSHAKES
            && let Some(oldest) = self.by_age.pop_front()
        {
            debug!("a client that shows nothing makes room for another");
            oldest.abort();
        }
        self.by_age
            .push_back(self.running.spawn(establish(socket, tls)));
    }
}

async fn next_socket(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => return socket,
            // Out of file descriptors, mostly: waiting is all that helps.
            Err(error) => {
                warn!(%error, "accepting a connection");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn establish(socket: TcpStream, tls: Tls) -> Option<Connection> {
    let connection = timeout(HANDSHAKE_TIMEOUT, handshake(socket, tls)).await;
    match connection {
        Ok(Ok(connection)) => Some(connection),
        Ok(Err(error)) => {
            debug!(%error, "a client did not get as far as a connection");
            None
        }
        Err(_) => None,
    }
}

async fn handshake(mut socket: TcpStream, tls: Tls) -> io::Result<Connection> {
    socket.set_nodelay(true)?;
    let (acceptor, is_plain_allowed) = match tls {
        Tls::Off => return Ok(Connection::Plain(socket)),
        Tls::Either(acceptor) => (acceptor, true),
        Tls::Required(acceptor) => (acceptor, false),
    };
    let mut first = [0];
    socket.peek(&mut first).await?;
    if first[0] == TLS_HANDSHAKE {
        return Ok(Connection::Tls(Box::new(acceptor.accept(socket).await?)));
    }
    if is_plain_allowed {
        return Ok(Connection::Plain(socket));
    }
    // To close on what was not read would take the answer back.
    let _read = socket.read(&mut vec![0; 16 << 10]).await?;
    socket.write_all(NOT_TLS).await?;
    Err(io::Error::other("no TLS where it is required"))
}

/// A connection that is ready for HTTP.
#[derive(Debug)]
pub(crate) enum Connection {
    Plain(TcpStream),
    Tls(Box<SslStream<TcpStream>>),
}

/// Calls a method of whichever kind of connection it is.
macro_rules! on_either {
    ($connection:expr, $method:ident($($argument:expr),*)) => {
        match $connection.get_mut() {
            Self::Plain(socket) => Pin::new(socket).$method($($argument),*),
            Self::Tls(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        on_either!(self, poll_read(context, buffer))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        on_either!(self, poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_either!(self, poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_either!(self, poll_shutdown(context))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_either!(self, poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

impl Connected for Connection {
    /// Nobody asks who the gateway is.
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;
    use std::pin::pin;

    #[tokio::test]
    async fn clients_that_say_nothing_do_not_keep_others_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let tls = Tls::Either(Acceptor::new(None, b"\x02h2").expect("a certificate"));
        let mut taken = pin!(connections(listener, tls));
        let clients = async {
            let mut clients = Vec::new();
            for _ in 0..=HANDSHAKES {
                clients.push(TcpStream::connect(address).await.expect("it listens"));
            }
            let last = clients.last_mut().expect("a client");
            last.write_all(b"P").await.expect("it reads");
            clients
        };
        let both = async { tokio::join!(clients, taken.next()) };
        let taken = timeout(HANDSHAKE_TIMEOUT / 2, both).await;
        assert!(matches!(taken, Ok((_, Some(Ok(Connection::Plain(_)))))));
    }
}
