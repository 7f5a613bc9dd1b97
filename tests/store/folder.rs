//! The data folder: restarts, copies, lock, formats and permissions.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;
use sluicegate::store::{
    Catalog, Durability, OpenError, ReadError, ResourceRules, Store, WatchScope, Write,
};

use crate::support::{Resources, Time, config_map, finalized, gateway, names, owned, until};

fn open(folder: &Path) -> Result<(Store, Resources), OpenError> {
    let resources = Resources::new();
    let store = Store::open(folder, resources.catalog.clone(), Time::new().settings())?;
    Ok((store, resources))
}

#[tokio::test]
async fn objects_are_the_same_after_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (store, resources) = open(folder.path()).unwrap();
    let create = Write::create(&resources.gateways, Some("default"), gateway("edge"));
    let created = store.write(create).await.unwrap().object;
    let mut object = created.to_value();
    object["status"] = json!({"a": "ö\u{0}\""});
    let status = Write::replace_status(created.key().clone(), object);
    store.write_all(vec![status], Durability::Ephemeral).await.remove(0).unwrap();
    let create = Write::create(&resources.config_maps, Some("default"), config_map("gone"));
    let gone = store.write(create).await.unwrap().object;
    store.write(Write::delete(gone.key().clone())).await.unwrap();
    let (revision, before) = store.snapshot();
    drop(store);

    let (store, _) = open(folder.path()).unwrap();
    let (_, after) = store.snapshot();
    let without_revision = |object: &sluicegate::store::StoredObject| {
        let mut value = object.to_value();
        value["metadata"]["resourceVersion"].take();
        value
    };
    let values = |objects: &[std::sync::Arc<_>]| {
        objects.iter().map(|object| without_revision(object)).collect::<Vec<_>>()
    };
    assert_eq!(values(&before), values(&after));
    assert!(after.iter().all(|object| object.revision() > revision));
    let gone = store.watch(WatchScope::all(), revision).unwrap_err();
    assert!(matches!(gone, ReadError::Gone { .. }), "{gone}");
}

/// A client that knows the later states must not see an old revision again.
#[tokio::test]
async fn restored_copy_has_greater_revisions_than_the_original() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let copy = folder.path().join("copy");
    let (resources, time) = (Resources::new(), Time::new());
    let open = |path: &Path| Store::open(path, resources.catalog.clone(), time.settings()).unwrap();
    let create =
        |name: &str| Write::create(&resources.config_maps, Some("default"), config_map(name));

    let store = open(&data);
    let old = store.write(create("a")).await.unwrap().object;
    drop(store);
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(&data).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    time.advance(10);
    let store = open(&data);
    for index in 0..50 {
        store.write(create(&format!("n{index}"))).await.unwrap();
    }
    let newest = store.revision();
    drop(store);

    time.advance(10);
    let restored = open(&copy);
    let object = restored.get(old.key()).unwrap();
    assert!(object.revision() > newest, "{} {newest}", object.revision());
    assert!(restored.revision() > newest);
    assert_eq!(names(&restored, &resources.config_maps), ["a"]);
}

#[tokio::test]
async fn deletions_continue_after_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (store, resources) = open(folder.path()).unwrap();
    let maps = &resources.config_maps;
    let create = |object| Write::create(maps, Some("default"), object);
    let owner = store.write(create(config_map("owner"))).await.unwrap().object;
    let child = owned(finalized(config_map("child")), &owner, true);
    let child = store.write(create(child)).await.unwrap().object;
    store.write(Write::delete(owner.key().clone())).await.unwrap();
    drop(store);

    let (store, _) = open(folder.path()).unwrap();
    until(&store, "the child is being deleted", |store| {
        store.get(child.key()).unwrap().is_being_deleted()
    })
    .await;
    store.write(Write::replace(child.key().clone(), config_map("child"))).await.unwrap();
    assert!(store.get(child.key()).is_none());
}

