//! What was asked of the world, in order? Never a body, never a header that authenticates.

use serde::Serialize;

use crate::http::Request;

/// One request.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Counts up over the life of the world, also across `DELETE /calls`.
    pub index: u64,
    pub time: String,
    pub host: String,
    pub method: String,
    pub path: String,
    /// Decoded.
    pub query: String,
    /// 0 while it runs, and for one that never got an answer.
    pub status: u16,
    /// Client id or Keepit login; `None` for nobody known.
    pub app: Option<String>,
    pub user_agent: Option<String>,
    /// `x-ms-throttle-priority`: whether it may be throttled before others (microsoft.md §1.10).
    pub priority: Option<String>,
    /// It asked for a change, granted or not.
    pub write: bool,
    /// The `$batch` it was a part of.
    pub batch: Option<u64>,
    /// The fault that struck it.
    pub fault: Option<u64>,
}

/// The log.
#[derive(Debug, Default)]
pub struct Calls {
    calls: Vec<Call>,
    next: u64,
}

impl Calls {
    pub fn begin(&mut self, request: &Request, app: Option<String>) -> u64 {
        let index = self.next;
        self.next += 1;
        self.calls.push(Call {
            index,
            time: jiff::Timestamp::now().to_string(),
            host: request.host.clone(),
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query_text(),
            status: 0,
            app,
            user_agent: request.header("user-agent").map(str::to_owned),
            priority: request.header("x-ms-throttle-priority").map(str::to_owned),
            write: request.method != "CONNECT" && request.asks_for_change(),
            batch: request.batch,
            fault: None,
        });
        index
    }

    pub fn end(&mut self, index: u64, status: u16, fault: Option<u64>) {
        if let Some(call) = self.calls.iter_mut().rev().find(|call| call.index == index) {
            call.status = status;
            call.fault = fault;
        }
    }

    /// From `since` on.
    pub fn since(&self, since: u64) -> Vec<Call> {
        self.calls.iter().filter(|call| call.index >= since).cloned().collect()
    }

    pub fn clear(&mut self) {
        self.calls.clear();
    }
}
