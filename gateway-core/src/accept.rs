//! Listening sockets → connections, with TLS where it is wanted.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Stream, StreamExt, stream};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Duration, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;
use tracing::{debug, warn};

/// How long a client may take to show what it speaks.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many clients may be about to show it at one time.
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
    Either(TlsAcceptor),
    /// TLS alone.
    Required(TlsAcceptor),
}

/// The connections of a listener, for as long as it is polled. Clients that
/// fail to become one are left out.
pub(crate) fn connections(
    listener: TcpListener,
    tls: Tls,
) -> impl Stream<Item = io::Result<Connection>> + Send {
    let sockets = stream::unfold(listener, async |listener| {
        Some((next_socket(&listener).await, listener))
    });
    sockets
        .map(move |socket| establish(socket, tls.clone()))
        .buffer_unordered(HANDSHAKES)
        .filter_map(async |connection| connection.map(Ok))
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
    socket.write_all(NOT_TLS).await?;
    Err(io::Error::other("no TLS where it is required"))
}

/// A connection that is ready for HTTP.
#[derive(Debug)]
pub(crate) enum Connection {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
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
