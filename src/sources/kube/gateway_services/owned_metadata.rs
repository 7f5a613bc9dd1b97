//! The metadata of objects that a Gateway owns.

use serde_json::{Map, Value, json};

use crate::model::{GATEWAY_GROUP, Gateway, Labels, NamespacedName, ObjectName, stable_hash};

/// The annotation that records which labels and annotations were copied from the Gateway and the
/// template. They are removed from the object when they are removed there.
const COPIED_KEYS_ANNOTATION: &str = "sluicegate.dev/set";

/// The label with the name of the program that manages an object, and our value of it.
pub(super) const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
pub(super) const MANAGED_BY: &str = "sluicegate";

/// The label with the name of the Gateway that an object belongs to.
const GATEWAY_LABEL: &str = "gateway.networking.k8s.io/gateway-name";

/// The label with the class that the Gateway had when the object was created.
pub(super) const CLASS_LABEL: &str = "gateway.networking.k8s.io/gateway-class-name";

/// The owned part of the metadata of an object that a Gateway owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnedMetadata {
    pub(super) name: NamespacedName,
    owner: Owner,
    /// The labels that every object has.
    pub(super) labels: Labels,
    /// The labels and annotations that are copied from the Gateway and the template.
    pub(super) copied_labels: Labels,
    pub(super) copied_annotations: Labels,
}

/// The Gateway that owns an object.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Owner {
    name: ObjectName,
    uid: String,
}

impl OwnedMetadata {
    /// Creates the metadata of an object called `name`. Returns `None` if the Gateway has no `uid`:
    /// it is not an object of the cluster, and cannot own one.
    pub(super) fn new(gateway: &Gateway, name: ObjectName) -> Option<Self> {
        let metadata = &gateway.metadata;
        let labels = [
            (MANAGED_BY_LABEL, MANAGED_BY.to_owned()),
            (GATEWAY_LABEL, to_label_value(&metadata.name)),
            (CLASS_LABEL, to_label_value(&gateway.spec.gateway_class_name)),
        ];
        Some(Self {
            name: NamespacedName { namespace: metadata.namespace(), name },
            owner: Owner { name: metadata.name.clone(), uid: metadata.uid.as_deref()?.to_owned() },
            labels: labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            copied_labels: Labels::new(),
            copied_annotations: Labels::new(),
        })
    }

    /// Returns the Gateway that owns the object.
    pub(super) fn gateway(&self) -> NamespacedName {
        let namespace = self.name.namespace.clone();
        NamespacedName { namespace, name: self.owner.name.clone() }
    }

    /// Returns `true` if the Gateway owns the live object.
    pub(super) fn owns(&self, live: &Value) -> bool {
        let owners = live["metadata"]["ownerReferences"].as_array();
        owners.is_some_and(|owners| owners.iter().any(|owner| owner["uid"] == *self.owner.uid))
    }

    /// Returns the metadata of a new object.
    pub(super) fn new_metadata(&self) -> Value {
        let mut metadata = json!({
            "namespace": self.name.namespace,
            "name": self.name.name,
        });
        self.apply_to(&mut metadata);
        metadata
    }

    /// Sets the owned fields of an object's metadata.
    pub(super) fn apply_to(&self, metadata: &mut Value) {
        let copied_before = metadata["annotations"][COPIED_KEYS_ANNOTATION].as_str();
        let copied_before: Value =
            serde_json::from_str(copied_before.unwrap_or_default()).unwrap_or_default();
        let mut labels = self.copied_labels.clone();
        labels.extend(self.labels.clone());
        update_map(&mut metadata["labels"], &copied_before["labels"], &labels);

        let mut annotations = self.copied_annotations.clone();
        let copied = json!({
            "annotations": self.copied_annotations.keys().collect::<Vec<_>>(),
            "labels": self.copied_labels.keys().collect::<Vec<_>>(),
        });
        if !self.copied_annotations.is_empty() || !self.copied_labels.is_empty() {
            annotations.insert(COPIED_KEYS_ANNOTATION.to_owned(), copied.to_string());
        } else if let Some(annotations) = metadata["annotations"].as_object_mut() {
            annotations.remove(COPIED_KEYS_ANNOTATION);
        }
        update_map(&mut metadata["annotations"], &copied_before["annotations"], &annotations);
        for field in ["labels", "annotations"] {
            if metadata[field].as_object().is_none_or(Map::is_empty) {
                metadata.as_object_mut().expect("metadata is a map").remove(field);
            }
        }
        self.set_owner(&mut metadata["ownerReferences"]);
    }

    fn set_owner(&self, owners: &mut Value) {
        let Owner { name, uid } = &self.owner;
        let mut all = owners.as_array().cloned().unwrap_or_default();
        if all.iter().all(|owner| owner["uid"] != **uid) {
            all.push(json!({ "uid": uid }));
        }
        for owner in all.iter_mut().filter(|owner| owner["uid"] == **uid) {
            owner["apiVersion"] = format!("{GATEWAY_GROUP}/v1").into();
            owner["kind"] = "Gateway".into();
            owner["name"] = name.as_str().into();
            owner["controller"] = true.into();
        }
        // The API server accepts one controller at most.
        for owner in all.iter_mut().filter(|owner| owner["uid"] != **uid) {
            if owner["controller"] == true {
                owner["controller"] = false.into();
            }
        }
        *owners = all.into();
    }
}

/// Removes the keys `before` from a map of labels or annotations, and inserts `desired`.
fn update_map(live: &mut Value, before: &Value, desired: &Labels) {
    if !live.is_object() {
        *live = json!({});
    }
    let live = live.as_object_mut().expect("it was set to a map above");
    for key in before.as_array().into_iter().flatten().filter_map(Value::as_str) {
        live.remove(key);
    }
    for (key, value) in desired {
        live.insert(key.clone(), value.as_str().into());
    }
}

/// Returns a name as the value of a label, whose length is limited: a longer name is truncated, and
/// gets a hash.
pub(super) fn to_label_value(name: &ObjectName) -> String {
    const MAX_LEN: usize = 63;
    if name.as_str().len() <= MAX_LEN {
        return name.to_string();
    }
    let hash = format!("-{:08x}", stable_hash(name.as_str()) as u32);
    let truncated: String = name.as_str().chars().take(MAX_LEN - hash.len()).collect();
    truncated.trim_end_matches(['-', '.']).to_owned() + &hash
}
