//! How do requests for other people's hosts get here? As through a company's proxy that reads along.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited, combinators::BoxBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::engine::{Engine, Outcome};
use crate::http::{Reply, Request};
use crate::tls::Authority;

const LONGEST_HEAD: usize = 16 * 1024;
const LONGEST_BODY: usize = 4 * 1024 * 1024;

pub type Sent = hyper::Response<BoxBody<Bytes, io::Error>>;

/// Serves until it is dropped; its connections end with it.
pub async fn serve(listener: TcpListener, engine: Engine, authority: Arc<Authority>) {
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let (engine, authority) = (engine.clone(), Arc::clone(&authority));
            connections.spawn(async move {
                // A client that goes away is its own business.
                let _ = tunnel(stream, engine, &authority).await;
            });
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn tunnel(mut stream: TcpStream, engine: Engine, authority: &Authority) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let head = read_head(&mut stream).await?;
    let mut words = head.split_ascii_whitespace();
    if words.next() != Some("CONNECT") {
        return stream.write_all(&plain(403, "Forbidden", "This proxy only opens tunnels (CONNECT).")).await;
    }
    let target = words.next().unwrap_or_default().to_ascii_lowercase();
    let host = target.strip_suffix(":443").filter(|host| engine.lock().state.service(host).is_some());
    let Some(host) = host else {
        engine.refuse_host(&target, 502);
        return stream.write_all(&plain(502, "Bad Gateway", &format!("{target} is not in this world."))).await;
    };
    stream.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n").await?;

    let config = authority.server(host).map_err(io::Error::other)?;
    // A twin of the socket: set to linger for no time, it turns the last close into a reset.
    let whole = stream.into_std()?;
    let twin = whole.try_clone()?;
    let tls = TlsAcceptor::from(config).accept(TcpStream::from_std(whole)?).await?;
    let reset = Arc::new(AtomicBool::new(false));
    http(tls, host.to_owned(), engine, Arc::clone(&reset)).await;
    if reset.load(Ordering::Relaxed) {
        rustix::net::sockopt::set_socket_linger(&twin, Some(Duration::ZERO))?;
    }
    Ok(())
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    host: String,
    engine: Engine,
    reset: Arc<AtomicBool>,
) {
    let service = service_fn(|incoming: hyper::Request<Incoming>| {
        let (host, engine, reset) = (host.clone(), engine.clone(), Arc::clone(&reset));
        async move {
            let request = receive(incoming, &host).await?;
            let outcome = engine.handle(&request);
            tokio::time::sleep(outcome.delay).await;
            if outcome.hang {
                std::future::pending::<Infallible>().await;
            }
            if outcome.reset {
                reset.store(true, Ordering::Relaxed);
                return Err(io::Error::from(io::ErrorKind::ConnectionReset));
            }
            Ok(send(outcome))
        }
    });
    // Ends with an error when a fault breaks the connection, which is what it is for.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Reads a request to its end.
pub async fn receive(incoming: hyper::Request<Incoming>, host: &str) -> io::Result<Request> {
    let (head, body) = incoming.into_parts();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::new(head.method.as_str(), host, target);
    for (name, value) in &head.headers {
        request.headers.insert(name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    request.body = Limited::new(body, LONGEST_BODY).collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(request)
}

fn send(outcome: Outcome) -> Sent {
    let Outcome { reply, truncate, drip, .. } = outcome;
    match (truncate, drip) {
        (None, Some(wait)) => respond(&reply, BoxBody::new(Drip::of(reply.body.clone(), wait))),
        (Some(bytes), _) => {
            let cut = reply.body.slice(..bytes.min(reply.body.len()));
            let length = reply.body.len().max(cut.len() + 1);
            respond(&reply.with("content-length", length.to_string()), BoxBody::new(Cut::after(cut)))
        }
        (None, None) => whole(&reply),
    }
}

/// An answer as hyper sends it.
pub fn whole(reply: &Reply) -> Sent {
    respond(reply, BoxBody::new(Full::new(reply.body.clone()).map_err(|never: Infallible| match never {})))
}

fn respond(reply: &Reply, body: BoxBody<Bytes, io::Error>) -> Sent {
    let mut builder = hyper::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(name, value);
    }
    builder.body(body).unwrap_or_else(|error| {
        // A fault may ask for a status or header that HTTP does not have.
        let text = Full::new(Bytes::from(format!("the world cannot send this answer: {error}")));
        let mut response = hyper::Response::new(BoxBody::new(text.map_err(|never: Infallible| match never {})));
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// A body that breaks off: its bytes, a moment for them to leave, an error.
struct Cut {
    bytes: Option<Bytes>,
    moment: Pin<Box<tokio::time::Sleep>>,
}

impl Cut {
    fn after(bytes: Bytes) -> Self {
        Self { bytes: Some(bytes), moment: Box::pin(tokio::time::sleep(Duration::from_millis(20))) }
    }
}

impl Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        self.moment.as_mut().poll(context).map(|()| Some(Err(io::Error::from(io::ErrorKind::BrokenPipe))))
    }
}

/// A body that comes little by little: ten pieces, and a wait before each.
struct Drip {
    bytes: Bytes,
    piece: usize,
    wait: Duration,
    moment: Pin<Box<tokio::time::Sleep>>,
}

impl Drip {
    fn of(bytes: Bytes, wait: Duration) -> Self {
        let piece = bytes.len().div_ceil(10).max(1);
        Self { bytes, piece, wait, moment: Box::pin(tokio::time::sleep(wait)) }
    }
}

impl Body for Drip {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.bytes.is_empty() {
            return Poll::Ready(None);
        }
        std::task::ready!(self.moment.as_mut().poll(context));
        let (piece, wait) = (self.piece.min(self.bytes.len()), self.wait);
        self.moment.as_mut().reset(tokio::time::Instant::now() + wait);
        let bytes = self.bytes.split_to(piece);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}

async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > LONGEST_HEAD {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        head.push(stream.read_u8().await?);
    }
    String::from_utf8(head).map_err(io::Error::other)
}

fn plain(status: u16, reason: &str, text: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} {reason}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}", text.len()).into_bytes()
}
