//! Tests of the choice of endpoints, with simulated endpoints and a simulated clock.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::choice::{Choice, Limits, Turns};
use super::marks::State;
use super::simulation_in_tests::{ATTEMPT, BUDGET, Behaviour, LIMITS, Simulation, number};

#[test]
fn healthy_endpoints_are_used_in_turn() {
    let mut simulation = Simulation::new(3);
    let tried: Vec<_> = (0..6).flat_map(|_| simulation.connect(|_| Behaviour::Up).0).collect();
    assert_eq!(tried, [1, 2, 3, 1, 2, 3]);
}

/// The neighbours of a failed endpoint get no more than the others.
#[test]
fn share_of_failed_endpoints_is_spread_evenly() {
    for (count, down) in [(6, 4), (8, 1), (8, 2), (8, 3), (8, 7)] {
        let mut simulation = Simulation::new(count);
        let behaviour = |number| if number <= down { Behaviour::Refusing } else { Behaviour::Up };
        let mut served = vec![0_u32; usize::from(count) + 1];
        for _ in 0..840 {
            let (tried, is_served, _) = simulation.connect(behaviour);
            assert!(is_served, "{down} of {count} down: tried {tried:?}");
            served[usize::from(*tried.last().unwrap())] += 1;
        }
        let up = &served[usize::from(down) + 1..];
        let (least, most) = (up.iter().min().unwrap(), up.iter().max().unwrap());
        // The first connections find the failed endpoints.
        assert!(most - least <= u32::from(down) + 1, "{down} of {count} down: {up:?}");
    }
}

#[test]
fn silent_endpoint_delays_one_connection_for_each_mark() {
    let mut simulation = Simulation::new(2);
    let behaviour = |number| if number == 1 { Behaviour::Silent } else { Behaviour::Up };
    let start = simulation.now;
    let mut delays = Vec::new();
    while simulation.now < start + Duration::from_secs(60) {
        let (_, is_served, delay) = simulation.connect(behaviour);
        assert!(is_served);
        if !delay.is_zero() {
            assert_eq!(delay, ATTEMPT);
            delays.push((simulation.now - start).as_secs());
        }
        simulation.now += Duration::from_millis(10);
    }
    // Each check comes with the first or second connection after the mark: 1, 2, 4, 8, 10 s.
    assert_eq!(delays, [3, 7, 12, 19, 30, 43, 56]);
}

#[test]
fn last_candidate_gets_the_rest_of_the_budget() {
    let mut simulation = Simulation::new(1);
    let (tried, is_served, delay) = simulation.connect(|_| Behaviour::Silent);
    assert_eq!((tried, is_served, delay), (vec![1], false, BUDGET));

    let mut simulation = Simulation::new(2);
    let (tried, is_served, delay) = simulation.connect(|_| Behaviour::Silent);
    assert_eq!((tried, is_served, delay), (vec![1, 2], false, BUDGET), "3 s and 7 s");
}

#[test]
fn attempts_end_with_the_budget() {
    let mut simulation = Simulation::new(9);
    let (tried, is_served, delay) = simulation.connect(|_| Behaviour::Silent);
    assert_eq!((tried.len(), is_served, delay), (4, false, BUDGET), "3, 3, 3 and 1 s");
}

#[test]
fn marked_endpoints_are_tried_last() {
    let mut simulation = Simulation::new(4);
    let refusing = |number| if number <= 2 { Behaviour::Refusing } else { Behaviour::Up };
    for _ in 0..4 {
        simulation.connect(refusing);
    }
    let (mut tried, is_served, _) = simulation.connect(|_| Behaviour::Refusing);
    assert!(!is_served);
    tried[..2].sort_unstable();
    tried[2..].sort_unstable();
    assert_eq!(tried, [3, 4, 1, 2]);
}

