//! The time that a thread has computed, which other work of the machine does not lengthen.

/// A stopwatch of this thread's processor time; on systems that cannot tell it, of the time that passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch {
    #[cfg(unix)]
    begin: f64,
    #[cfg(not(unix))]
    begin: std::time::Instant,
}

#[cfg(unix)]
fn now() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}

impl Stopwatch {
    /// Begins now.
    pub(crate) fn start() -> Self {
        #[cfg(unix)]
        let begin = now();
        #[cfg(not(unix))]
        let begin = std::time::Instant::now();
        Stopwatch { begin }
    }

    /// Seconds that this thread has computed since.
    pub(crate) fn seconds(self) -> f64 {
        #[cfg(unix)]
        let seconds = now() - self.begin;
        #[cfg(not(unix))]
        let seconds = self.begin.elapsed().as_secs_f64();
        seconds
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn sleep_is_not_counted_and_work_is() {
        let watch = Stopwatch::start();
        std::thread::sleep(std::time::Duration::from_millis(60));
        let idle = watch.seconds();
        assert!(idle < 0.03, "{idle}");
        let mut sum = 0u64;
        while watch.seconds() < idle + 0.01 {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(sum > 0);
    }
}
