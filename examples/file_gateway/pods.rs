//! The pods of Deployments, as echo servers in this process.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Deserialize;
use sluicegate::model::{
    AddressType, EndpointAddress, EndpointConditions, EndpointPort, EndpointSlice, Labels,
    NamespaceName, ObjectMeta, ObjectName, PortNumber, SERVICE_NAME_LABEL, Service, ServicePort,
    SliceEndpoint, TargetPort, default_namespace,
};
use sluicegate::sources::SourceError;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::echo::{self, Identity};

/// The image whose pods are played.
const ECHO_IMAGE: &str = "echo-basic";

#[derive(Debug, Deserialize)]
pub(crate) struct Deployment {
    metadata: DeploymentMeta,
    spec: DeploymentSpec,
}

#[derive(Debug, Deserialize)]
struct DeploymentMeta {
    name: String,
    namespace: Option<NamespaceName>,
}

#[derive(Debug, Deserialize)]
struct DeploymentSpec {
    replicas: Option<usize>,
    template: Template,
}

#[derive(Debug, Deserialize)]
struct Template {
    metadata: TemplateMeta,
    spec: PodSpec,
}

#[derive(Debug, Deserialize)]
struct TemplateMeta {
    #[serde(default)]
    labels: Labels,
}

#[derive(Debug, Deserialize)]
struct PodSpec {
    containers: Vec<Container>,
}

#[derive(Debug, Deserialize)]
struct Container {
    image: String,
    #[serde(default)]
    ports: Vec<ContainerPort>,
    #[serde(default)]
    env: Vec<Variable>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerPort {
    name: Option<String>,
    container_port: PortNumber,
}

#[derive(Debug, Deserialize)]
struct Variable {
    name: String,
    value: Option<String>,
}

/// What a pod is; a pod that is another one is another process.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pod {
    identity: Identity,
    namespace: NamespaceName,
    labels: Labels,
    port: PortNumber,
    port_name: Option<String>,
}

/// A pod and its server.
#[derive(Debug)]
struct Running {
    pod: Pod,
    address: SocketAddr,
    server: JoinHandle<()>,
}

/// The pods that run, by name.
#[derive(Debug, Default)]
pub(crate) struct Pods(BTreeMap<String, Running>);

impl Pods {
    /// Starts the pods of these Deployments that do not run yet, and stops those of others.
    pub(crate) async fn run(
        &mut self,
        deployments: impl Iterator<Item = &Deployment>,
    ) -> Result<(), SourceError> {
        let wanted: BTreeMap<_, _> = deployments
            .flat_map(Deployment::pods)
            .map(|pod| (pod.identity.pod.clone(), pod))
            .collect();
        self.0.retain(|name, running| {
            let stays = wanted.get(name) == Some(&running.pod);
            if !stays {
                running.server.abort();
            }
            stays
        });
        for (name, pod) in wanted {
            if !self.0.contains_key(&name) {
                let (address, listener) = self.listen(pod.port).await?;
                let server = tokio::spawn(echo::serve(listener, pod.identity.clone()));
                self.0.insert(name, Running { pod, address, server });
            }
        }
        Ok(())
    }

