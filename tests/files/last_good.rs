//! What goes wrong takes nothing with it, and is told.

use std::error::Error;
use std::fs;
#[cfg(target_os = "linux")]
use std::io::Write as _;
use std::iter::successors;

use sluicegate::sources::FileSource;
use sluicegate::{Server, StartError};

use crate::follower::{CLASS, FIRST, SECOND, follow, gateway, join, replace, route, service};
use crate::support::backend;

#[tokio::test]
async fn what_breaks_stays_as_it_was_and_is_reported() {
    let mut follower = follow().await;
    let good = route("r", "first", "one");
    for (broken, place, message) in [
        (
            good.replace("port: 1", "port: 70000"),
            "route.yaml:6:44: TCPRoute default/r: spec.rules[0].backendRefs[0].port: ",
            "expected a port from 1 to 65535",
        ),
        (
            good.replace("sectionName", "sectionNme"),
            "route.yaml:5:38: TCPRoute default/r: spec.parentRefs[0].sectionNme: ",
            "is not a known field",
        ),
        (good.replace("]}]", ""), "route.yaml:", "did not find expected"),
        ("\u{0}".to_owned(), "route.yaml:", "control characters are not allowed"),
    ] {
        replace(&follower.path("route.yaml"), &broken);
        let report = follower
            .report(message, |report| {
                report
                    .problems
                    .iter()
                    .any(|problem| problem.contains(place) && problem.contains(message))
            })
            .await;
        assert!(
            report
                .problems
                .iter()
                .any(|problem| problem.contains("the last good version stays in force")),
            "{:?}",
            report.problems
        );
        follower.expect(*FIRST, Some("one"));
        replace(&follower.path("route.yaml"), &good);
        follower.report("mended", |report| report.problems.is_empty()).await;
    }
}

#[tokio::test]
async fn a_bad_document_does_not_hold_up_the_others() {
    let mut follower = follow().await;
    let text =
        join(&[route("r", "first", "two"), "nonsense: [".to_owned(), route("x", "first", "one")]);
    replace(&follower.path("route.yaml"), &text);
    follower.expect(*FIRST, Some("two"));
    let report = follower.report("a problem", |report| !report.problems.is_empty()).await;
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert_eq!(report.status.tcp_routes.len(), 2);
}

#[tokio::test]
async fn an_object_declared_twice_counts_once() {
    let mut follower = follow().await;
    fs::write(follower.path("twice.yaml"), route("r", "first", "two")).unwrap();
    let report = follower.report("a problem", |report| !report.problems.is_empty()).await;
    assert!(
        report.problems[0].contains("twice.yaml:1: TCPRoute default/r: is declared already in")
            && report.problems[0].contains("route.yaml:1"),
        "{:?}",
        report.problems
    );
    follower.expect(*FIRST, Some("one"));
}

#[tokio::test]
async fn a_directory_that_vanishes_takes_nothing_with_it() {
    let mut follower = follow().await;
    let (here, away) =
        (follower.directory.path().to_owned(), follower.directory.path().with_extension("away"));
    fs::rename(&here, &away).unwrap();
    let report = follower.report("a problem", |report| !report.problems.is_empty()).await;
    assert!(report.problems[0].contains("cannot read"), "{:?}", report.problems);
    follower.expect(*FIRST, Some("one"));
    replace(&away.join("route.yaml"), &route("r", "first", "two"));
    fs::rename(&away, &here).unwrap();
    follower.expect(*FIRST, Some("two"));
    follower.report("mended", |report| report.problems.is_empty()).await;
    replace(&follower.path("route.yaml"), &route("r", "first", "one"));
    follower.expect(*FIRST, Some("one"));
}

#[tokio::test]
async fn a_path_that_is_not_there_is_an_error_at_the_start() {
    let error =
        Server::builder().source(FileSource::new(["/no/such/place"])).start().await.unwrap_err();
    assert!(matches!(error, StartError::Source { .. }));
    let sources = successors(Some(&error as &(dyn Error + 'static)), |&error| error.source());
    let text = sources.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    let file_error = "cannot read /no/such/place: No such file or directory (os error 2)";
    assert!(
        text.starts_with("source files /no/such/place") && text.ends_with(file_error),
        "{text}"
    );
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_file_that_is_being_written_counts_as_it_was() {
    let mut follower = follow().await;
    // Opening it for writing has emptied it.
    let mut half_written = fs::File::create(follower.path("gateway.yaml")).unwrap();
    replace(&follower.path("route.yaml"), &route("r", "first", "two"));
    follower.expect(*FIRST, Some("two"));
    assert_eq!(follower.gateway.report().resources.gateways.len(), 1);
    half_written
        .write_all(join(&[CLASS.to_owned(), gateway("g", &[*FIRST, *SECOND])]).as_bytes())
        .unwrap();
    drop(half_written);
    follower.report("two listeners", |report| report.listeners.len() == 2).await;
}

#[tokio::test]
async fn what_moves_to_a_broken_file_stays() {
    let mut follower = follow().await;
    fs::write(
        follower.path("moved.yaml"),
        format!("{}---\nbroken: [\n", route("r", "first", "one")),
    )
    .unwrap();
    fs::remove_file(follower.path("route.yaml")).unwrap();
    replace(&follower.path("moved.yaml"), "broken: [");
    follower
        .report("the problem alone", |report| {
            report.problems.iter().any(|problem| problem.contains("stays in force"))
                && report.problems.len() == 2
        })
        .await;
    follower.expect(*FIRST, Some("one"));
    // Elsewhere something changes; it still stays.
    fs::write(follower.path("x.yaml"), service("three", backend("three"))).unwrap();
    follower.report("three", |report| report.resources.services.len() == 3).await;
    follower.expect(*FIRST, Some("one"));
    replace(&follower.path("moved.yaml"), "");
    follower.expect(*FIRST, None);
}

#[tokio::test]
async fn a_copy_does_not_take_over() {
    let mut follower = follow().await;
    fs::write(follower.path("a-copy.yaml"), route("r", "first", "two")).unwrap();
    follower
        .report("a problem", |report| {
            report.problems.iter().any(|problem| {
                problem.contains("a-copy.yaml:1: TCPRoute default/r: is declared already")
            })
        })
        .await;
    follower.expect(*FIRST, Some("one"));
    // Not even where the original breaks.
    replace(
        &follower.path("route.yaml"),
        &route("r", "first", "one").replace("port: 1", "port: x"),
    );
    follower
        .report("a broken original", |report| {
            report.problems.iter().any(|problem| problem.contains("stays in force"))
        })
        .await;
    follower.expect(*FIRST, Some("one"));
    fs::remove_file(follower.path("route.yaml")).unwrap();
    follower.expect(*FIRST, Some("two"));
}
