//! Whether a service wants to be asked now: what it said to one is remembered for all who ask it for the same account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The gate before one host, for one account.
#[derive(Debug)]
pub struct Gate(Mutex<State>);

#[derive(Debug)]
struct State {
    // Not to be asked before.
    closed_until: Instant,
    // So much apart, as long as it is to be spared.
    spacing: Duration,
    spared_until: Instant,
    next: Instant,
}

/// A wait that is shorter than this is waited out here; a longer one goes back to the queue.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// The same for a place in the line before a service that is to be spared.
const LONGEST_LINE: Duration = Duration::from_secs(10);
/// How long a service is spared that is close to its limit: the window that Microsoft's limits are counted in.
const SPARED_FOR: Duration = Duration::from_secs(10);
/// From here on, Microsoft says how close to the limit one is (facts/microsoft.md §1.10).
const CLOSE: f64 = 0.8;

impl Default for Gate {
    fn default() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State { closed_until: now, spacing: Duration::ZERO, spared_until: now, next: now }))
    }
}

impl Gate {
    /// Goes through, as soon as the service wants to be asked.
    ///
    /// # Errors
    /// How long that will take, when it is too long to wait here.
    pub async fn pass(&self) -> Result<(), Duration> {
        let in_line = {
            let mut state = self.state();
            let now = Instant::now();
            let closed = state.closed_until.saturating_duration_since(now);
            if closed > LONGEST_WAIT {
                return Err(closed);
            }
            let turn = state.next.max(now + closed);
            let wait = turn - now;
            if wait > LONGEST_LINE {
                return Err(wait);
            }
            if state.spared_until > now {
                state.next = turn + state.spacing;
            }
            wait
        };
        tokio::time::sleep(in_line).await;
        // It may have been closed meanwhile.
        match self.state().closed_until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Ok(()),
            closed => Err(closed),
        }
    }

    /// The service is not to be asked for this long.
    pub fn close(&self, wait: Duration) {
        let mut state = self.state();
        state.closed_until = state.closed_until.max(Instant::now() + wait);
    }

    /// The service said how much of its limit is used up: from four fifths on it is asked less often, and the less the closer.
    pub fn heed(&self, used: f64) {
        if used.is_nan() || used < CLOSE {
            return;
        }
        let mut state = self.state();
        // A quarter of a second at four fifths, three quarters at the limit.
        state.spacing = Duration::from_secs_f64(0.25 + (used.min(2.0) - CLOSE) * 2.5);
        state.spared_until = Instant::now() + SPARED_FOR;
        state.next = state.next.max(Instant::now() + state.spacing);
    }

    fn idle(&self) -> bool {
        let (state, now) = (self.state(), Instant::now());
        state.closed_until <= now && state.spared_until <= now
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All gates, by account and host.
#[derive(Debug, Default)]
pub struct Gates(Mutex<HashMap<Place, Arc<Gate>>>);

/// An account, and a host.
type Place = (Arc<str>, String);

impl Gates {
    /// The gate of a host for an account.
    pub fn of(&self, account: &Arc<str>, host: &str) -> Arc<Gate> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (Arc::clone(account), host.to_owned());
        if let Some(gate) = all.get(&key) {
            return Arc::clone(gate);
        }
        // An open gate that nobody stands before is as good as none.
        all.retain(|_, gate| Arc::strong_count(gate) > 1 || !gate.idle());
        Arc::clone(all.entry(key).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn waited(gate: &Gate) -> Duration {
        let begun = Instant::now();
        gate.pass().await.unwrap();
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_gate_holds_nobody_up() {
        let gate = Gate::default();
        for _ in 0..100 {
            assert_eq!(waited(&gate).await, Duration::ZERO);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_wait_is_waited_out_and_a_long_one_is_told_until_it_is_over() {
        let gate = Gate::default();
        gate.close(Duration::from_secs(2));
        assert_eq!(waited(&gate).await, Duration::from_secs(2));
        gate.close(Duration::from_secs(17));
        assert_eq!(gate.pass().await, Err(Duration::from_secs(17)));
        // A shorter one, that somebody else was told, opens nothing.
        gate.close(Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(gate.pass().await, Err(Duration::from_secs(7)));
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(waited(&gate).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_while_it_is_closed_for_longer_does_not_go_through() {
        let gate = Arc::new(Gate::default());
        gate.close(Duration::from_secs(1));
        let waiting = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.pass().await }
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        gate.close(Duration::from_mins(1));
        assert_eq!(waiting.await.unwrap(), Err(Duration::from_millis(59_500)));
    }

    #[tokio::test(start_paused = true)]
    async fn close_to_the_limit_it_is_asked_less_often_and_the_less_the_closer() {
        let many = async |used: f64| {
            let gate = Gate::default();
            gate.heed(used);
            let begun = Instant::now();
            for _ in 0..4 {
                gate.pass().await.unwrap();
            }
            begun.elapsed().as_millis()
        };
        assert_eq!(many(0.79).await, 0);
        assert_eq!(many(0.8).await, 1000);
        assert_eq!(many(1.0).await, 3000);
        assert_eq!(many(f64::NAN).await, 0);
        // Never so rarely that it would be for ever.
        assert!(many(1e300).await < 15_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_is_too_long_sends_back_to_the_queue_and_ends_with_the_window() {
        let gate = Arc::new(Gate::default());
        gate.heed(1.0);
        let all = (0..30).map(|_| gate.pass());
        let through = futures::future::join_all(all).await.into_iter().flatten().count();
        assert_eq!(through, 13, "three quarters of a second apart, for ten seconds");
        tokio::time::advance(SPARED_FOR).await;
        assert_eq!(waited(&gate).await, Duration::ZERO);
        assert_eq!(waited(&gate).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn gates_are_told_apart_by_account_and_host_and_idle_ones_forgotten() {
        let gates = Gates::default();
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        gates.of(&one, "a.example.com").close(Duration::from_mins(1));
        assert!(gates.of(&one, "a.example.com").pass().await.is_err());
        assert!(gates.of(&other, "a.example.com").pass().await.is_ok());
        assert!(gates.of(&one, "b.example.com").pass().await.is_ok());
        tokio::time::advance(Duration::from_mins(2)).await;
        gates.of(&one, "c.example.com");
        assert_eq!(gates.0.lock().unwrap().len(), 1);
    }
}