    /// An address of its own for each pod, with the container's port; where the system has only one
    /// loopback address, another port must do.
    async fn listen(&self, port: PortNumber) -> io::Result<(SocketAddr, TcpListener)> {
        for host in 1..=254 {
            let address = SocketAddr::from(([127, 88, 0, host], port.get()));
            match TcpListener::bind(address).await {
                Ok(listener) => return Ok((address, listener)),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(_) => break,
            }
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok((listener.local_addr()?, listener))
    }

    /// The EndpointSlices of a Service: one for each pod that its selector chooses.
    pub(crate) fn endpoint_slices(&self, service: &Service) -> Vec<EndpointSlice> {
        let selector = &service.spec.selector;
        let selects = |running: &&Running| {
            running.pod.namespace == service.metadata.namespace()
                && !selector.is_empty()
                && selector.iter().all(|(key, value)| running.pod.labels.get(key) == Some(value))
        };
        self.0.values().filter(selects).map(|running| running.endpoint_slice(service)).collect()
    }
}

impl Drop for Pods {
    fn drop(&mut self) {
        self.0.values().for_each(|running| running.server.abort());
    }
}

impl Running {
    fn endpoint_slice(&self, service: &Service) -> EndpointSlice {
        let name = format!("{}-{}", service.metadata.name, self.pod.identity.pod);
        let service_name = service.metadata.name.to_string();
        let port = |port: &ServicePort| EndpointPort {
            name: port.name.clone(),
            port: PortNumber::new(self.address.port()),
            protocol: port.protocol,
        };
        EndpointSlice {
            metadata: ObjectMeta {
                namespace: Some(self.pod.namespace.clone()),
                labels: Labels::from([(SERVICE_NAME_LABEL.to_owned(), service_name)]),
                ..ObjectMeta::named(ObjectName::new(name).expect("neither empty nor long"))
            },
            address_type: match self.address.ip() {
                IpAddr::V4(_) => AddressType::IPv4,
                IpAddr::V6(_) => AddressType::IPv6,
            },
            endpoints: vec![SliceEndpoint {
                conditions: EndpointConditions {
                    ready: Some(true),
                    serving: Some(true),
                    terminating: Some(false),
                },
                ..SliceEndpoint::new(EndpointAddress::Ip(self.address.ip()))
            }],
            ports: service
                .spec
                .ports
                .iter()
                .filter(|port| self.pod.serves(port))
                .map(port)
                .collect(),
        }
    }
}

impl Pod {
    /// Whether a Service port leads to this pod's port.
    fn serves(&self, port: &ServicePort) -> bool {
        match &port.target_port {
            Some(TargetPort::Number(number)) => *number == self.port,
            Some(TargetPort::Name(name)) => Some(name) == self.port_name.as_ref(),
            None => port.port == self.port,
        }
    }
}

impl Deployment {
    /// The pods of this Deployment, if they are echo servers.
    fn pods(&self) -> Vec<Pod> {
        let template = &self.spec.template;
        let Some(container) =
            template.spec.containers.iter().find(|container| container.image.contains(ECHO_IMAGE))
        else {
            return Vec::new();
        };
        let namespace = self.metadata.namespace.clone().unwrap_or_else(default_namespace);
        let variable =
            |name: &str| container.env.iter().find(|variable| variable.name == name)?.value.clone();
        let port = container.ports.first();
        let pod = |replica| Pod {
            identity: Identity {
                namespace: namespace.to_string(),
                ingress: variable("INGRESS_NAME").unwrap_or_default(),
                service: variable("SERVICE_NAME").unwrap_or_default(),
                pod: pod_name(&self.metadata.name, &namespace, replica),
            },
            namespace: namespace.clone(),
            labels: template.metadata.labels.clone(),
            port: port.map_or(DEFAULT_PORT, |port| port.container_port),
            port_name: port.and_then(|port| port.name.clone()),
        };
        (0..self.spec.replicas.unwrap_or(1)).map(pod).collect()
    }
}

/// The port of the echo server where the container does not say one.
const DEFAULT_PORT: PortNumber = PortNumber::new(3000).expect("not 0");

/// As a cluster would call it: the Deployment, its ReplicaSet and the pod, each with a hash. Here
/// they are the same in every run.
fn pod_name(deployment: &str, namespace: &NamespaceName, replica: usize) -> String {
    let replica_set = letters((deployment, namespace, "replica set"), 9);
    format!("{deployment}-{replica_set}-{}", letters((deployment, namespace, replica), 5))
}

/// Letters and digits that cannot make a word.
fn letters(seed: impl Hash, count: usize) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    let mut hash = hasher.finish();
    let mut letter = || {
        let letter = ALPHABET[(hash % 27) as usize];
        hash /= 27;
        char::from(letter)
    };
    (0..count).map(|_| letter()).collect()
}
