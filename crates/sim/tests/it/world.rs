//! The platform under every fault of the plan, seed after seed.

use ploy_sim::world::{Plan, run, shrink};

/// How many seeds are tried unoptimised; `make sim` tries a thousand and more.
const SEEDS: u64 = 60;

#[test]
fn seeds_keep_every_invariant() {
    let mut acted = 0;
    for seed in 0..SEEDS {
        match run(&Plan::of(seed)) {
            Ok(story) => acted += story.faults_acted,
            Err(failure) => panic!("{}", shrink(*failure)),
        }
    }
    assert!(acted > SEEDS, "hardly any fault acted: {acted}");
}

#[test]
fn a_seed_is_one_run() {
    let plan = Plan::of(11);
    assert_eq!(run(&plan).unwrap(), run(&plan).unwrap());
}
