//! Signals: graceful and immediate stops, and signals without effect.

use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use crate::process::{Program, connection, echoes};

#[test]
fn sigquit_and_sigint_stop_gracefully() {
    for signal in [Signal::QUIT, Signal::INT] {
        let mut program = Program::start(&[], &[]);
        program.until("ready");
        let mut live = connection(program.listener);
        program.signal(signal);
        program.until("no new connections");
        assert!(echoes(&mut live), "{signal:?}");
        drop(live);
        assert_eq!(program.wait_for_exit(), Some(0), "{signal:?}");
        program.until("stopped");
    }
}

#[test]
fn stop_signals_within_a_second_count_as_one() {
    let mut program = Program::start(&[], &[]);
    program.until("ready");
    let mut live = connection(program.listener);
    for signal in [Signal::TERM, Signal::TERM, Signal::QUIT, Signal::INT] {
        program.signal(signal);
    }
    program.until_all(&[
        "no new connections",
        "ignored: the last stop signal was less than 1 s ago, and both count as one",
    ]);
    assert!(echoes(&mut live));
    drop(live);
    assert_eq!(program.wait_for_exit(), Some(0));
    assert_eq!(program.until("stopped")["message"], "stopped");
}

#[test]
fn sigquit_after_a_second_stops_immediately() {
    let mut program = Program::start(&[], &[]);
    program.until("ready");
    let mut live = connection(program.listener);
    program.signal(Signal::TERM);
    program.until("no new connections");
    sleep(Duration::from_millis(1_100));
    assert!(echoes(&mut live));
    program.signal(Signal::QUIT);
    assert_eq!(program.wait_for_exit(), Some(0));
    assert!(!echoes(&mut live));
    program.until("stopped immediately");
}

#[test]
fn signals_without_effect_are_logged() {
    let mut program = Program::start(&[], &[]);
    for (signal, name) in [(Signal::USR1, "SIGUSR1"), (Signal::USR2, "SIGUSR2")] {
        program.signal(signal);
        let line =
            program.until(&format!("{name} has no effect; SIGTERM, SIGINT and SIGQUIT stop"));
        assert_eq!(line["level"], "INFO");
    }
    let mut live = connection(program.listener);
    assert!(echoes(&mut live) && program.is_ready());

    program.signal(Signal::TERM);
    program.until("no new connections");
    for signal in [Signal::HUP, Signal::USR1] {
        program.signal(signal);
    }
    program.until("SIGHUP ignored: the gateway is shutting down");
    assert!(echoes(&mut live));
    drop(live);
    assert_eq!(program.wait_for_exit(), Some(0));
}
