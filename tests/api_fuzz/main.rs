//! Sends any requests to the API in process, and checks invariants after each of them.
//!
//! `corpus` has requests as text: each begins with a line `### CODE COMMENT`, where CODE is that of
//! its answer. Random mutations of the corpus are executed too. A request that breaks an invariant
//! is printed in the same form: add it to the corpus with the correction.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod target;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use fastrand::Rng;

use self::target::{Input, Target, mutate};

/// Number of executions of random inputs, and the seed of the first one.
const EXECUTIONS: &str = "SLUICEGATE_FUZZ_EXECUTIONS";
const SEED: &str = "SLUICEGATE_SEED";

/// Executions without a setting.
const FEW: u64 = 200;

/// Maximum number of inputs that are kept because their answers or paths are new.
const MAX_KEPT: usize = 4096;

fn corpus() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api_fuzz/corpus");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn corpus_is_answered_as_announced() {
    let mut target = Target::new();
    let mut problems = Vec::new();
    for (path, bytes) in corpus() {
        let text = String::from_utf8_lossy(&bytes);
        let codes = text.lines().filter_map(|line| line.strip_prefix("### ")?.split(' ').next());
        let announced: Vec<u16> = codes.map(|code| code.parse().unwrap()).collect();
        match target.run(&Input::parse(&bytes)) {
            Ok(found) if found == announced => {}
            Ok(found) => problems.push(format!("{}: answered {found:?}", path.display())),
            Err(problem) => problems.push(format!("{}: {problem}", path.display())),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn random_requests_break_no_invariant() {
    let mut target = Target::new();
    let mut kept: Vec<_> = corpus().iter().map(|(_, bytes)| Input::parse(bytes)).collect();
    let seeds = kept.len();
    let mut known = BTreeSet::new();
    let first = number(SEED, 0);
    for seed in first..first + number(EXECUTIONS, FEW) {
        let mut random = Rng::with_seed(seed);
        let mut input = kept[random.usize(..kept.len())].clone();
        let other = &kept[random.usize(..kept.len())];
        mutate(&mut input, other, &mut random);
        match target.run(&input) {
            Ok(codes) => {
                if known.insert((codes, input.shape())) {
                    if kept.len() < MAX_KEPT {
                        kept.push(input);
                    } else {
                        let replaced = random.usize(seeds..kept.len());
                        kept[replaced] = input;
                    }
                }
            }
            Err(problem) => {
                panic!("seed {seed}: {problem}\n{}", String::from_utf8_lossy(&input.to_bytes()))
            }
        }
    }
}
