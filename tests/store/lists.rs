//! Lists: consistent revisions and pages.

use std::cell::Cell;
use std::num::NonZeroUsize;

use serde_json::json;
use sluicegate::store::{ListPage, ListQuery, ReadError, Revision, StoredObject, Write};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::support::{TestStore, config_map};

fn names(page: &ListPage) -> Vec<&str> {
    page.objects.iter().map(|object| object.key().name()).collect()
}

fn limit(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

impl TestStore {
    async fn change(&self, name: &str, text: &str) {
        let mut object = config_map(name);
        object["data"]["a"] = json!(text);
        self.write(Write::replace(self.config_map_key(name), object)).await;
    }

    fn page(&self, query: &ListQuery) -> Result<ListPage, ReadError> {
        self.store.list(query, |_| true)
    }

    /// Reads a page with the accepted objects. Changes replace the history when the first object is
    /// read.
    fn page_during_changes(
        &self,
        query: &ListQuery,
        accepted: &str,
    ) -> Result<ListPage, ReadError> {
        let change = async {
            for index in 0..6 {
                self.change("d", &format!("x{index}")).await;
            }
        };
        let change = Cell::new(Some(change));
        self.store.list(query, |object| {
            if let Some(change) = change.take() {
                block_in_place(|| Handle::current().block_on(change));
            }
            accepted == object.key().name()
        })
    }
}

#[tokio::test]
async fn list_is_sorted_and_limited_to_namespace() {
    let test = TestStore::new();
    for name in ["b", "a", "c"] {
        test.create_config_map(name).await;
    }
    test.create_gateway("a").await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "aa"}});
    test.created(Write::create(test.resources.catalog.namespaces(), None, namespace)).await;
    let maps = &test.resources.config_maps;
    test.created(Write::create(maps, Some("aa"), config_map("z"))).await;

    let all = ListQuery::new(maps);
    assert_eq!(names(&test.page(&all).unwrap()), ["z", "a", "b", "c"]);
    assert_eq!(test.page(&all).unwrap().revision, test.store.revision());
    let page = test.page(&all.clone().with_namespace("default")).unwrap();
    assert_eq!(names(&page), ["a", "b", "c"]);
    assert_eq!(names(&test.page(&all.clone().with_namespace("aa")).unwrap()), ["z"]);
    assert_eq!(names(&test.page(&all.with_namespace("a")).unwrap()), [""; 0]);
    let (revision, objects) = test.store.snapshot();
    assert_eq!((revision, objects.len()), (test.store.revision(), 7));
}

#[tokio::test]
async fn pages_show_one_revision() {
    let test = TestStore::new();
    for index in 0..10 {
        test.create_config_map(&format!("n{index}")).await;
    }
    let query = ListQuery::new(&test.resources.config_maps).with_limit(limit(4)).with_count();
    let first = test.page(&query).unwrap();
    assert_eq!((names(&first), first.remaining), (vec!["n0", "n1", "n2", "n3"], Some(6)));

    test.write(Write::delete(test.config_map_key("n5"))).await;
    test.change("n6", "changed").await;
    test.change("n6", "again").await;
    test.create_config_map("n35").await;
    test.write(Write::delete(test.config_map_key("n9"))).await;
    test.create_config_map("n99").await;

    let token = first.next.unwrap().to_string().parse().unwrap();
    let second = test.page(&query.clone().with_start(token)).unwrap();
    assert_eq!((names(&second), second.remaining), (vec!["n4", "n5", "n6", "n7"], Some(2)));
    assert_eq!(second.revision, first.revision);
    assert_eq!(second.objects[2].to_value()["data"]["a"], "1");
    let third = test.page(&query.clone().with_start(second.next.unwrap())).unwrap();
    assert_eq!((names(&third), third.remaining), (vec!["n8", "n9"], None));
    assert_eq!(third.next, None);

    let now = ListQuery::new(&test.resources.config_maps);
    assert_eq!(test.page(&now).unwrap().objects.len(), 10);
    let then = test.page(&now.with_revision(first.revision)).unwrap();
    assert!(names(&then).contains(&"n5") && !names(&then).contains(&"n35"));
}

#[tokio::test]
async fn limit_counts_matching_objects() {
    let test = TestStore::new();
    for index in 0..10 {
        test.create_config_map(&format!("n{index}")).await;
    }
    let mut query = ListQuery::new(&test.resources.config_maps).with_limit(limit(2));
    let mut found = Vec::new();
    let mut pages = 0;
    loop {
        let is_odd = |name: &str| name.ends_with(['1', '3', '5', '7', '9']);
        let page = test.store.list(&query, |object| is_odd(object.key().name())).unwrap();
        found.extend(names(&page).into_iter().map(str::to_owned));
        pages += 1;
        let Some(next) = page.next else { break };
        query = query.with_start(next);
    }
    assert_eq!((found.join(" ").as_str(), pages), ("n1 n3 n5 n7 n9", 3));
}

#[tokio::test]
async fn last_page_has_no_token() {
    let test = TestStore::new();
    for name in ["a", "b", "c"] {
        test.create_config_map(name).await;
    }
    let revision = test.store.revision();
    test.create_config_map("d").await;
    let query = ListQuery::new(&test.resources.config_maps).with_limit(limit(2)).with_count();
    let without_a = |object: &StoredObject| object.key().name() != "a";
    let page = test.store.list(&query, without_a).unwrap();
    assert_eq!(
        (names(&page), page.next.is_some(), page.remaining),
        (vec!["b", "c"], true, Some(1))
    );
    let page = test.store.list(&query.with_revision(revision), without_a).unwrap();
    assert_eq!((names(&page), page.next.is_some(), page.remaining), (vec!["b", "c"], false, None));
}

