//! How much of something may be asked for within a time, and how long one waits when it is used up.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

/// A budget: whatever window of its time one looks at, no more than its amount is taken in it.
#[derive(Debug)]
pub struct Budget {
    limiter: RateLimiter<NotKeyed, InMemoryState, Ticks, StateInformationMiddleware>,
    clock: Ticks,
    burst: NonZeroU32,
    // One comes back in this time.
    period: Duration,
    // What was left after the last taking, and when that was: the limiter tells it to who takes, and to nobody else.
    left: Mutex<(u32, Duration)>,
}

/// Waits up to this long happen here; who would have to wait longer is sent back to the queue.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl Budget {
    /// So much within this time: half of it can be had at once, the other half comes little by little.
    #[must_use]
    pub fn new(amount: u32, within: Duration) -> Self {
        let clock = Ticks(Instant::now());
        let burst = NonZeroU32::new(amount / 2).unwrap_or(NonZeroU32::MIN);
        let steadily = amount.saturating_sub(burst.get()).max(1);
        // Not none: the period is zero for nobody's limits.
        let quota =
            Quota::with_period(within / steadily).unwrap_or_else(|| Quota::per_second(burst)).allow_burst(burst);
        let limiter = RateLimiter::direct_with_clock(quota, clock.clone()).with_middleware();
        let left = Mutex::new((burst.get(), Duration::ZERO));
        Self { limiter, clock, burst, period: quota.replenish_interval(), left }
    }

    /// How much could be had at once, as a share of the most that ever can: from 0 to 1.
    pub fn left(&self) -> f64 {
        let (left, at) = *self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let back = self.clock.now().saturating_sub(at).as_secs_f64() / self.period.as_secs_f64();
        ((f64::from(left) + back.floor()) / f64::from(self.burst.get())).min(1.0)
    }

    /// Takes so much, as soon as it is there.
    ///
    /// # Errors
    /// How long it would take, when that is too long to wait here. Nothing is taken then.
    pub async fn take(&self, amount: u32) -> Result<(), Duration> {
        let begun = Instant::now();
        let amount = NonZeroU32::new(amount).unwrap_or(NonZeroU32::MIN).min(self.burst);
        loop {
            let wait = match self.limiter.check_n(amount) {
                Ok(Err(not_until)) => not_until.wait_time_from(self.clock.now()),
                Ok(Ok(state)) => {
                    let left = (state.remaining_burst_capacity(), self.clock.now());
                    *self.left.lock().unwrap_or_else(PoisonError::into_inner) = left;
                    return Ok(());
                }
                // Too much for any time can't be: it is at most the burst.
                Err(_) => return Ok(()),
            };
            if begun.elapsed() + wait > LONGEST_WAIT {
                return Err(wait);
            }
            // Tokio's clock knows milliseconds.
            tokio::time::sleep(wait + Duration::from_millis(1)).await;
        }
    }
}

/// Tokio's clock, from when the budget was made.
#[derive(Clone, Debug)]
struct Ticks(Instant);

impl Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each of so many takings went through, in milliseconds from the begin.
    async fn taken(budget: &Budget, times: usize, amount: u32) -> Vec<u128> {
        let begun = Instant::now();
        let mut all = Vec::new();
        for _ in 0..times {
            budget.take(amount).await.unwrap();
            all.push(begun.elapsed().as_millis());
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn no_window_holds_more_than_the_amount() {
        for (amount, within) in [(1, 1_u64), (5, 10), (20, 10)] {
            let budget = Budget::new(amount, Duration::from_secs(within));
            let taken = taken(&budget, 60, 1).await;
            for begin in &taken {
                let window = begin..&(begin + u128::from(within) * 1000);
                let count = taken.iter().filter(|at| window.contains(at)).count();
                assert!(count <= amount as usize, "{count} of {amount} in the {within} s from {begin}: {taken:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn half_is_there_at_once_and_nothing_is_lost() {
        let budget = Budget::new(20, Duration::from_secs(10));
        let taken = taken(&budget, 20, 1).await;
        assert!(taken[9] < 10 && taken[10] >= 900, "{taken:?}");
        assert!(taken[19] <= 10_100, "{taken:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_less_by_what_was_taken_and_comes_back() {
        let budget = Budget::new(20, Duration::from_secs(10));
        let left = || format!("{:.0} %", budget.left() * 100.0);
        assert_eq!(left(), "100 %");
        budget.take(4).await.unwrap();
        assert_eq!(left(), "60 %");
        budget.take(6).await.unwrap();
        assert_eq!(left(), "0 %");
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(left(), "30 %");
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(left(), "100 %");
    }

    #[tokio::test(start_paused = true)]
    async fn what_costs_more_waits_longer() {
        let (cheap, dear) = (Budget::new(20, Duration::from_secs(10)), Budget::new(20, Duration::from_secs(10)));
        let (cheap, dear) = (taken(&cheap, 12, 1).await, taken(&dear, 12, 2).await);
        assert!(cheap[11] < 2_100 && dear[11] >= 13_000, "{cheap:?} {dear:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_too_long_is_told_how_long() {
        let budget = Budget::new(1, Duration::from_mins(1));
        budget.take(1).await.unwrap();
        let begun = Instant::now();
        let wait = budget.take(1).await.unwrap_err();
        assert!(wait > Duration::from_secs(59) && wait <= Duration::from_mins(1), "{wait:?}");
        assert_eq!(begun.elapsed(), Duration::ZERO, "who is sent back does not wait first");
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_can_ever_be_there_takes_what_can() {
        let budget = Budget::new(4, Duration::from_secs(1));
        budget.take(100).await.unwrap();
        let begun = Instant::now();
        budget.take(1).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(500));
    }
}
