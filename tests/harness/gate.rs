//! A way to the API server that can end in the middle of a write, or altogether, as networks do.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, HOST};
use axum::response::{IntoResponse, Response};
use kube::Client;
use tokio::sync::Notify;

use super::cluster;

/// Writes that are larger are none of the operator's.
const LARGEST: usize = 4 << 20;

/// Stands before the API server for one user.
pub struct Gate {
    address: SocketAddr,
    inner: Arc<Inner>,
    _ends: tokio_util::sync::DropGuard,
}

struct Inner {
    client: Client,
    closed: AtomicBool,
    writes: AtomicUsize,
    strike: Mutex<Option<Strike>>,
    struck: Notify,
}

/// Which write never returns.
#[derive(Clone, Copy)]
pub struct Strike {
    /// How many go through before it; Events don't count.
    pub after: usize,
    /// Whether it is done all the same.
    pub applied: bool,
}

impl Gate {
    pub async fn open(token: &str) -> Self {
        let inner = Arc::new(Inner {
            client: cluster::client_of(token).await,
            closed: AtomicBool::new(false),
            writes: AtomicUsize::new(0),
            strike: Mutex::default(),
            struck: Notify::new(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = tokio_util::sync::CancellationToken::new();
        let router = axum::Router::new().fallback(pass).with_state(Arc::clone(&inner));
        let serve = axum::serve(listener, router);
        let ends = stop.clone();
        tokio::spawn(async move {
            tokio::select! { _ = serve => {}, () = ends.cancelled() => {} }
        });
        Self { address, inner, _ends: stop.drop_guard() }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on nothing gets through, and nothing is refused either.
    pub fn close(&self) {
        self.inner.closed.store(true, Ordering::SeqCst);
    }

    /// What is asked from now on gets through again.
    pub fn reopen(&self) {
        self.inner.closed.store(false, Ordering::SeqCst);
    }

    /// How many writes were tried, other than to the Lease.
    pub fn writes(&self) -> usize {
        self.inner.writes.load(Ordering::SeqCst)
    }

    /// One write from now on never returns.
    pub fn strike(&self, strike: Strike) {
        *self.inner.strike.lock().unwrap() = Some(strike);
    }

    /// Nothing is struck any more. True: it was not struck yet.
    pub fn spare(&self) -> bool {
        self.inner.strike.lock().unwrap().take().is_some()
    }

    /// When it has happened.
    pub async fn struck(&self) {
        self.inner.struck.notified().await;
    }
}

impl Inner {
    /// Whether this write is the one, and if so whether it is done.
    fn is_struck(&self, request: &Request) -> Option<bool> {
        if !is_write(request) || request.uri().path().ends_with("/events") {
            return None;
        }
        let mut strike = self.strike.lock().unwrap();
        let mine = (*strike)?;
        if mine.after > 0 {
            *strike = Some(Strike { after: mine.after - 1, ..mine });
            return None;
        }
        *strike = None;
        Some(mine.applied)
    }
}

/// Whether it changes anything but the Lease, which is renewed all the time.
fn is_write(request: &Request) -> bool {
    !request.method().is_safe() && !request.uri().path().contains("/leases")
}

async fn pass(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    inner.writes.fetch_add(usize::from(is_write(&request)), Ordering::SeqCst);
    let struck = inner.is_struck(&request);
    if inner.closed.load(Ordering::SeqCst) || struck == Some(false) {
        inner.struck.notify_one();
        return std::future::pending().await;
    }
    let (mut parts, body) = request.into_parts();
    // Its own client says who it is, and to whom.
    parts.headers.remove(AUTHORIZATION);
    parts.headers.remove(HOST);
    let body = to_bytes(body, LARGEST).await.unwrap().to_vec();
    let sent = inner.client.send(axum::http::Request::from_parts(parts, body.into())).await;
    if struck == Some(true) {
        inner.struck.notify_one();
        return std::future::pending().await;
    }
    match sent {
        Ok(answer) => answer.map(Body::new),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}
