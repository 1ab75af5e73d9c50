//! The clock: the system's, and where there is none (WebAssembly in a browser) one that stands still.
//!
//! No time reaches a method, so results are the same without a clock. What is lost is what is said of time: runs take no seconds,
//! and a deadline is never reached.

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub use std::time::Instant;

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub use still::Instant;

/// The clock that stands still; tested on every machine.
#[cfg(any(test, all(target_family = "wasm", target_os = "unknown")))]
mod still {
    use std::ops::{Add, AddAssign, Sub};
    use std::time::Duration;

    /// A moment as in `std::time::Instant`, where there is no clock: now is always the same.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Instant(Duration);

    impl Instant {
        /// The moment at which the clock stands.
        pub fn now() -> Self {
            Instant(Duration::ZERO)
        }

        /// Time since that moment: none, for a moment that has been.
        pub fn elapsed(&self) -> Duration {
            Instant::now().saturating_duration_since(*self)
        }

        /// Time from `earlier` to this moment, none if that is the later one.
        pub fn duration_since(&self, earlier: Instant) -> Duration {
            self.saturating_duration_since(earlier)
        }

        /// The same.
        pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
            self.0.saturating_sub(earlier.0)
        }

        /// The moment so much later, unless it is beyond what a duration holds.
        pub fn checked_add(&self, duration: Duration) -> Option<Self> {
            self.0.checked_add(duration).map(Instant)
        }
    }

    impl Add<Duration> for Instant {
        type Output = Instant;

        fn add(self, duration: Duration) -> Instant {
            Instant(self.0.saturating_add(duration))
        }
    }

    impl AddAssign<Duration> for Instant {
        fn add_assign(&mut self, duration: Duration) {
            *self = *self + duration;
        }
    }

    impl Sub for Instant {
        type Output = Duration;

        fn sub(self, earlier: Instant) -> Duration {
            self.saturating_duration_since(earlier)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::still::Instant;
    use std::time::Duration;

    #[test]
    fn where_there_is_no_clock_time_stands_and_deadlines_are_not_reached() {
        let (begin, second) = (Instant::now(), Duration::from_secs(1));
        assert_eq!(begin.elapsed(), Duration::ZERO);
        let deadline = begin + second;
        assert!(Instant::now() < deadline && deadline - begin == second && begin - deadline == Duration::ZERO);
        assert_eq!((deadline.elapsed(), deadline.duration_since(begin)), (Duration::ZERO, second));
        let mut later = begin;
        later += second;
        assert_eq!((begin.checked_add(second), later), (Some(deadline), deadline));
        assert_eq!(deadline.checked_add(Duration::MAX), None);
    }
}
