//! How does one request become an answer, a line in the log, and maybe a mishap?

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::calls::Calls;
use crate::contract::Checks;
use crate::faults::{Faults, Mishap};
use crate::http::{Reply, Request};
use crate::services;
use crate::services::graph::{batch, open_batch};
use crate::state::State;

/// A running world: one lock around all of it, since every answer is quick.
#[derive(Clone)]
pub struct Engine(Arc<Mutex<Inner>>);

pub struct Inner {
    pub state: State,
    pub faults: Faults,
    pub calls: Calls,
    /// What Microsoft publishes, held against every exchange with Graph.
    pub checks: Checks,
}

/// An answer, and how it is to be sent.
#[derive(Default)]
pub struct Outcome {
    pub reply: Reply,
    pub delay: Duration,
    /// Bytes of the body to send before breaking off.
    pub truncate: Option<usize>,
    /// What is waited before each piece of the body.
    pub drip: Option<Duration>,
    pub reset: bool,
    pub hang: bool,
}

impl Engine {
    pub fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            state,
            faults: Faults::default(),
            calls: Calls::default(),
            checks: Checks::default(),
        })))
    }

    /// A test that panicked while it looked at the world must not take the world with it.
    /// Whoever looks sees the world at its present time.
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.state.pass_time();
        inner
    }

    pub fn handle(&self, request: &Request) -> Outcome {
        self.lock().handle(request)
    }

    /// Notes a `CONNECT` that was refused, so that a test sees which unknown host was wanted.
    pub fn refuse_host(&self, host: &str, status: u16) {
        let mut inner = self.lock();
        let request = Request { method: "CONNECT".into(), host: host.into(), ..Request::default() };
        let index = inner.calls.begin(&request, None);
        inner.calls.end(index, status, None);
    }
}

impl Inner {
    fn handle(&mut self, request: &Request) -> Outcome {
        let app = services::caller(&self.state, request);
        let index = self.calls.begin(request, app);
        let mishap = self.faults.strike(request);
        let mut outcome = Outcome::default();
        let kept = mishap.as_ref().is_some_and(|it| it.fault.keeps_from_service());
        let reply = (!kept).then(|| match open_batch(&self.state, request) {
            Some(Ok(parts)) => self.handle_parts(parts, index, &mut outcome),
            Some(Err(refusal)) => refusal,
            None => services::answer(&mut self.state, request),
        });
        let state = &self.state;
        self.checks.watch(request, reply.as_ref(), || services::graph::held_by_caller(state, request));
        outcome.apply(mishap.as_ref(), reply);
        let status = if outcome.reset || outcome.hang { 0 } else { outcome.reply.status };
        self.calls.end(index, status, mishap.map(|it| it.id));
        outcome
    }

    /// Parts are throttled and logged one by one (microsoft.md §1.10); what their faults do to the connection, they do to the whole.
    fn handle_parts(&mut self, parts: Vec<batch::Part>, index: u64, whole: &mut Outcome) -> Reply {
        let replies = batch::each(parts, |part| {
            let part = Request { batch: Some(index), ..part.clone() };
            let outcome = self.handle(&part);
            whole.delay += outcome.delay;
            whole.reset |= outcome.reset;
            whole.hang |= outcome.hang;
            outcome.reply
        });
        batch::envelope(replies)
    }
}

impl Outcome {
    fn apply(&mut self, mishap: Option<&Mishap>, reply: Option<Reply>) {
        let Some(fault) = mishap.map(|it| &it.fault) else {
            self.reply = reply.unwrap_or_default();
            return;
        };
        self.reply = fault.bend(reply);
        self.delay += Duration::from_millis(fault.delay_ms.unwrap_or(0));
        self.truncate = fault.truncate;
        self.drip = fault.drip_ms.map(Duration::from_millis);
        self.reset |= fault.reset;
        self.hang |= fault.hang;
    }
}
