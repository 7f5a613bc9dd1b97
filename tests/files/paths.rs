//! Every symbolic link and directory on the way to a file is followed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use sluicegate::sources::FileSource;

use crate::followed::{Followed, link, root, write};

#[tokio::test]
async fn path_with_parent_step_is_followed() {
    let (_directory, root) = root();
    write(root.join("a/routes/x.yaml"), "one");
    fs::create_dir_all(root.join("a/other")).unwrap();
    let mut followed = Followed::start(root.join("a/other/../routes")).await;
    let mut file = Followed::start(root.join("a/other/../routes/x.yaml")).await;
    followed.expect(&["one"]).await;
    file.expect(&["one"]).await;
    write(root.join("a/routes/x.yaml"), "two");
    followed.expect(&["two"]).await;
    file.expect(&["two"]).await;
    write(root.join("a/routes/y.yaml"), "three");
    followed.expect(&["two", "three"]).await;
}

#[tokio::test]
async fn parent_step_behind_link_is_followed() {
    let (_directory, root) = root();
    write(root.join("real/routes/x.yaml"), "one");
    fs::create_dir_all(root.join("real/deep")).unwrap();
    write(root.join("next/routes/x.yaml"), "two");
    fs::create_dir_all(root.join("next/deep")).unwrap();
    link("real/deep", root.join("here"));
    let mut followed = Followed::start(root.join("here/../routes")).await;
    followed.expect(&["one"]).await;
    link("next/deep", root.join("here"));
    followed.expect(&["two"]).await;
    write(root.join("next/routes/x.yaml"), "three");
    followed.expect(&["three"]).await;
}

#[tokio::test]
async fn link_in_the_middle_of_a_path_is_followed() {
    let (_directory, root) = root();
    write(root.join("releases/1/routes/x.yaml"), "one");
    write(root.join("releases/2/routes/x.yaml"), "two");
    link("releases/1", root.join("current"));
    let mut followed = Followed::start(root.join("current/routes")).await;
    followed.expect(&["one"]).await;
    link("releases/2", root.join("current"));
    followed.expect(&["two"]).await;
    write(root.join("releases/2/routes/x.yaml"), "three");
    followed.expect(&["three"]).await;
    link(root.join("releases/1"), root.join("current"));
    followed.expect(&["one"]).await;
}

#[tokio::test]
async fn link_in_the_middle_of_a_chain_is_followed() {
    let (_directory, root) = root();
    write(root.join("v1/x.yaml"), "one");
    write(root.join("v2/x.yaml"), "two");
    fs::create_dir_all(root.join("links")).unwrap();
    link("../v1", root.join("links/b"));
    link("links/b", root.join("a"));
    let mut followed = Followed::start(root.join("a")).await;
    followed.expect(&["one"]).await;
    link("../v2", root.join("links/b"));
    followed.expect(&["two"]).await;
    write(root.join("v2/x.yaml"), "three");
    followed.expect(&["three"]).await;
}

#[tokio::test]
async fn links_of_single_files_are_followed() {
    let (_directory, root) = root();
    write(root.join("v1/x.yaml"), "one");
    write(root.join("v2/x.yaml"), "two");
    write(root.join("other/y.yaml"), "other");
    fs::create_dir_all(root.join("links")).unwrap();
    fs::create_dir_all(root.join("routes")).unwrap();
    link("../v1/x.yaml", root.join("links/x"));
    link("../links/x", root.join("routes/x.yaml"));
    link(root.join("other/y.yaml"), root.join("routes/y.yaml"));
    let mut followed = Followed::start(root.join("routes")).await;
    followed.expect(&["one", "other"]).await;
    link("../v2/x.yaml", root.join("links/x"));
    followed.expect(&["two", "other"]).await;
    write(root.join("v2/x.yaml"), "three");
    followed.expect(&["three", "other"]).await;
    write(root.join("other/y.yaml"), "another");
    followed.expect(&["three", "another"]).await;
}

#[tokio::test]
async fn link_into_config_map_is_followed() {
    let (_directory, root) = root();
    let volume = root.join("volume");
    write(volume.join("..v1/x.yaml"), "one");
    write(volume.join("..v2/x.yaml"), "two");
    link("..v1", volume.join("..data"));
    link("..data/x.yaml", volume.join("x.yaml"));
    fs::create_dir_all(root.join("etc")).unwrap();
    link(volume.join("x.yaml"), root.join("etc/linked.yaml"));
    let mut as_file = Followed::start(root.join("etc/linked.yaml")).await;
    let mut as_directory = Followed::start(root.join("etc")).await;
    as_file.expect(&["one"]).await;
    link("..v2", volume.join("..data"));
    as_file.expect(&["two"]).await;
    as_directory.expect(&["two"]).await;
    // The kubelet removes the old version after the swap.
    fs::remove_dir_all(volume.join("..v1")).unwrap();
    write(volume.join("..v3/x.yaml"), "three");
    link("..v3", volume.join("..data"));
    as_file.expect(&["three"]).await;
    as_directory.expect(&["three"]).await;
}

#[tokio::test]
async fn removed_parent_is_followed_when_it_returns() {
    let (_directory, root) = root();
    write(root.join("a/b/routes/x.yaml"), "one");
    let mut followed = Followed::start(root.join("a/b/routes")).await;
    fs::remove_dir_all(root.join("a")).unwrap();
    followed.expect_problem("cannot read").await;
    followed.expect(&["one"]).await;
    fs::create_dir(root.join("a")).unwrap();
    followed.settle(Duration::from_millis(50)).await;
    fs::create_dir(root.join("a/b")).unwrap();
    followed.settle(Duration::from_millis(50)).await;
    write(root.join("a/b/routes/x.yaml"), "two");
    followed.expect(&["two"]).await;
    assert_eq!(followed.latest.problems, [""; 0]);
    // The same for a parent that is renamed.
    fs::rename(root.join("a"), root.join("away")).unwrap();
    followed.expect_problem("cannot read").await;
    write(root.join("away/b/routes/x.yaml"), "three");
    fs::rename(root.join("away"), root.join("a")).unwrap();
    followed.expect(&["three"]).await;
}

