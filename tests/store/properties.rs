//! Any writes: the store behaves like a simple model of Kubernetes' rules.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use sluicegate::store::{
    Change, ChangeKind, Key, ListQuery, Preconditions, Revision, WatchScope, Write, WriteEffect,
    WriteError,
};

use crate::support::{TestStore, gateway};

/// A write of the model. Names are chosen by an index.
#[derive(Debug, Clone)]
enum Action {
    Create {
        name: u8,
        has_finalizer: bool,
    },
    Replace {
        name: u8,
        spec: u8,
        label: u8,
        is_stale: bool,
        has_finalizer: bool,
    },
    Status {
        name: u8,
        status: u8,
        is_stale: bool,
    },
    Delete {
        name: u8,
        is_stale: bool,
    },
    DryRun(Box<Self>),
    /// Starts a list in pages of two.
    List,
}

/// Object of the model.
#[derive(Debug, Clone, PartialEq)]
struct Object {
    revision: Revision,
    uid: String,
    generation: i64,
    spec: Value,
    label: u8,
    status: Option<u8>,
    has_finalizer: bool,
    is_being_deleted: bool,
}

type Model = BTreeMap<u8, Object>;

fn action() -> impl Strategy<Value = Action> {
    let name = 0..4_u8;
    let write = prop_oneof![
        3 => (name.clone(), any::<bool>())
            .prop_map(|(name, has_finalizer)| Action::Create { name, has_finalizer }),
        4 => (name.clone(), 0..3_u8, 0..2_u8, prop::bool::weighted(0.2), any::<bool>()).prop_map(
            |(name, spec, label, is_stale, has_finalizer)| {
                Action::Replace { name, spec, label, is_stale, has_finalizer }
            }
        ),
        2 => (name.clone(), 0..3_u8, prop::bool::weighted(0.2))
            .prop_map(|(name, status, is_stale)| Action::Status { name, status, is_stale }),
        3 => (name, prop::bool::weighted(0.2))
            .prop_map(|(name, is_stale)| Action::Delete { name, is_stale }),
    ];
    let dry_run = write.clone().prop_map(|write| Action::DryRun(Box::new(write)));
    prop_oneof![8 => write, 1 => dry_run, 1 => Just(Action::List)]
}

fn spec(number: u8) -> Value {
    json!({"gatewayClassName": format!("class{number}"), "listeners": []})
}

fn object(name: u8, spec_of: u8, label: u8, has_finalizer: bool) -> Value {
    let mut object = gateway(&format!("n{name}"));
    object["spec"] = spec(spec_of);
    object["metadata"]["labels"] = json!({"label": label.to_string()});
    if has_finalizer {
        object["metadata"]["finalizers"] = json!(["example.com/wait"]);
    }
    object
}

/// Outcome as far as the model determines it.
#[derive(Debug, PartialEq)]
enum Outcome {
    Done(WriteEffect),
    NotFound,
    AlreadyExists,
    Conflict,
    Invalid,
}

