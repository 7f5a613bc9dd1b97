//! The files source, through a running gateway: what is done to files, and what comes of it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![cfg(feature = "files")]

mod support;

use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::LazyLock;

use sluicegate::model::{ConditionType, NamespacedName, condition, default_namespace};
use sluicegate::sources::FileSource;
use sluicegate::{Handle, Report, Reports, Server, StartError};
use support::{backend, eventually, free_port, name_at, own_address, report_where};
use tempfile::TempDir;

/// A directory of manifests, and the gateway that follows it.
struct Follower {
    directory: TempDir,
    address: IpAddr,
    gateway: Handle,
    reports: Reports,
}

/// The ports of the listeners.
static FIRST: LazyLock<u16> = LazyLock::new(free_port);
static SECOND: LazyLock<u16> = LazyLock::new(free_port);

const CLASS: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: c}
spec: {controllerName: example.com/c}
";

fn gateway(name: &str, ports: &[u16]) -> String {
    let named = |port: &u16| if port == &*FIRST { "first" } else { "second" };
    let listener =
        |port: &u16| format!("  - {{name: {}, protocol: TCP, port: {port}}}\n", named(port));
    format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: {name}}}\nspec:\n  gatewayClassName: c\n  listeners:\n{}",
        ports.iter().map(listener).collect::<String>()
    )
}

fn route(name: &str, listener: &str, service: &str) -> String {
    format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: TCPRoute\nmetadata: {{name: {name}}}\nspec:\n  parentRefs: [{{name: g, sectionName: {listener}}}]\n  rules: [{{backendRefs: [{{name: {service}, port: 1}}]}}]\n"
    )
}

