//! The writes to the server.

use serde_json::{Value, json};

use super::State;
use super::answer::{Answer, as_asked, refuse, tell};
use super::request::Request;

impl State {
    pub(super) fn write(&mut self, request: &Request) -> Answer {
        let name = request.object();
        if request.verb == "create" {
            return self.create(request);
        }
        if self.store.get(&name).is_none() {
            return refuse(404, request);
        }
        let based_on = match request.verb {
            "delete" => &request.body["preconditions"],
            _ => &request.body["metadata"],
        };
        if self.store.check(&name, based_on).is_err() {
            return refuse(409, request);
        }
        let mut body = request.body.clone();
        if !self.mutate(request, &mut body) {
            return refuse(422, request);
        }
        match (request.verb, request.subresource.as_deref()) {
            ("update", Some("status")) => self.store.set_status(&name, body["status"].clone()),
            ("update", None) => match self.complete(request, body) {
                Some(object) => self.store.apply(object),
                None => return refuse(422, request),
            },
            ("patch", None) => self.store.patch_metadata(&name, &body["metadata"]),
            ("delete", None) => self.store.delete(&name),
            _ => return refuse(405, request),
        }
        // It may be gone now, and is answered as it was.
        match self.store.get(&name) {
            Some(object) => tell(&as_asked(object, request)),
            None => tell(&json!({ "metadata": request.body["metadata"] })),
        }
    }

    fn create(&mut self, request: &Request) -> Answer {
        let mut object = request.body.clone();
        object["metadata"]["namespace"] = json!(request.namespace);
        object["kind"] = json!(self.kind(request));
        let name = format!("{}{}", request.object(), object["metadata"]["name"].as_str().unwrap());
        if self.store.get(&name).is_some() {
            return refuse(409, request);
        }
        if !self.mutate(request, &mut object) {
            return refuse(422, request);
        }
        match self.complete(request, object) {
            Some(object) => self.store.apply(object),
            None => return refuse(422, request),
        }
        tell(&as_asked(self.store.get(&name).unwrap(), request))
    }

    /// The object as it is to be stored; nothing where it may not be so.
    fn complete(&self, request: &Request, mut object: Value) -> Option<Value> {
        let owners = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
        let is_allowed = owners.filter(|owner| owner["controller"] == true).count() <= 1
            && (request.plural != "services" || self.store.complete_service(&mut object));
        is_allowed.then_some(object)
    }
}