/// The marked endpoint has recovered, and no connection has noticed it yet.
#[test]
fn silent_endpoint_leaves_time_for_a_marked_one() {
    let mut simulation = Simulation::new(2);
    simulation.connect(|number| if number == 1 { Behaviour::Refusing } else { Behaviour::Up });
    let (tried, is_served, delay) =
        simulation.connect(|number| if number == 1 { Behaviour::Up } else { Behaviour::Silent });
    assert_eq!((tried, is_served, delay), (vec![2, 1], true, ATTEMPT));
}

#[test]
fn attempts_at_marked_endpoints_are_limited() {
    for count in [20, 200] {
        let mut simulation = Simulation::new(count);
        let (tried, ..) = simulation.connect(|_| Behaviour::Refusing);
        assert_eq!(tried.len(), usize::from(count), "no endpoint is marked");
        let (tried, is_served, _) = simulation.connect(|_| Behaviour::Refusing);
        assert_eq!((tried.len(), is_served), (8, false), "all endpoints are marked");
    }
}

/// Nearly all endpoints have been tried when the marked ones follow, so a random sample contains
/// few that are left.
#[test]
fn marked_endpoints_are_found_among_many_tried_ones() {
    let mut simulation = Simulation::new(1_000);
    let now = simulation.now;
    for endpoint in &simulation.endpoints[..10] {
        simulation.marks.record_failure(endpoint.address, false, now, now);
    }
    let (tried, is_served, _) = simulation.connect(|_| Behaviour::Refusing);
    assert_eq!((tried.len(), is_served), (990 + 8, false));
}

#[test]
fn unmarked_endpoint_is_found_among_many() {
    let mut simulation = Simulation::new(1_000);
    let mut is_served_by = |up: fn(u16) -> bool| {
        let behaviour = |number| if up(number) { Behaviour::Up } else { Behaviour::Refusing };
        simulation.connect(behaviour).1
    };
    assert!(is_served_by(|number| number == 500));
    for _ in 0..100 {
        assert!(is_served_by(|number| number == 500));
    }
}

#[test]
fn share_of_failed_endpoints_is_spread_among_many() {
    let mut simulation = Simulation::new(300);
    let behaviour = |number| if number <= 200 { Behaviour::Refusing } else { Behaviour::Up };
    let mut served = vec![0_u32; 301];
    for _ in 0..30_000 {
        let (tried, is_served, _) = simulation.connect(behaviour);
        assert!(is_served);
        served[usize::from(*tried.last().unwrap())] += 1;
    }
    // 300 for each, of which 200 are random: three times the standard deviation is 43.
    let up = &served[201..];
    assert!(up.iter().all(|served| (220..=380).contains(served)), "{up:?}");
}

/// Both connections begin when no endpoint is marked, and each finds another one that fails.
#[test]
fn endpoint_marked_by_another_connection_remains_a_candidate() {
    let mut simulation = Simulation::new(2);
    let Simulation { endpoints, rotation, marks, now, .. } = &mut simulation;
    let turns = Turns { endpoints, rotation };
    let mut choices = [(); 2].map(|()| Choice::new(LIMITS, *now));
    let first = choices.each_mut().map(|choice| choice.next(turns, marks, *now).unwrap());
    assert_ne!(first[0].endpoint, first[1].endpoint);
    *now += ATTEMPT;
    for attempt in first {
        marks.record_failure(attempt.endpoint, false, *now, *now);
    }
    let second = choices.each_mut().map(|choice| choice.next(turns, marks, *now).unwrap());
    assert_eq!(second.map(|attempt| attempt.endpoint), [first[1].endpoint, first[0].endpoint]);
    assert_eq!(second[0].timeout, BUDGET - ATTEMPT);
}

#[test]
fn all_endpoints_are_candidates_when_all_are_marked() {
    let mut simulation = Simulation::new(4);
    let (tried, is_served, _) = simulation.connect(|_| Behaviour::Refusing);
    assert_eq!((tried.len(), is_served), (4, false));
    let (_, is_served, _) =
        simulation.connect(|number| if number == 3 { Behaviour::Up } else { Behaviour::Refusing });
    assert!(is_served);
    let (tried, ..) = simulation.connect(|_| Behaviour::Up);
    assert_eq!(tried, [3], "the only one without a mark");
}

