//! The same bits on every processor: the system's mathematical library, told that the processor has no AVX2 and no fused
//! multiply-add, takes other variants of its functions, our kernels take other instructions, and no result may notice.
//!
//! Another processor altogether, by an emulator (Debian's `qemu-user`, `gcc-aarch64-linux-gnu`):
//!
//! ```sh
//! SWARMGRAD_PRINT_RESULTS=1 cargo test --test processor -- --nocapture > here.txt
//! CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc cargo test --no-run --target aarch64-unknown-linux-gnu --test processor
//! SWARMGRAD_PRINT_RESULTS=1 qemu-aarch64 -L /usr/aarch64-linux-gnu target/aarch64-unknown-linux-gnu/debug/deps/processor-* --nocapture
//! SWARMGRAD_PRINT_RESULTS=1 qemu-x86_64 -cpu Nehalem target/debug/deps/processor-* --nocapture
//! ```

use std::process::Command;
use swarmgrad::problems::{TestProblem, bbob};
use swarmgrad::registry::{Settings, entries};
use swarmgrad::{Evaluations, Run};

/// GNU libc's switch; other systems do not read it.
const OLD_PROCESSOR: (&str, &str) =
    ("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F,-AVX2_Usable,-FMA_Usable,-FMA4");
/// Set for the processes that print results instead of comparing them.
const CHILD: &str = "SWARMGRAD_PRINT_RESULTS";
/// Of the suite BBOB.
const FUNCTIONS: [usize; 6] = [8, 15, 16, 17, 21, 24];

/// The bits of a short run of every method on functions that take many of the elementary functions.
fn results() -> String {
    let mut lines = String::new();
    for entry in entries() {
        for f in FUNCTIONS {
            let problem: Box<dyn TestProblem> = bbob(f, 1).unwrap().build(5, None).unwrap();
            let mut algorithm = entry.build(problem.space(), Some(1_500), &Settings::new()).unwrap();
            let outcome = Run::new(&*problem, &mut *algorithm, 7).watch(&mut Evaluations(1_500)).minimize();
            let bits: Vec<_> = outcome.x.iter().map(|t| t.to_bits()).collect();
            lines += &format!("{} BBOB {f} {:x} {bits:x?}\n", entry.name, outcome.fun.to_bits());
        }
    }
    lines
}

#[test]
fn every_method_gives_the_same_bits() {
    if std::env::var_os(CHILD).is_some() {
        print!("{}", results());
        return;
    }
    let child = |tunables: Option<(&str, &str)>| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["every_method_gives_the_same_bits", "--exact", "--nocapture"]).env(CHILD, "1").envs(tunables);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| line.contains(" BBOB")).map(str::to_owned).collect::<Vec<_>>()
    };
    let usual = child(None);
    assert_eq!(usual.len(), FUNCTIONS.len() * entries().count());
    for variable in
        [OLD_PROCESSOR, ("SWARMGRAD_SIMD", "avx2"), ("SWARMGRAD_SIMD", "sse4.2"), ("SWARMGRAD_SIMD", "sse2")]
    {
        let old = child(Some(variable));
        let other: Vec<_> = usual.iter().zip(&old).filter(|(a, b)| a != b).collect();
        let (differ, all) = (other.len(), usual.len());
        assert!(differ == 0 && old.len() == all, "{variable:?}: {differ} of {all} differ: {other:#?}");
    }
}