#[tokio::test]
async fn objects_of_other_resources_stay_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (store, resources) = open(folder.path()).unwrap();
    let create = Write::create(&resources.gateways, Some("default"), gateway("edge"));
    store.write(create).await.unwrap();
    drop(store);

    let mut catalog = Catalog::new();
    catalog.add(ResourceRules::namespaced("", "configmaps", "ConfigMap"));
    let store = Store::open(folder.path(), catalog, Time::new().settings()).unwrap();
    assert_eq!(store.snapshot().1.len(), 1);
    let create = Write::create(&resources.config_maps, Some("default"), config_map("a"));
    store.write(create).await.unwrap();
    drop(store);

    let (store, resources) = open(folder.path()).unwrap();
    assert_eq!(names(&store, &resources.gateways), ["edge"]);
    assert_eq!(names(&store, &resources.config_maps), ["a"]);
}

#[test]
fn folder_is_locked_until_the_store_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).unwrap();
    let error = open(folder.path()).unwrap_err();
    let pid = std::process::id();
    let path = folder.path().display();
    assert_eq!(
        error.to_string(),
        format!(
            "data folder {path} is in use by process {pid}; one process can use it at a time. Stop \
             that process or choose another folder"
        )
    );
    drop(store);
    open(folder.path()).unwrap();
}

#[test]
fn folder_and_files_are_private() {
    let parent = tempfile::tempdir().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let new = parent.path().join("a/new");
    let existing = parent.path().join("existing");
    fs::create_dir(&existing).unwrap();
    fs::set_permissions(&existing, fs::Permissions::from_mode(0o755)).unwrap();
    let shared = parent.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::write(shared.join("notes.txt"), "x").unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();

    for (folder, expected) in [(&new, 0o700), (&existing, 0o700), (&shared, 0o755)] {
        open(folder).unwrap();
        assert_eq!(mode(folder), expected, "{}", folder.display());
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() != "notes.txt" {
                assert_eq!(mode(&entry.path()), 0o600, "{}", entry.path().display());
                names.push(entry.file_name());
            }
        }
        names.sort();
        assert_eq!(names, ["lock", "objects.v1.redb"]);
    }
}

#[test]
fn unknown_format_is_refused_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap();
    let file = folder.path().join("objects.v1.redb");
    let good = fs::read(&file).unwrap();
    let refused = |contents: &[u8]| {
        fs::write(&file, contents).unwrap();
        let error = open(folder.path()).unwrap_err();
        assert!(fs::read(&file).unwrap() == contents, "the file was changed: {error}");
        error
    };
    let error = refused(b"not a database");
    assert!(matches!(error, OpenError::UnknownFormat { .. }), "{error:?}");
    let error = refused(&[0; 100_000]);
    assert!(matches!(error, OpenError::UnknownFormat { .. }), "{error:?}");

    fs::write(&file, &good).unwrap();
    let next = folder.path().join("objects.v2.redb");
    fs::write(&next, "of a later version").unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(&error, OpenError::UnknownFormat { path } if *path == next), "{error:?}");
    assert_eq!(fs::read(&file).unwrap(), good);
    fs::remove_file(&next).unwrap();
    open(folder.path()).unwrap();
}

#[test]
fn file_that_was_not_completed_is_created_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("objects.new"), "half").unwrap();
    open(folder.path()).unwrap();
    assert!(!folder.path().join("objects.new").exists());
}

#[test]
fn damaged_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (store, resources) = open(folder.path()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for index in 0..100 {
            let object = config_map(&format!("n{index}"));
            let create = Write::create(&resources.config_maps, Some("default"), object);
            store.write(create).await.unwrap();
        }
    });
    drop(store);
    let file = folder.path().join("objects.v1.redb");
    let mut bytes = fs::read(&file).unwrap();
    let text = b"\"kind\":\"ConfigMap\"";
    for start in 0..bytes.len() - text.len() {
        if bytes[start..].starts_with(text) {
            bytes[start] = b'x';
        }
    }
    fs::write(&file, bytes).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}