/// Applies an action to the model. The revision and the UID of a change are filled in afterwards.
fn apply(model: &mut Model, action: &Action) -> Outcome {
    match *action {
        Action::Create { name, has_finalizer } => {
            if model.contains_key(&name) {
                return Outcome::AlreadyExists;
            }
            let object = Object {
                revision: Revision::default(),
                uid: String::new(),
                generation: 1,
                spec: spec(0),
                label: 0,
                status: None,
                has_finalizer,
                is_being_deleted: false,
            };
            model.insert(name, object);
            Outcome::Done(WriteEffect::Created)
        }
        Action::Replace { name, spec: number, label, is_stale, has_finalizer } => {
            let Some(current) = model.get(&name) else { return Outcome::NotFound };
            if is_stale {
                return Outcome::Conflict;
            }
            if current.is_being_deleted && has_finalizer && !current.has_finalizer {
                return Outcome::Invalid;
            }
            let mut next = current.clone();
            next.generation += i64::from(next.spec != spec(number));
            (next.spec, next.label, next.has_finalizer) = (spec(number), label, has_finalizer);
            if next.is_being_deleted && !has_finalizer {
                model.remove(&name);
                return Outcome::Done(WriteEffect::Removed);
            }
            update(model, name, next)
        }
        Action::Status { name, status, is_stale } => {
            let Some(current) = model.get(&name) else { return Outcome::NotFound };
            if is_stale {
                return Outcome::Conflict;
            }
            let next = Object { status: Some(status), ..current.clone() };
            update(model, name, next)
        }
        Action::Delete { name, is_stale } => {
            let Some(current) = model.get(&name) else { return Outcome::NotFound };
            if is_stale {
                return Outcome::Conflict;
            }
            if !current.has_finalizer {
                model.remove(&name);
                return Outcome::Done(WriteEffect::Removed);
            }
            let mut next = current.clone();
            if !next.is_being_deleted {
                (next.is_being_deleted, next.generation) = (true, next.generation + 1);
            }
            update(model, name, next)
        }
        Action::DryRun(ref action) => apply(&mut model.clone(), action),
        Action::List => unreachable!("a list is not a write"),
    }
}

fn update(model: &mut Model, name: u8, next: Object) -> Outcome {
    let is_same = model.insert(name, next.clone()).is_some_and(|current| current == next);
    Outcome::Done(if is_same { WriteEffect::Unchanged } else { WriteEffect::Updated })
}

/// Returns the write of an action.
fn request(test: &TestStore, action: &Action) -> Write {
    let key = |name: u8| test.gateway_key(&format!("n{name}"));
    let preconditions = |name: u8, is_stale: bool| match test.store.get(&key(name)) {
        Some(current) if is_stale => {
            Preconditions::new().with_revision(Revision::new(current.revision().get() - 1))
        }
        Some(current) => Preconditions::new().with_uid(current.uid()),
        None => Preconditions::new(),
    };
    match *action {
        Action::Create { name, has_finalizer } => {
            let object = object(name, 0, 0, has_finalizer);
            Write::create(&test.resources.gateways, Some("default"), object)
        }
        Action::Replace { name, spec, label, is_stale, has_finalizer } => {
            Write::replace(key(name), object(name, spec, label, has_finalizer))
                .with_preconditions(preconditions(name, is_stale))
        }
        Action::Status { name, status, is_stale } => {
            // The rest of the object is ignored.
            let mut object = object(name, 7, 7, true);
            object["status"] = json!({"number": status});
            Write::replace_status(key(name), object)
                .with_preconditions(preconditions(name, is_stale))
        }
        Action::Delete { name, is_stale } => {
            Write::delete(key(name)).with_preconditions(preconditions(name, is_stale))
        }
        Action::DryRun(ref action) => request(test, action).with_dry_run(),
        Action::List => unreachable!("a list is not a write"),
    }
}

fn outcome(result: &Result<sluicegate::store::WriteResult, WriteError>) -> Outcome {
    match result {
        Ok(written) => Outcome::Done(written.effect),
        Err(WriteError::NotFound(_)) => Outcome::NotFound,
        Err(WriteError::AlreadyExists { .. }) => Outcome::AlreadyExists,
        Err(WriteError::Conflict { .. }) => Outcome::Conflict,
        Err(WriteError::Invalid { .. }) => Outcome::Invalid,
        Err(other) => panic!("{other}"),
    }
}

/// Asserts that the store has the objects of the model.
fn assert_same(model: &Model, objects: &BTreeMap<Key, Value>) {
    let objects: Vec<_> = objects.values().collect();
    assert_eq!(objects.len(), model.len(), "{objects:?} {model:?}");
    for ((name, expected), found) in model.iter().zip(objects) {
        let metadata = &found["metadata"];
        let status = expected.status.map(|status| json!({"number": status}));
        assert_eq!(metadata["name"], format!("n{name}"));
        assert_eq!(metadata["resourceVersion"], expected.revision.to_string());
        assert_eq!(metadata["uid"], *expected.uid);
        assert_eq!(metadata["generation"], expected.generation);
        assert_eq!(metadata["labels"]["label"], expected.label.to_string());
        assert_eq!(metadata.get("finalizers").is_some(), expected.has_finalizer);
        assert_eq!(metadata.get("deletionTimestamp").is_some(), expected.is_being_deleted);
        assert_eq!(found["spec"], expected.spec);
        assert_eq!(found.get("status"), status.as_ref());
    }
}

