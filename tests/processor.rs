//! The same bits on every processor: the system's mathematical library, told that the processor has no AVX2 and no fused
//! multiply-add, takes other variants of its functions, our kernels take other instructions, and no result may notice.
//!
//! Another processor altogether, by an emulator (Debian's `qemu-user`, `gcc-aarch64-linux-gnu`):
//!
//! ```sh
//! SWARMGRAD_PRINT_RESULTS=all cargo test --test processor -- --nocapture > here.txt
//! CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc cargo test --no-run --target aarch64-unknown-linux-gnu --test processor
//! SWARMGRAD_PRINT_RESULTS=all qemu-aarch64 -L /usr/aarch64-linux-gnu target/aarch64-unknown-linux-gnu/debug/deps/processor-* --nocapture
//! SWARMGRAD_PRINT_RESULTS=all qemu-x86_64 -cpu Nehalem target/debug/deps/processor-* --nocapture
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
/// Of the suite BBOB, those that take many of the elementary functions.
const FUNCTIONS: [usize; 6] = [8, 15, 16, 17, 21, 24];
/// Of them those for other instructions: the functions themselves take their vectors from the same code.
const FEW: [usize; 2] = [15, 24];

/// The bits of a short run of every method on these functions.
fn results(functions: &[usize], evaluations: u64) -> String {
    let mut lines = String::new();
    for entry in entries() {
        // A model a point is dear.
        let evaluations = if entry.name == "gp" { evaluations.min(100) } else { evaluations };
        for &f in functions {
            let problem: Box<dyn TestProblem> = bbob(f, 1).unwrap().build(5, None).unwrap();
            let mut algorithm = entry.build(problem.space(), Some(evaluations), &Settings::new()).unwrap();
            let outcome = Run::new(&*problem, &mut *algorithm, 7).watch(&mut Evaluations(evaluations)).minimize();
            let bits: Vec<_> = outcome.x.iter().map(|t| t.to_bits()).collect();
            lines += &format!("{} BBOB {f} {:x} {bits:x?}\n", entry.name, outcome.fun.to_bits());
        }
    }
    lines
}

#[test]
fn every_method_gives_the_same_bits() {
    if let Ok(which) = std::env::var(CHILD) {
        print!("{}", if which == "few" { results(&FEW, 500) } else { results(&FUNCTIONS, 1_500) });
        return;
    }
    let child = |which: &str, tunables: Option<(&str, &str)>| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["every_method_gives_the_same_bits", "--exact", "--nocapture"]).env(CHILD, which).envs(tunables);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| line.contains(" BBOB")).map(str::to_owned).collect::<Vec<_>>()
    };
    let others = [
        ("all", FUNCTIONS.len(), &[OLD_PROCESSOR][..]),
        ("few", FEW.len(), &[("SWARMGRAD_SIMD", "avx2"), ("SWARMGRAD_SIMD", "sse4.2"), ("SWARMGRAD_SIMD", "sse2")]),
    ];
    for (which, functions, others) in others {
        let usual = child(which, None);
        assert_eq!(usual.len(), functions * entries().count());
        for &variable in others {
            let old = child(which, Some(variable));
            let other: Vec<_> = usual.iter().zip(&old).filter(|(a, b)| a != b).collect();
            let (differ, all) = (other.len(), usual.len());
            assert!(differ == 0 && old.len() == all, "{variable:?}: {differ} of {all} differ: {other:#?}");
        }
    }
}
