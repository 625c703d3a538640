//! Rate limits: a token bucket per caller.

use crate::{
    platform::{Error, Result, codes},
    text,
};
use governor::{
    DefaultKeyedRateLimiter, NotUntil, RateLimiter, clock::Clock, clock::DefaultClock,
    middleware::StateInformationMiddleware,
};
use std::{
    fmt::Display,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};

/// The requests a caller has left; shown in the `RateLimit` fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests per minute.
    pub limit: u32,
    /// Requests left now.
    pub remaining: u32,
    /// Seconds until the whole limit is available again.
    pub reset: u32,
}

impl Display for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"default\";r={};t={}", self.remaining, self.reset)
    }
}

type Keyed<K> = DefaultKeyedRateLimiter<K, StateInformationMiddleware>;

/// A limit on the requests a minute of each key.
pub struct RateLimit<K: Hash + Eq + Clone> {
    limiter: Keyed<K>,
    per_minute: u32,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// A limit of `per_minute` requests for each key, which may come all at once.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        let quota = governor::Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        let limiter = RateLimiter::dashmap(quota).with_middleware::<StateInformationMiddleware>();
        Self { limiter, per_minute: per_minute.max(1), checks: AtomicU32::new(0) }
    }

    /// Counts a request; refuses the request where the bucket of the key is empty.
    pub fn check(&self, key: &K) -> Result<Quota> {
        // Removes the buckets of callers that have been away, so that the table cannot grow for ever.
        if self.checks.fetch_add(1, Ordering::Relaxed) % 65_536 == 65_535 {
            self.limiter.retain_recent();
        }
        let quota = |remaining| Quota { limit: self.per_minute, remaining, reset: self.refill(remaining) };
        match self.limiter.check_key(key) {
            Ok(state) => Ok(quota(state.remaining_burst_capacity())),
            Err(wait) => Err(refusal(&wait, self.per_minute)),
        }
    }

    fn refill(&self, remaining: u32) -> u32 {
        let missing = u64::from(self.per_minute.saturating_sub(remaining));
        u32::try_from((missing * 60).div_ceil(u64::from(self.per_minute))).unwrap_or(60)
    }
}

fn refusal(wait: &NotUntil<<DefaultClock as Clock>::Instant>, per_minute: u32) -> Error {
    let seconds = wait.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
    let detail = text!(
        "{per_minute} requests a minute are allowed; wait {seconds} s",
        "リクエストは 1 分あたり {per_minute} 回までです。{seconds} 秒お待ちください。"
    );
    Error { retry_after: u32::try_from(seconds).ok(), ..Error::new(&codes::TOO_MANY_REQUESTS, detail) }
}

/// The network that counts as one address: an IPv6 network of 64 bits belongs to one household.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}
