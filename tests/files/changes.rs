//! Changes of files and directories are followed, whatever makes them.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use sluicegate::model::{Caveat, ConditionType, NamespacedName, default_namespace, find_condition};
use sluicegate::sources::FileSource;
use sluicegate::{Report, Server};
use tempfile::TempDir;

use crate::followed::Followed;
use crate::harness::{
    CLASS, FIRST, SECOND, follow, follow_directory, gateway, join, replace, route, service,
};
use crate::support::{backend, eventually, name_at, own_address};

#[tokio::test]
async fn file_changes_are_followed_after_rename_write_and_removal() {
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
async fn listener_is_added_and_removed() {
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
async fn poll_interval_may_be_longer_than_the_clock() {
    for interval in [Duration::MAX, Duration::from_secs(1 << 62), Duration::from_secs(1 << 40)] {
        let files = TempDir::new().unwrap();
        let source = FileSource::new([files.path()]).poll_interval(interval);
        let mut followed = Followed::run(source).await;
        let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
        fs::write(files.path().join("a.yaml"), namespace).unwrap();
        followed.expect(&["a"]).await;
    }
}

#[tokio::test]
async fn hidden_and_backup_files_are_ignored() {
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
async fn config_map_link_swap_is_followed() {
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
async fn route_precedence_follows_age_not_name() {
    let mut follower = follow().await;
    // It is first by name, but younger.
    fs::write(follower.path("a.yaml"), route("a", "first", "two")).unwrap();
    let report = follower.report("two routes", |report| report.status.tcp_routes.len() == 2).await;
    let name = NamespacedName { namespace: default_namespace(), name: "a".parse().unwrap() };
    let accepted = find_condition(
        &report.status.tcp_routes[&name].parents[0].conditions,
        &ConditionType::ACCEPTED,
    )
    .unwrap();
    assert_eq!(accepted.caveat, Some(Caveat::Shadowed), "{}", accepted.message);
    follower.expect(*FIRST, Some("one"));
    fs::remove_file(follower.path("route.yaml")).unwrap();
    follower.expect(*FIRST, Some("two"));
    // A file that is removed and written again declares a new object.
    fs::write(follower.path("route.yaml"), route("r", "first", "one")).unwrap();
    follower.report("two routes", |report| report.status.tcp_routes.len() == 2).await;
    follower.expect(*FIRST, Some("two"));
}

#[tokio::test]
async fn generation_counts_changes_of_the_spec() {
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
async fn replaced_directory_is_followed() {
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
        // Changes after the replacement are followed, too.
        let other = if service == "one" { "two" } else { "one" };
        replace(&follower.path("route.yaml"), &route("r", "first", other));
        follower.expect(*FIRST, Some(other));
        fs::remove_dir_all(old).unwrap();
    }
}

#[tokio::test]
async fn symbolic_link_target_is_followed() {
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
async fn directory_link_swap_is_followed() {
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

#[tokio::test]
async fn empty_directory_is_followed() {
    let follower = follow_directory(TempDir::new().unwrap()).await;
    assert!(follower.gateway.report().resources.is_empty());
    let one = service("one", backend("one"));
    let all = [CLASS.to_owned(), gateway("g", &[*FIRST]), route("r", "first", "one"), one];
    fs::write(follower.path("all.yaml"), join(&all)).unwrap();
    follower.expect(*FIRST, Some("one"));
}