/// Objects of a list, in pages of two.
#[derive(Debug)]
struct List {
    query: ListQuery,
    expected: Model,
    found: BTreeMap<Key, Value>,
}

impl List {
    /// Reads the next page. Returns `true` after the last one.
    fn read_page(&mut self, test: &TestStore) -> bool {
        let page = test.store.list(&self.query, |_| true).unwrap();
        for object in page.objects {
            assert!(self.found.insert(object.key().clone(), object.to_value()).is_none());
        }
        let Some(next) = page.next else { return true };
        self.query = self.query.clone().with_start(next);
        false
    }
}

async fn check(actions: Vec<Action>) {
    let test = TestStore::new();
    let mut model = Model::new();
    let start = test.store.revision();
    let first = ListQuery::new(&test.resources.gateways);
    let mut lists = Vec::new();
    for action in &actions {
        if matches!(action, Action::List) {
            let query = first.clone().with_limit(2.try_into().unwrap());
            lists.push(List { query, expected: model.clone(), found: BTreeMap::new() });
        } else {
            let before = test.store.revision();
            let expected = apply(&mut model, action);
            let result = test.store.write(request(&test, action)).await;
            assert_eq!(outcome(&result), expected, "{action:?}");
            let is_dry_run = matches!(action, Action::DryRun(_));
            let is_change = matches!(
                expected,
                Outcome::Done(WriteEffect::Created | WriteEffect::Updated | WriteEffect::Removed)
            );
            assert_eq!(test.store.revision() > before, is_change && !is_dry_run, "{action:?}");
            if let (Ok(written), false) = (result, is_dry_run) {
                let name = written.object.key().name()[1..].parse().unwrap();
                if let Some(object) = model.get_mut(&name) {
                    object.revision = written.object.revision();
                    object.uid = written.object.uid().to_owned();
                }
            }
        }
        // Each list reads a page after each write, and shows the state at its start.
        for mut list in std::mem::take(&mut lists) {
            if list.read_page(&test) {
                assert_same(&list.expected, &list.found);
            } else {
                lists.push(list);
            }
        }
    }
    let objects = test.store.list(&first, |_| true).unwrap().objects;
    let objects = objects.iter().map(|object| (object.key().clone(), object.to_value())).collect();
    assert_same(&model, &objects);
    assert_eq!(replayed(&test, start).await, objects);
}

/// Returns the objects that a watch of all changes leads to.
async fn replayed(test: &TestStore, start: Revision) -> BTreeMap<Key, Value> {
    let mut objects: BTreeMap<Key, Value> = BTreeMap::new();
    let mut last = start;
    let mut watch =
        test.store.watch(WatchScope::resource(&test.resources.gateways), start).unwrap();
    test.store.close().await;
    while let Some(changes) = watch.next().await.unwrap() {
        for change in changes {
            assert!(change.object().revision() > last, "the order of the changes");
            last = change.object().revision();
            let key = change.object().key().clone();
            let previous = objects.get(&key).cloned();
            assert_eq!(change.previous().map(|object| object.to_value()), previous);
            replay(&mut objects, key, &change);
        }
    }
    objects
}

fn replay(objects: &mut BTreeMap<Key, Value>, key: Key, change: &Change) {
    let previous = match change.kind() {
        ChangeKind::Deleted => objects.remove(&key),
        ChangeKind::Added | ChangeKind::Modified => objects.insert(key, change.object().to_value()),
    };
    assert_eq!(previous.is_none(), change.kind() == ChangeKind::Added);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn store_follows_the_model(actions in prop::collection::vec(action(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(actions));
    }
}