#[tokio::test]
async fn page_ends_after_bytes_of_all_objects() {
    let test = TestStore::new();
    for index in 0..5 {
        test.create_config_map(&format!("n{index}")).await;
    }
    let all = ListQuery::new(&test.resources.config_maps);
    let length = test.page(&all).unwrap().objects[0].json_len();
    let last = |object: &StoredObject| object.key().name() == "n4";
    for (max_bytes, expected) in [
        (0, vec!["", "", "", "", "n4"]),
        (length, vec!["", "", "", "", "n4"]),
        (length + 1, vec!["", "", "n4"]),
        (length * 4, vec!["", "n4"]),
        (length * 5, vec!["n4"]),
    ] {
        let mut query = all.clone().with_max_bytes(max_bytes);
        let mut pages = Vec::new();
        loop {
            let page = test.store.list(&query, last).unwrap();
            pages.push(names(&page).concat());
            let Some(next) = page.next else { break };
            query = query.with_start(next);
        }
        assert_eq!(pages, expected, "{max_bytes}");
    }
}

#[tokio::test]
async fn page_at_an_older_revision_contains_deleted_objects() {
    let test = TestStore::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        test.create_config_map(name).await;
    }
    let then = test.store.revision();
    // The last ones of a part with a limit of 1, of the list then and of the list now.
    for name in ["b", "d", "f"] {
        test.write(Write::delete(test.config_map_key(name))).await;
    }
    test.create_config_map("g").await;
    for expected in ["a b c d e f", "b d f", "c f", "d", "f"] {
        let filter = |object: &StoredObject| expected.contains(object.key().name());
        let mut query = ListQuery::new(&test.resources.config_maps).with_revision(then);
        query = query.with_limit(limit(1));
        let mut found = Vec::new();
        loop {
            let page = test.store.list(&query, filter).unwrap();
            found.extend(names(&page).into_iter().map(str::to_owned));
            let Some(next) = page.next else { break };
            query = query.with_start(next);
        }
        assert_eq!(found.join(" "), expected);
    }
}

/// Returns a store with the objects a to d and a history of 5 changes.
async fn store_with_short_history() -> TestStore {
    let test = TestStore::with(|settings| settings.with_history(5, 1 << 20));
    for name in ["a", "b", "c", "d"] {
        test.create_config_map(name).await;
    }
    test
}

#[tokio::test(flavor = "multi_thread")]
async fn page_is_read_again_if_history_is_replaced_meanwhile() {
    let test = store_with_short_history().await;
    let query = ListQuery::new(&test.resources.config_maps).with_limit(limit(1));
    let page = test.page_during_changes(&query, "d").unwrap();
    assert_eq!((names(&page), page.revision), (vec!["d"], test.store.revision()));
    // The revision that the client asked for is not replaced by another one.
    let query = query.with_revision(test.store.revision());
    assert!(matches!(test.page_during_changes(&query, "d"), Err(ReadError::Gone { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn count_is_missing_if_history_is_replaced_meanwhile() {
    let test = store_with_short_history().await;
    let query = ListQuery::new(&test.resources.config_maps).with_limit(limit(1)).with_count();
    let revision = test.store.revision();
    let page = test.page_during_changes(&query, "a").unwrap();
    assert_eq!((names(&page), page.revision), (vec!["a"], revision));
    assert_eq!((page.next.is_some(), page.remaining), (true, None));
}

#[tokio::test]
async fn token_expires_with_history() {
    let test = TestStore::with(|settings| settings.with_history(5, 1 << 20));
    for name in ["a", "b", "c"] {
        test.create_config_map(name).await;
    }
    let query = ListQuery::new(&test.resources.config_maps).with_limit(limit(1));
    let first = test.page(&query).unwrap();
    let next = query.clone().with_start(first.next.clone().unwrap());
    for index in 0..5 {
        test.change("b", &format!("x{index}")).await;
        assert_eq!(names(&test.page(&next).unwrap()), ["b"]);
    }
    test.change("b", "last").await;
    let error = test.page(&next).unwrap_err();
    assert!(
        matches!(error, ReadError::Gone { requested, .. } if requested == first.revision),
        "{error}"
    );
    let token = first.next.unwrap().at_revision(test.store.revision());
    let page = test.page(&query.with_start(token)).unwrap();
    assert_eq!(page.objects[0].to_value()["data"]["a"], "last");
}

#[tokio::test]
async fn revision_of_the_future_is_too_new() {
    let test = TestStore::new();
    let future = Revision::new(test.store.revision().get() + 1);
    let query = ListQuery::new(&test.resources.config_maps).with_revision(future);
    let error = test.page(&query).unwrap_err();
    assert_eq!(error, ReadError::TooNew { requested: future, newest: test.store.revision() });
}

#[test]
fn token_of_another_server_is_refused() {
    use sluicegate::store::ContinueToken;
    for bad in ["", "abc", "12", "12/a", "x/a/b", "-1/a/b"] {
        assert!(bad.parse::<ContinueToken>().is_err(), "{bad}");
    }
}
