//! Under fire: attacks on every door of the program, each a class of faults with as many cases as one likes.
//!
//! The gate runs a short round of each, the same one every time. The long round, some hours, prints the table of
//! `docs/reliability.md`; a number of rounds and a part of a name make it shorter:
//!
//! ```sh
//! cargo test --workspace --test fire -- --ignored --nocapture campaign
//! SWARMGRAD_FIRE=20:settings SWARMGRAD_FIRE_SEED=7 cargo test --workspace --test fire -- --ignored --nocapture campaign
//! ```

mod crafted;
mod door;
mod files;
mod guard;
mod kills;
mod memory;
mod page;
mod power;
mod programs;
mod scratch;
mod settings;
mod states;
mod studies;
mod talk;
mod tally;

use std::time::Instant;
use tally::Tally;

/// An attack: its name, what it does at a scale with a seed, and its scale in the long round.
type Attack = (&'static str, fn(u64, u64) -> Tally, u64);

/// All attacks.
const ATTACKS: &[Attack] = &[
    ("damaged files", states::damaged_files, 1700),
    ("crafted states", crafted::crafted_states, 700),
    ("crafted models", crafted::crafted_models, 5000),
    ("settings", settings::settings, 200),
    ("memory", memory::memory, 250),
    ("studies", studies::studies, 100),
    ("programs: forms", programs::forms, 2),
    ("programs: ways", programs::ways, 3),
    ("programs: sessions", programs::sessions, 20),
    ("programs: shifts", programs::shifts, 100),
    ("agent: sessions", talk::sessions, 170),
    ("agent: ends", talk::ends, 50),
    ("agent: records", talk::records, 100),
    ("page: paths", page::paths, 300),
    ("page: requests", page::requests, 100),
    ("page: journals", page::journals, 400),
    ("page: lengths", page::lengths, 10),
    ("files: writers", files::writers, 20),
    ("files: places", files::places, 2),
    ("files: disks", files::disks, 50),
    ("files: power", power::power, 20),
    ("signals", files::signals, 20),
    ("limits", files::limits, 50),
    ("clocks", files::clocks, 20),
    ("kills: programs", kills::programs, 60),
    ("kills: commands", kills::commands, 12),
    ("kills: agent", kills::agent, 30),
    ("kills: functions", kills::functions, 10),
];

/// The long round.
#[test]
#[ignore = "takes hours: see above"]
fn campaign() {
    let (scale, part) = match std::env::var("SWARMGRAD_FIRE") {
        Ok(text) => {
            let (scale, part) = text.split_once(':').unwrap_or((&text, ""));
            (Some(scale.parse().expect("SWARMGRAD_FIRE=rounds:part")), part.to_owned())
        }
        Err(_) => (None, String::new()),
    };
    let seed = std::env::var("SWARMGRAD_FIRE_SEED").map_or(2, |text| text.parse().expect("a seed"));
    println!("| class of faults | cases | survived | of what else | rounds, seed, seconds |\n|---|---|---|---|---|");
    let mut lost = Vec::new();
    for (_, attack, usual) in ATTACKS.iter().filter(|(name, ..)| name.contains(&part)) {
        let begin = Instant::now();
        let rounds = scale.unwrap_or(*usual);
        let tally = attack(rounds, seed);
        let (Tally { class, cases, survived, .. }, counted) = (&tally, tally.counted());
        let seconds = begin.elapsed().as_secs_f64();
        println!("| {class} | {cases} | {survived} | {counted} | {rounds}, {seed}, {seconds:.0} |");
        lost.extend(tally.faults);
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}
