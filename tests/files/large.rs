//! A file that takes long to read does not delay the changes of others.

use std::fs;
use std::time::Duration;

use crate::followed::{Followed, link, namespace, root, write};
use crate::harness::replace;

/// A debug build on a busy machine needs a minute for the large files.
const READ_TIMEOUT: Duration = Duration::from_secs(300);

/// Returns documents of which each is invalid, in several ways.
fn faulty_documents(count: usize) -> String {
    let faults = [
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: 3}\n",
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: 7}\n",
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 70000}]}\n",
        "---\napiVersion: v1\nkind: Namespace\nmetadata: [name: a\n",
    ];
    (0..count).map(|index| faults[index % faults.len()]).collect()
}

fn version(value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: good, labels: {{version: {value}}}}}\n"
    )
}

#[tokio::test]
async fn good_file_is_served_while_faulty_documents_are_read() {
    let (_directory, root) = root();
    let good = root.join("good.yaml");
    fs::write(&good, version("v1")).unwrap();
    let mut followed = Followed::start(&root).await;
    followed.timeout = READ_TIMEOUT;
    followed.expect_version("v1").await;
    replace(&root.join("faulty.yaml"), &faulty_documents(100_000));
    // The file may have been read before these changes on a fast machine.
    for value in ["v2", "v3", "v4"] {
        replace(&good, &version(value));
        followed.expect_version(value).await;
    }
    // The number of problems is limited.
    followed.expect_problem("more errors in ").await;
    let problems = &followed.latest.problems;
    assert!(problems.len() < 150, "{}", problems.len());
    let has_rest = |problem: &String| problem.starts_with("and 99900 more errors in ");
    assert!(problems.iter().any(has_rest), "{:?}", problems.last());
    followed.expect_version("v4").await;
}

/// Listeners open with the first snapshot, so it has to contain the objects of all files.
#[tokio::test(start_paused = true)]
async fn first_snapshot_contains_every_file() {
    let (_directory, root) = root();
    write(root.join("a.yaml"), "small");
    let many: String = (0..10_000).map(|index| namespace(&format!("n{index}"))).collect();
    fs::write(root.join("large.yaml"), many).unwrap();
    let followed = tokio::spawn(Followed::start(root));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(followed.await.unwrap().names().len(), 10_001);
}

/// An object that moves into a large file exists the whole time.
#[tokio::test]
async fn object_moved_to_a_large_file_is_kept_while_it_is_read() {
    let (_directory, root) = root();
    fs::create_dir_all(root.join("v1")).unwrap();
    fs::create_dir_all(root.join("v2")).unwrap();
    write(root.join("v1/small.yaml"), "moved");
    let many: String = (0..20_000).map(|index| namespace(&format!("n{index}"))).collect();
    fs::write(root.join("v2/large.yaml"), [many, namespace("moved")].concat()).unwrap();
    write(root.join("v2/small.yaml"), "other");
    link("v1", root.join("current"));
    let mut followed = Followed::start(root.join("current")).await;
    followed.expect(&["moved"]).await;
    link("v2", root.join("current"));
    while followed.names().len() < 20_002 {
        assert!(followed.names().contains("moved"), "{:?}", followed.latest.problems);
        followed.next().await;
    }
    assert!(followed.names().contains("moved") && followed.names().contains("other"));
}
