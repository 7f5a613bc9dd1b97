//! Errors are reported, and the last valid version of each object stays in use.

use std::error::Error;
use std::fs;
#[cfg(target_os = "linux")]
use std::io::Write as _;
use std::iter::successors;

use sluicegate::sources::FileSource;
use sluicegate::{Server, StartError};

use crate::harness::{CLASS, FIRST, SECOND, follow, gateway, join, replace, route, service};
use crate::support::backend;

#[tokio::test]
async fn invalid_object_keeps_its_last_version_and_is_reported() {
    let mut follower = follow().await;
    let good = route("r", "first", "one");
    for (broken, position, message) in [
        (
            good.replace("port: 1", "port: 70000"),
            "route.yaml:6:44: TCPRoute default/r: spec.rules[0].backendRefs[0].port: ",
            "expected a port from 1 to 65535",
        ),
        (
            good.replace("sectionName", "sectionNme"),
            "route.yaml:5:26: TCPRoute default/r: spec.parentRefs[0].sectionNme: ",
            "is not a field of TCPRoute; did you mean sectionName?",
        ),
        (
            good.replace("]}]", ""),
            "route.yaml:",
            "TCPRoute default/r: cannot be parsed as YAML or JSON",
        ),
        ("\u{0}".to_owned(), "route.yaml:", "contains a NUL byte"),
    ] {
        replace(&follower.path("route.yaml"), &broken);
        let report = follower
            .report(message, |report| {
                report
                    .problems
                    .iter()
                    .any(|problem| problem.contains(position) && problem.contains(message))
            })
            .await;
        assert!(
            report
                .problems
                .iter()
                .any(|problem| problem.contains("the last valid version stays in use")),
            "{:?}",
            report.problems
        );
        follower.expect(*FIRST, Some("one"));
        replace(&follower.path("route.yaml"), &good);
        follower.report("no problems", |report| report.problems.is_empty()).await;
    }
}

#[tokio::test]
async fn object_that_loses_its_header_keeps_its_last_version() {
    let mut follower = follow().await;
    let good = route("r", "first", "one");
    let line = |name: &str| good.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let (kind, api_version) = (line("kind: "), line("apiVersion: "));
    for broken in [
        good.replace(&kind, ""),
        good.replace(&kind, "type: TCPRoute"),
        good.replace(&kind, "").replace(&api_version, ""),
        good.replace(&api_version, ""),
        good.replace(&api_version, "apiVersion: gateway.networking/v1"),
        good.replace(&kind, "kind: Route").replace(&api_version, "apiVersion: v1"),
    ] {
        replace(&follower.path("route.yaml"), &broken);
        follower
            .report("a kept object", |report| {
                report.problems.iter().any(|problem| problem.contains("stays in use"))
            })
            .await;
        follower.expect(*FIRST, Some("one"));
        replace(&follower.path("route.yaml"), &good);
        follower.report("no problems", |report| report.problems.is_empty()).await;
    }
}

#[tokio::test]
async fn invalid_document_does_not_affect_others() {
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
async fn duplicate_declaration_is_reported_and_ignored() {
    let mut follower = follow().await;
    fs::write(follower.path("twice.yaml"), route("r", "first", "two")).unwrap();
    let report = follower.report("a problem", |report| !report.problems.is_empty()).await;
    assert!(
        report.problems[0].contains("twice.yaml:1: TCPRoute default/r: is already declared in")
            && report.problems[0].contains("route.yaml:1"),
        "{:?}",
        report.problems
    );
    follower.expect(*FIRST, Some("one"));
}

#[tokio::test]
async fn removed_directory_keeps_its_objects() {
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
    follower.report("no problems", |report| report.problems.is_empty()).await;
    replace(&follower.path("route.yaml"), &route("r", "first", "one"));
    follower.expect(*FIRST, Some("one"));
}

#[tokio::test]
async fn missing_path_fails_the_start() {
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
async fn file_being_written_keeps_its_old_objects() {
    let mut follower = follow().await;
    // The file is now empty and open for writing.
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
async fn object_moved_to_an_invalid_file_is_kept() {
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
            report.problems.iter().any(|problem| problem.contains("stays in use"))
                && report.problems.len() == 2
        })
        .await;
    follower.expect(*FIRST, Some("one"));
    // A change of another file does not remove it.
    fs::write(follower.path("x.yaml"), service("three", backend("three"))).unwrap();
    follower.report("three", |report| report.resources.services.len() == 3).await;
    follower.expect(*FIRST, Some("one"));
    replace(&follower.path("moved.yaml"), "");
    follower.expect(*FIRST, None);
}

#[tokio::test]
async fn duplicate_in_an_earlier_file_does_not_replace_the_object() {
    let mut follower = follow().await;
    fs::write(follower.path("a-copy.yaml"), route("r", "first", "two")).unwrap();
    follower
        .report("a problem", |report| {
            report.problems.iter().any(|problem| {
                problem.contains("a-copy.yaml:1: TCPRoute default/r: is already declared in")
            })
        })
        .await;
    follower.expect(*FIRST, Some("one"));
    // Not even when the original becomes invalid.
    replace(
        &follower.path("route.yaml"),
        &route("r", "first", "one").replace("port: 1", "port: x"),
    );
    follower
        .report("a broken original", |report| {
            report.problems.iter().any(|problem| problem.contains("stays in use"))
        })
        .await;
    follower.expect(*FIRST, Some("one"));
    fs::remove_file(follower.path("route.yaml")).unwrap();
    follower.expect(*FIRST, Some("two"));
}
