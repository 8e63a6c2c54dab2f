//! How does somebody outside steer the world? JSON over plain HTTP on the loopback interface.

use std::convert::Infallible;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::actions::act;
use crate::engine::Engine;
use crate::faults::Fault;
use crate::http::{Reply, Request};
use crate::proxy::{receive, whole};

/// Serves until it is dropped.
pub async fn serve(listener: TcpListener, engine: Engine) {
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let engine = engine.clone();
            connections.spawn(async move {
                let service = service_fn(|incoming: hyper::Request<Incoming>| {
                    let engine = engine.clone();
                    async move {
                        let reply = match receive(incoming, "control").await {
                            Ok(request) => answer(&engine, &request),
                            Err(error) => refused(400, &error.to_string()),
                        };
                        Ok::<_, Infallible>(whole(&reply))
                    }
                });
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
        while connections.try_join_next().is_some() {}
    }
}

fn answer(engine: &Engine, request: &Request) -> Reply {
    let body = || {
        if request.body.is_empty() {
            Ok(Value::Null)
        } else {
            serde_json::from_slice::<Value>(&request.body)
                .map_err(|error| refused(400, &format!("the body is not JSON: {error}")))
        }
    };
    let segments = request.segments();
    let mut inner = engine.lock();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["healthz"]) => Reply::text(200, "ok"),
        ("GET", ["state"]) => serde_json::to_value(&inner.state)
            .map_or_else(|error| refused(500, &error.to_string()), |state| Reply::json(200, &state)),
        ("GET", ["calls"]) => match request.query("since").unwrap_or("0").parse() {
            Ok(since) => Reply::json(200, &json!(inner.calls.since(since))),
            Err(_) => refused(400, "since= is the index of a call"),
        },
        ("GET", ["checks"]) => Reply::json(200, &json!(inner.checks.told())),
        ("DELETE", ["calls"]) => {
            inner.calls.clear();
            Reply::empty(204)
        }
        ("POST", ["do", action]) => match body() {
            Ok(params) => act(&mut inner.state, action, params)
                .map_or_else(|why| refused(422, &why), |done| Reply::json(200, &done)),
            Err(reply) => reply,
        },
        ("POST", ["faults"]) => match body().map(serde_json::from_value::<Fault>) {
            Ok(Ok(fault)) => Reply::json(201, &json!({ "id": inner.faults.add(fault) })),
            Ok(Err(error)) => refused(400, &format!("this is no fault: {error}")),
            Err(reply) => reply,
        },
        ("DELETE", ["faults"]) => {
            inner.faults.clear();
            Reply::empty(204)
        }
        ("DELETE", ["faults", id]) => {
            let known = id.parse().is_ok_and(|id| inner.faults.remove(id));
            if known { Reply::empty(204) } else { refused(404, "there is no such fault") }
        }
        _ => refused(404, "the control API has /do/ACTION, /faults, /calls, /checks, /state and /healthz"),
    }
}

fn refused(status: u16, why: &str) -> Reply {
    Reply::json(status, &json!({ "refused": why }))
}