#[test]
fn one_connection_checks_an_endpoint_after_its_mark() {
    let mut simulation = Simulation::new(2);
    simulation.connect(|number| if number == 1 { Behaviour::Refusing } else { Behaviour::Up });
    simulation.now += Duration::from_secs(1);
    // None of these attempts ends.
    let first = |simulation: &mut Simulation| {
        let turns = Turns { endpoints: &simulation.endpoints, rotation: &simulation.rotation };
        let mut choice = Choice::new(LIMITS, simulation.now);
        number(choice.next(turns, &mut simulation.marks, simulation.now).unwrap().endpoint)
    };
    let tried: Vec<_> = (0..6).map(|_| first(&mut simulation)).collect();
    assert_eq!(tried.iter().filter(|number| **number == 1).count(), 1, "{tried:?}");
    simulation.now += ATTEMPT;
    let tried: Vec<_> = (0..6).map(|_| first(&mut simulation)).collect();
    assert_eq!(tried.iter().filter(|number| **number == 1).count(), 1, "{tried:?}");
}

#[test]
fn endpoint_that_recovers_gets_its_share_again() {
    let mut simulation = Simulation::new(2);
    simulation.connect(|number| if number == 1 { Behaviour::Refusing } else { Behaviour::Up });
    simulation.now += Duration::from_secs(1);
    let tried: Vec<_> = (0..20).flat_map(|_| simulation.connect(|_| Behaviour::Up).0).collect();
    assert_eq!(tried.iter().filter(|number| **number == 1).count(), 10, "{tried:?}");
}

#[test]
fn first_attempt_is_made_without_a_budget() {
    let mut simulation = Simulation::new(2);
    let limits = Limits { attempt: ATTEMPT, budget: Duration::ZERO };
    let turns = Turns { endpoints: &simulation.endpoints, rotation: &simulation.rotation };
    let mut choice = Choice::new(limits, simulation.now);
    assert!(choice.next(turns, &mut simulation.marks, simulation.now).is_some());
    assert!(choice.next(turns, &mut simulation.marks, simulation.now).is_none());
}

/// Returns a strategy for the behaviour of an endpoint.
fn any_behaviour() -> impl Strategy<Value = Behaviour> {
    prop_oneof![Just(Behaviour::Up), Just(Behaviour::Refusing), Just(Behaviour::Silent)]
}

proptest! {
    /// Endpoints go up and down while connections arrive.
    #[test]
    fn connection_tries_each_candidate_once_within_its_budget(
        steps in vec((vec(any_behaviour(), 6), 0_u64..12_000), 1..60),
        count in 1_u16..=6,
    ) {
        let mut simulation = Simulation::new(count);
        for (behaviours, pause) in steps {
            let behaviour = |number: u16| behaviours[usize::from(number) - 1];
            let unmarked: Vec<u16> = (1..=count)
                .filter(|number| {
                    let endpoint = simulation.endpoints[usize::from(*number) - 1].address;
                    simulation.marks.state(endpoint, simulation.now) == State::Unmarked
                })
                .collect();
            let (mut tried, is_served, delay) = simulation.connect(behaviour);

            prop_assert!(delay <= BUDGET, "{delay:?}");
            prop_assert!(!tried.is_empty());
            if !is_served && delay < BUDGET {
                let untried = unmarked.iter().find(|number| !tried.contains(number));
                prop_assert_eq!(untried, None, "gave up although an endpoint was left");
            }
            if unmarked.iter().any(|number| behaviour(*number) == Behaviour::Up) {
                // At most three silent endpoints fit into the budget.
                prop_assert!(is_served || delay == BUDGET, "not served by {unmarked:?}");
            }
            let attempts = tried.len();
            tried.sort_unstable();
            tried.dedup();
            prop_assert_eq!(tried.len(), attempts, "tried an endpoint twice");
            simulation.now += Duration::from_millis(pause);
        }
    }
}
