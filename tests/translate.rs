//! Golden cases of translation. Each `tests/translate/*.in.yaml` shows one rule of the specification
//! and is named after it; the `.out.yaml` beside it contains the status and the plan.
//! `UPDATE=1 cargo test --test translate` rewrites the outputs; review the difference.
//!
//! Comment lines at the top of an input set the rest of the scenario:
//!
//! | line | meaning |
//! |---|---|
//! | `# controller: example.com/x` | serve only classes of this controller |
//! | `# host: 0.0.0.0 192.0.2.80` | the address to bind, and the one to advertise |
//! | `# own address: 192.0.2.7` | an address of this host |
//! | `# own socket: 192.0.2.7:6080` | a listening socket of the program, such as that of its API |
//! | `# local endpoints: refused` | endpoints must not have loopback addresses |
//! | `# special addresses: deny` | the special addresses that Gateways may request |
//! | `# listeners per namespace: 2` | the maximum number of listeners of a namespace |
//! | `# served: infra/edge e-1` | the Gateway with this uid was served before |
//! | `# addresses: service/system` | the addresses of Gateways: `service/NAMESPACE`, or the ranges of a pool |
//! | `# assigned: infra/edge 10.0.0.1` | the Gateway had this address of the pool before |
//! | `# cooling down: 10.0.0.1 infra/edge` | the released address of the pool, and its last Gateway |
//! | `# pod port: infra/edge 5432 20001` | the listener port of the Gateway had this pod port before |
//! | `# cannot open: 192.0.2.1:80 AddressNotUsable` | opening this address fails with this kind of error |
//! | `# not validated: …` | the objects are not validated, for this reason |
#![cfg(feature = "yaml")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use serde::Serialize;
use sluicegate::model::StatusReport;
use sluicegate::model::manifest::{self, Content};
use sluicegate::model::{
    GatewayController, Object, ObjectKind, PortNumber, Resources, UnservedKey, UnservedObject,
};
use sluicegate::plan::{BindError, BindErrorKind, ListenerId, Plan, Routing, SocketId, Target};
use sluicegate::translate::{Assignments, Host, Settings, translate};

#[test]
fn golden_cases_match() {
    let update = env::var_os("UPDATE").is_some();
    let mut failures = String::new();
    for case in cases() {
        let output = case.translate(case.objects());
        let path = case.path.with_file_name(format!("{}.out.yaml", case.name));
        if update {
            fs::write(&path, output).unwrap();
            continue;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if output != expected {
            write!(failures, "\n{}:\n{}", path.display(), diff(&expected, &output)).unwrap();
        }
    }
    assert!(failures.is_empty(), "not as expected (UPDATE=1 rewrites):\n{failures}");
}

#[test]
fn golden_cases_do_not_depend_on_object_order() {
    for case in cases() {
        let forwards = case.translate(case.objects());
        let backwards = case.translate(case.objects().into_iter().rev().collect());
        assert!(forwards == backwards, "{}:\n{}", case.name, diff(&forwards, &backwards));
    }
}

#[test]
fn routes_to_one_service_port_share_its_backend() {
    let cases = cases();
    let case = cases.iter().find(|case| case.name == "backend-shared-by-routes").unwrap();
    let resources = Resources::from_iter(case.objects());
    let plan = translate(&resources, &case.settings, &case.assignments).plan;
    let routes = plan.listeners.values().filter_map(|listener| match &listener.routing {
        Routing::Single(route) => Some(route),
        _ => None,
    });
    let backends = routes.flat_map(|route| &route.shares).filter_map(|share| match &share.target {
        Target::Backend(backend) => Some(backend),
        _ => None,
    });
    let [one, two] = backends.collect::<Vec<_>>()[..] else { panic!("{plan:#?}") };
    assert!(Arc::ptr_eq(one, two), "{plan:#?}");
}

#[test]
fn golden_outputs_have_inputs() {
    for path in files() {
        if let Some(name) = path.to_str().unwrap().strip_suffix(".out.yaml") {
            assert!(Path::new(&format!("{name}.in.yaml")).exists(), "{name}.in.yaml is gone");
        }
    }
}

fn files() -> impl Iterator<Item = PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/translate");
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path())
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = files().filter_map(Case::at).collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(!cases.is_empty());
    cases
}

