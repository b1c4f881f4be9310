//! HTTP/2 frame by frame: what a client of ours would not send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Types of frames (RFC 9113, 6).
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
pub(crate) const GOAWAY: u8 = 7;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A connection, and the frames that go out together next.
pub(crate) struct Frames {
    socket: TcpStream,
    next: Vec<u8>,
}

impl Frames {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.expect("somebody listens");
        let mut frames = Self {
            socket,
            next: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        };
        frames.push(SETTINGS, 0, 0, &[]);
        frames
    }

    /// A POST whose body is to come.
    pub(crate) fn post(&mut self, stream: u32, path: &str, content_type: &str) {
        // `:method: POST` and `:scheme: http` of HPACK's table, and further names of it with their values (RFC 7541, A).
        let mut block = vec![0x83, 0x86];
        for (name, value) in [
            (&[0x04][..], path),
            (&[0x01], "test"),
            (&[0x0f, 0x10], content_type),
        ] {
            block.extend(name);
            block.push(value.len().try_into().expect("a short value"));
            block.extend(value.as_bytes());
        }
        self.push(HEADERS, END_HEADERS, stream, &block);
    }

    pub(crate) fn data(&mut self, stream: u32, data: &[u8], is_end: bool) {
        let flags = if is_end { END_STREAM } else { 0 };
        self.push(DATA, flags, stream, data);
    }

    /// The client does not want the answer any more.
    pub(crate) fn cancel(&mut self, stream: u32) {
        const CANCEL: u32 = 8;
        self.push(RST_STREAM, 0, stream, &CANCEL.to_be_bytes());
    }

    fn push(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("a short frame");
        self.next.extend(&length.to_be_bytes()[1..]);
        self.next.extend([kind, flags]);
        self.next.extend(stream.to_be_bytes());
        self.next.extend(payload);
    }

    pub(crate) async fn send(&mut self) {
        let frames = std::mem::take(&mut self.next);
        self.socket.write_all(&frames).await.expect("it reads");
    }

    /// The type and the payload of the next frame of one of these types.
    pub(crate) async fn read(&mut self, kinds: &[u8]) -> (u8, Vec<u8>) {
        let read = async {
            loop {
                let mut head = [0; 9];
                self.socket.read_exact(&mut head).await.expect("a frame");
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                let mut payload = vec![0; length as usize];
                self.socket
                    .read_exact(&mut payload)
                    .await
                    .expect("a whole frame");
                if kinds.contains(&head[3]) {
                    return (head[3], payload);
                }
            }
        };
        timeout(Duration::from_secs(20), read)
            .await
            .expect("a frame in time")
    }
}