fn service(name: &str, endpoint: SocketAddr) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{ports: [{{port: 1}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
endpoints: [{{addresses: [{}]}}]
ports: [{{port: {}}}]
",
        endpoint.ip(),
        endpoint.port()
    )
}

fn join(documents: &[String]) -> String {
    documents.join("\n---\n")
}

/// One listener, one route, a backend called `one`; each in a file of its own.
async fn follow() -> Follower {
    let directory = TempDir::new().unwrap();
    fs::write(
        directory.path().join("gateway.yaml"),
        join(&[CLASS.to_owned(), gateway("g", &[*FIRST])]),
    )
    .unwrap();
    fs::write(directory.path().join("route.yaml"), route("r", "first", "one")).unwrap();
    fs::write(
        directory.path().join("services.yaml"),
        join(&[service("one", backend("one")), service("two", backend("two"))]),
    )
    .unwrap();
    follow_directory(directory).await
}

async fn follow_directory(directory: TempDir) -> Follower {
    let address = own_address();
    let gateway = Server::builder()
        .source(FileSource::new([directory.path()]))
        .bind(address)
        .start()
        .await
        .unwrap();
    let reports = gateway.reports();
    Follower { directory, address, gateway, reports }
}

impl Follower {
    fn path(&self, file: &str) -> std::path::PathBuf {
        self.directory.path().join(file)
    }

    fn at(&self, port: u16) -> SocketAddr {
        (self.address, port).into()
    }

    fn expect(&self, port: u16, name: Option<&str>) {
        eventually(&format!("{name:?} at port {port}"), || {
            name_at(self.at(port)).as_deref() == name
        });
    }

    async fn report(
        &mut self,
        what: &str,
        condition: impl Fn(&Report) -> bool,
    ) -> std::sync::Arc<Report> {
        report_where(&mut self.reports, what, condition).await
    }
}

/// As editors do it: a new file takes the place of the old one.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

#[tokio::test]
async fn files_are_followed_however_they_are_written() {
    let follower = follow().await;
    follower.expect(*FIRST, Some("one"));
    replace(&follower.path("route.yaml"), &route("r", "first", "two"));
    follower.expect(*FIRST, Some("two"));
    fs::write(follower.path("route.yaml"), route("r", "first", "one")).unwrap();
    follower.expect(*FIRST, Some("one"));
    fs::remove_file(follower.path("route.yaml")).unwrap();
    follower.expect(*FIRST, None);
    fs::write(follower.path("another.yml"), route("s", "first", "two")).unwrap();
    follower.expect(*FIRST, Some("two"));
}

#[tokio::test]
async fn listeners_come_and_go() {
    let follower = follow().await;
    replace(
        &follower.path("gateway.yaml"),
        &join(&[CLASS.to_owned(), gateway("g", &[*FIRST, *SECOND])]),
    );
    fs::write(follower.path("second.yaml"), route("s", "second", "two")).unwrap();
    follower.expect(*SECOND, Some("two"));
    follower.expect(*FIRST, Some("one"));
    replace(&follower.path("gateway.yaml"), &join(&[CLASS.to_owned(), gateway("g", &[*SECOND])]));
    eventually("the first port is closed", || {
        std::net::TcpStream::connect(follower.at(*FIRST)).is_err()
    });
    follower.expect(*SECOND, Some("two"));
}

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
async fn hidden_and_backup_files_are_not_read() {
    let follower = follow().await;
    let nothing = "a: [";
    for name in [".hidden.yaml", "route.yaml~", "route.yaml.bak", "#route.yaml#", "notes.txt"] {
        fs::write(follower.path(name), nothing).unwrap();
    }
    fs::create_dir(follower.path("deeper.yaml")).unwrap();
    fs::write(follower.path("deeper.yaml/route.yaml"), nothing).unwrap();
    replace(&follower.path("route.yaml"), &route("r", "first", "two"));
    follower.expect(*FIRST, Some("two"));
    assert_eq!(follower.gateway.report().problems, [""; 0]);
}

#[tokio::test]
async fn a_config_map_swaps_its_link() {
    let directory = TempDir::new().unwrap();
    let version = |name: &str, service: &str| {
        let version = directory.path().join(name);
        fs::create_dir(&version).unwrap();
        fs::write(version.join("route.yaml"), route("r", "first", service)).unwrap();
    };
    fs::write(
        directory.path().join("gateway.yaml"),
        join(&[
            CLASS.to_owned(),
            gateway("g", &[*FIRST]),
            service("one", backend("one")),
            service("two", backend("two")),
        ]),
    )
    .unwrap();
    version("..v1", "one");
    version("..v2", "two");
    symlink("..v1", directory.path().join("..data")).unwrap();
    symlink("..data/route.yaml", directory.path().join("route.yaml")).unwrap();
    let follower = follow_directory(directory).await;
    follower.expect(*FIRST, Some("one"));
    symlink("..v2", follower.path("..data_tmp")).unwrap();
    fs::rename(follower.path("..data_tmp"), follower.path("..data")).unwrap();
    follower.expect(*FIRST, Some("two"));
}

#[tokio::test]
async fn a_directory_that_vanishes_takes_nothing_with_it() {
    let mut follower = follow().await;
    let (here, away) =
        (follower.directory.path().to_owned(), follower.directory.path().with_extension("away"));
    fs::rename(&here, &away).unwrap();
    let report = follower.report("a problem", |report| !report.problems.is_empty()).await;
    assert!(report.problems[0].contains("cannot be read"), "{:?}", report.problems);
    follower.expect(*FIRST, Some("one"));
    replace(&away.join("route.yaml"), &route("r", "first", "two"));
    fs::rename(&away, &here).unwrap();
    follower.expect(*FIRST, Some("two"));
    follower.report("mended", |report| report.problems.is_empty()).await;
    replace(&follower.path("route.yaml"), &route("r", "first", "one"));
    follower.expect(*FIRST, Some("one"));
}

#[tokio::test]
async fn the_first_route_seen_keeps_the_traffic() {
    let mut follower = follow().await;
    // By name it would come first; by age it does not.
    fs::write(follower.path("a.yaml"), route("a", "first", "two")).unwrap();
    let report = follower.report("two routes", |report| report.status.tcp_routes.len() == 2).await;
    let name = NamespacedName { namespace: default_namespace(), name: "a".parse().unwrap() };
    let accepted =
        condition(&report.status.tcp_routes[&name].parents[0].conditions, &ConditionType::ACCEPTED)
            .unwrap();
    assert!(accepted.message.contains("TCPRoute default/r comes first"), "{}", accepted.message);
    follower.expect(*FIRST, Some("one"));
    fs::remove_file(follower.path("route.yaml")).unwrap();
    follower.expect(*FIRST, Some("two"));
    // What goes and comes back is young again.
    fs::write(follower.path("route.yaml"), route("r", "first", "one")).unwrap();
    follower.report("two routes", |report| report.status.tcp_routes.len() == 2).await;
    follower.expect(*FIRST, Some("two"));
}

#[tokio::test]
async fn a_generation_counts_changes_of_the_spec() {
    let mut follower = follow().await;
    let generation = |report: &Report| {
        report
            .status
            .tcp_routes
            .values()
            .next()
            .and_then(|route| route.parents[0].conditions[0].observed_generation)
    };
    assert_eq!(generation(&follower.gateway.report()), Some(1));
    let labelled =
        |service| route("r", "first", service).replace("{name: r}", "{name: r, labels: {a: b}}");
    replace(&follower.path("route.yaml"), &labelled("one"));
    follower
        .report("a label", |report| {
            report.resources.tcp_routes.values().any(|route| !route.metadata.labels.is_empty())
        })
        .await;
    assert_eq!(generation(&follower.gateway.report()), Some(1));
    replace(&follower.path("route.yaml"), &labelled("two"));
    follower.report("generation 2", |report| generation(report) == Some(2)).await;
}

#[tokio::test]
async fn a_path_that_is_not_there_is_an_error_at_the_start() {
    let error =
        Server::builder().source(FileSource::new(["/no/such/place"])).start().await.unwrap_err();
    assert!(matches!(error, StartError::Source { .. }));
    assert_eq!(
        error.to_string(),
        "source files /no/such/place: cannot read /no/such/place: No such file or directory (os error 2)"
    );
}

#[tokio::test]
async fn a_directory_that_is_replaced_is_followed() {
    let follower = follow().await;
    let here = follower.directory.path().to_owned();
    let (old, new) = (here.with_extension("old"), here.with_extension("new"));
    for (round, service) in ["two", "one"].into_iter().enumerate() {
        let old = old.with_extension(round.to_string());
        fs::create_dir(&new).unwrap();
        for entry in fs::read_dir(&here).unwrap() {
            let file = entry.unwrap();
            fs::copy(file.path(), new.join(file.file_name())).unwrap();
        }
        fs::write(new.join("route.yaml"), route("r", "first", service)).unwrap();
        fs::rename(&here, &old).unwrap();
        fs::rename(&new, &here).unwrap();
        follower.expect(*FIRST, Some(service));
        // What comes after the replacement is followed, too.
        let other = if service == "one" { "two" } else { "one" };
        replace(&follower.path("route.yaml"), &route("r", "first", other));
        follower.expect(*FIRST, Some(other));
        fs::remove_dir_all(old).unwrap();
    }
}

#[tokio::test]
async fn links_are_followed_to_where_they_lead() {
    let elsewhere = TempDir::new().unwrap();
    let real = elsewhere.path().join("real.yaml");
    fs::write(&real, route("r", "first", "one")).unwrap();
    let follower = follow().await;
    fs::remove_file(follower.path("route.yaml")).unwrap();
    symlink(&real, follower.path("linked.yaml")).unwrap();
    follower.expect(*FIRST, Some("one"));
    replace(&real, &route("r", "first", "two"));
    follower.expect(*FIRST, Some("two"));
}

#[tokio::test]
async fn a_link_to_a_directory_may_change() {
    let directory = TempDir::new().unwrap();
    let common = join(&[
        CLASS.to_owned(),
        gateway("g", &[*FIRST]),
        service("one", backend("one")),
        service("two", backend("two")),
    ]);
    for service in ["one", "two"] {
        let version = directory.path().join(service);
        fs::create_dir(&version).unwrap();
        fs::write(version.join("all.yaml"), join(&[common.clone(), route("r", "first", service)]))
            .unwrap();
    }
    let current = directory.path().join("current");
    symlink("one", &current).unwrap();
    let address = own_address();
    let _gateway =
        Server::builder().source(FileSource::new([&current])).bind(address).start().await.unwrap();
    let at = (address, *FIRST).into();
    eventually("one answers", || name_at(at).as_deref() == Some("one"));
    symlink("two", directory.path().join("next")).unwrap();
    fs::rename(directory.path().join("next"), &current).unwrap();
    eventually("two answers", || name_at(at).as_deref() == Some("two"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
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

#[tokio::test]
async fn an_empty_directory_is_a_beginning() {
    let follower = follow_directory(TempDir::new().unwrap()).await;
    assert!(follower.gateway.report().resources.is_empty());
    let one = service("one", backend("one"));
    let all = [CLASS.to_owned(), gateway("g", &[*FIRST]), route("r", "first", "one"), one];
    fs::write(follower.path("all.yaml"), join(&all)).unwrap();
    follower.expect(*FIRST, Some("one"));
}