struct Case {
    name: String,
    path: PathBuf,
    text: String,
    settings: Settings,
    assignments: Assignments,
    failures: Vec<BindError>,
    validated: bool,
}

impl Case {
    fn at(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".in.yaml")?.to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let mut case = Self {
            name,
            path,
            text: String::new(),
            settings: Settings::default(),
            assignments: Assignments::default(),
            failures: Vec::new(),
            validated: true,
        };
        for line in text.lines().map_while(|line| line.strip_prefix("# ")) {
            match line.split_once(": ") {
                Some(("controller", name)) => {
                    let name = GatewayController::new(name).unwrap();
                    case.settings = case.settings.with_controller(name);
                }
                Some(("host", addresses)) => {
                    let (bind, advertise) = addresses.split_once(' ').unwrap();
                    let host = Host::new(bind.parse().unwrap(), advertise.parse().unwrap());
                    case.settings = case.settings.with_host(host);
                }
                Some(("own address", address)) => {
                    case.settings.own_addresses.insert(address.parse().unwrap());
                }
                Some(("own socket", socket)) => {
                    case.settings.own_sockets.insert(socket.parse().unwrap());
                }
                Some(("local endpoints", "refused")) => {
                    case.settings = case.settings.with_local_endpoints(false);
                }
                Some(("special addresses", addresses)) => {
                    let addresses = addresses.parse().unwrap();
                    case.settings = case.settings.with_special_addresses(addresses);
                }
                Some(("listeners per namespace", limit)) => {
                    let limit = Some(limit.parse().unwrap());
                    case.settings = case.settings.with_listeners_per_namespace(limit);
                }
                Some(("served", gateway)) => {
                    let (name, uid) = gateway.split_once(' ').unwrap();
                    case.assignments.served.insert(name.parse().unwrap(), Some(uid.into()));
                }
                Some(("addresses", addresses)) => {
                    case.settings = case.settings.with_addresses(addresses.parse().unwrap());
                }
                Some(("assigned", assigned)) => {
                    let (gateway, address) = assigned.split_once(' ').unwrap();
                    let addresses = &mut case.assignments.addresses;
                    let addresses = addresses.entry(gateway.parse().unwrap()).or_default();
                    addresses.push(address.parse().unwrap());
                }
                Some(("cooling down", released)) => {
                    let (address, gateway) = released.split_once(' ').unwrap();
                    let cooling_down = &mut case.assignments.cooling_down;
                    cooling_down.insert(address.parse().unwrap(), gateway.parse().unwrap());
                }
                Some(("pod port", assigned)) => {
                    let [gateway, port, pod_port] =
                        assigned.split(' ').collect::<Vec<_>>().try_into().unwrap();
                    let port_number = |text: &str| PortNumber::new(text.parse().unwrap()).unwrap();
                    let pod_ports = Arc::make_mut(&mut case.assignments.pod_ports);
                    let pod_ports = pod_ports.entry(gateway.parse().unwrap()).or_default();
                    pod_ports.insert(port_number(port), port_number(pod_port));
                }
                Some(("cannot open", failure)) => case.failures.push(bind_failure(failure)),
                Some(("not validated", _)) => case.validated = false,
                _ => {}
            }
        }
        case.text = text;
        Some(case)
    }

    fn objects(&self) -> Vec<Object> {
        if self.validated {
            manifest::read(&self.text)
                .into_iter()
                .filter_map(|entry| match entry.content {
                    Content::Object(object) => Some(object),
                    Content::Unserved(..) => None,
                    content => panic!("{}: {content:#?}", self.path.display()),
                })
                .collect()
        } else {
            manifest::split(&self.text).map(|document| read_unchecked(document.text)).collect()
        }
    }

    fn unserved(&self) -> Vec<(UnservedKey, Arc<UnservedObject>)> {
        let entries = if self.validated { manifest::read(&self.text) } else { Vec::new() };
        let unserved = entries.into_iter().filter_map(|entry| match entry.content {
            Content::Unserved(key, object) => Some((key, Arc::new(object))),
            _ => None,
        });
        unserved.collect()
    }

    fn translate(&self, objects: Vec<Object>) -> String {
        let count = objects.len();
        let mut resources = Resources::from_iter(objects);
        resources.unserved.extend(self.unserved());
        assert_eq!(resources.len(), count, "{}: an object is there twice", self.name);
        let mut translation = translate(&resources, &self.settings, &self.assignments);
        translation.set_bind_errors(self.failures(&translation.plan));
        serde_yaml::to_string(&Output {
            status: &translation.status,
            plan: &translation.plan,
            unmanaged: translation
                .unmanaged
                .iter()
                .map(|(object, reason)| (object.to_string(), reason.to_string()))
                .collect(),
            unserved: translation
                .unserved
                .iter()
                .map(|(object, reference)| (object.to_string(), reference.to_string()))
                .collect(),
        })
        .unwrap()
    }

    /// The failures of the listeners that want an address which cannot be opened.
    fn failures(&self, plan: &Plan) -> BTreeMap<ListenerId, Vec<BindError>> {
        let mut failures = BTreeMap::new();
        for (id, listener) in &plan.listeners {
            // As the engine tells it: once, however many addresses share the socket.
            let hits = self.failures.iter().filter(|failure| {
                listener.addresses.iter().any(|address| address.bind == failure.socket)
            });
            failures.entry(id.clone()).or_insert_with(Vec::new).extend(hits.cloned());
        }
        failures.retain(|_, failures| !failures.is_empty());
        failures
    }
}