#[tokio::test]
async fn missing_target_of_link_is_followed_when_it_appears() {
    let (_directory, root) = root();
    write(root.join("routes/x.yaml"), "one");
    link("../not/yet/there.yaml", root.join("routes/y.yaml"));
    let mut followed = Followed::start(root.join("routes")).await;
    followed.expect(&["one"]).await;
    followed.expect_problem("which does not exist").await;
    fs::create_dir(root.join("not")).unwrap();
    followed.settle(Duration::from_millis(50)).await;
    write(root.join("not/yet/there.yaml"), "two");
    followed.expect(&["one", "two"]).await;
    // The link is still a declaration of the object.
    fs::remove_file(root.join("not/yet/there.yaml")).unwrap();
    followed.expect_problem("which does not exist").await;
    followed.expect(&["one", "two"]).await;
    fs::remove_file(root.join("routes/y.yaml")).unwrap();
    followed.expect(&["one"]).await;
}

#[tokio::test]
async fn link_loop_is_reported_and_followed() {
    let (_directory, root) = root();
    write(root.join("v1/x.yaml"), "one");
    write(root.join("v2/x.yaml"), "two");
    link("v1", root.join("a"));
    link("a", root.join("b"));
    let mut followed = Followed::start(root.join("b")).await;
    followed.expect(&["one"]).await;
    link("b", root.join("a"));
    followed.expect_problem("symbolic links").await;
    followed.expect(&["one"]).await;
    link("v2", root.join("a"));
    followed.expect(&["two"]).await;
    link("x.yaml", root.join("v2/x.yaml"));
    followed.expect_problem("symbolic links").await;
    followed.expect(&["two"]).await;
}

#[tokio::test]
async fn relative_path_is_followed() {
    let (directory, root) = root();
    write(root.join("v1/x.yaml"), "one");
    write(root.join("v2/x.yaml"), "two");
    link("v1", root.join("current"));
    let here = std::env::current_dir().unwrap();
    let up: std::path::PathBuf = here.components().skip(1).map(|_| "..").collect();
    let relative = up.join(directory.path().strip_prefix("/").unwrap()).join("current");
    assert!(relative.is_relative() && relative.is_dir(), "{}", relative.display());
    let mut followed = Followed::start(&relative).await;
    followed.expect(&["one"]).await;
    link("v2", root.join("current"));
    followed.expect(&["two"]).await;
    write(root.join("v2/x.yaml"), "three");
    followed.expect(&["three"]).await;
}

/// Random changes of links, directories and files, one soon after the other. The source has to
/// reach the state that a fresh read finds.
#[tokio::test]
async fn random_changes_end_in_the_state_of_a_fresh_read() {
    for seed in 0..12 {
        let (_directory, root) = root();
        let mut random = fastrand::Rng::with_seed(seed);
        let mut count = 0;
        for release in 0..3 {
            for file in ["x.yaml", "y.yaml"] {
                count += 1;
                write(root.join(format!("releases/{release}/routes/{file}")), &format!("n{count}"));
            }
        }
        fs::create_dir(root.join("links")).unwrap();
        link("../releases/0", root.join("links/b"));
        link("links/b", root.join("current"));
        link("../../../current/../1/routes/x.yaml", root.join("releases/0/routes/linked.yaml"));
        let path = root.join("links/../current/routes");
        let mut followed = Followed::start(&path).await;
        for _ in 0..60 {
            count += 1;
            let release = random.u32(0..3);
            change(&root, &mut random, release, count);
            if random.u32(0..4) == 0 {
                tokio::time::sleep(Duration::from_millis(random.u64(0..25))).await;
            }
        }
        // The last valid versions stay in use while a path is missing, so it has to end complete.
        fs::create_dir_all(root.join("releases")).unwrap();
        link("../releases/2", root.join("links/b"));
        link("links/b", root.join("current"));
        for file in ["x.yaml", "y.yaml"] {
            write(root.join(format!("releases/2/routes/{file}")), &format!("last-{}", &file[..1]));
        }
        let fresh = FileSource::new([&path]).read().unwrap();
        let expected: Vec<_> = fresh.resources.namespaces.keys().map(ToString::to_string).collect();
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        followed.expect(&expected).await;
        let settled = followed.settle(Duration::from_millis(300)).await;
        let names: Vec<_> = settled.resources.namespaces.keys().map(ToString::to_string).collect();
        assert_eq!(names, expected, "seed {seed}");
    }
}

fn change(root: &Path, random: &mut fastrand::Rng, release: u32, count: u32) {
    let directory = root.join(format!("releases/{release}"));
    match random.u32(0..8) {
        0 => link(format!("../releases/{release}"), root.join("links/b")),
        1 => link("links/b", root.join("current")),
        2 => link(directory, root.join("current")),
        3 => write(directory.join("routes/x.yaml"), &format!("n{count}")),
        4 => write(directory.join(format!("routes/z{}.yml", count % 4)), &format!("n{count}")),
        5 => _ = fs::remove_file(directory.join(format!("routes/z{}.yml", count % 4))),
        6 => _ = fs::remove_dir_all(directory),
        _ => {
            let away = root.join(format!("releases/away-{count}"));
            if fs::rename(&directory, &away).is_ok() && random.bool() {
                let _ = fs::rename(away, directory);
            }
        }
    }
}