/// What an embedder's code may hand over: typed, but never checked by anybody.
fn read_unchecked(document: &str) -> Object {
    #[derive(serde::Deserialize)]
    struct Head {
        kind: String,
    }
    let head: Head = serde_yaml::from_str(document).unwrap();
    let kind = ObjectKind::ALL.iter().find(|kind| kind.as_str() == head.kind).unwrap();
    kind.deserialize(serde_yaml::Deserializer::from_str(document)).unwrap()
}

fn bind_failure(text: &str) -> BindError {
    let (address, kind) = text.split_once(' ').unwrap();
    let (kind, message) = match kind {
        "PortUnavailable" => (BindErrorKind::PortUnavailable, "address already in use"),
        "AddressNotUsable" => (BindErrorKind::AddressNotUsable, "cannot assign requested address"),
        "NoResources" => (BindErrorKind::NoResources, "too many open files"),
        _ => panic!("no such kind: {kind}"),
    };
    BindError::new(SocketId::tcp(address.parse().unwrap()), kind, message)
}

#[derive(Serialize)]
struct Output<'a> {
    status: &'a StatusReport,
    // Plain mappings instead of YAML tags, as in JSON.
    #[serde(with = "serde_yaml::with::singleton_map_recursive")]
    plan: &'a Plan,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unmanaged: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unserved: BTreeMap<String, String>,
}

/// The lines that differ, with the longest common subsequence of the others around them.
fn diff(old: &str, new: &str) -> String {
    const CONTEXT: usize = 3;
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let mut common = vec![vec![0; new.len() + 1]; old.len() + 1];
    for (i, left) in old.iter().enumerate().rev() {
        for (j, right) in new.iter().enumerate().rev() {
            common[i][j] = if left == right {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[i + 1][j] >= common[i][j + 1] {
            lines.push(('-', old[i]));
            i += 1;
        } else {
            lines.push(('+', new[j]));
            j += 1;
        }
    }
    let near_change = |at: usize| {
        let around = at.saturating_sub(CONTEXT)..(at + CONTEXT + 1).min(lines.len());
        lines[around].iter().any(|(sign, _)| *sign != ' ')
    };
    let shown = lines.iter().enumerate().filter(|(at, _)| near_change(*at));
    shown.map(|(_, (sign, line))| format!("{sign} {line}\n")).collect()
}
