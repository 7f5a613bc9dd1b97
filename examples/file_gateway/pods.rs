//! Echo servers in this process, in place of the pods of Deployments.

use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::net::{Ipv4Addr, SocketAddr};

use serde_json::Value;
use sluicegate::model::{
    EndpointPort, EndpointSlice, Labels, ObjectName, PortNumber, Service, ServicePort, TargetPort,
};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::echo::{self, Identity};

/// Part of the image name of containers that an echo server can replace.
const ECHO_IMAGE: &str = "echo-basic";

/// Port of the echo server if the container declares none.
const DEFAULT_PORT: u64 = 3000;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pod {
    identity: Identity,
    labels: Labels,
    port: PortNumber,
    port_name: Option<String>,
}

/// The echo server of a pod. Its task is aborted on drop.
#[derive(Debug)]
struct EchoServer {
    address: SocketAddr,
    _task: JoinSet<()>,
}

/// The running pods.
#[derive(Debug, Default)]
pub(crate) struct Pods(BTreeMap<Pod, EchoServer>);

impl Pods {
    /// Makes the running echo servers match the Deployments. Servers that remain in `running` stop
    /// when it is dropped.
    pub(crate) async fn update(
        &mut self,
        deployments: impl Iterator<Item = &Value>,
    ) -> io::Result<()> {
        let mut running = mem::take(&mut self.0);
        for pod in deployments.flat_map(pods_of) {
            let server = match running.remove(&pod) {
                Some(server) => server,
                None => pod.start().await?,
            };
            self.0.insert(pod, server);
        }
        Ok(())
    }

    /// Returns the EndpointSlices of a Service: one for each pod that its selector matches.
    pub(crate) fn endpoint_slices(&self, service: &Service) -> Vec<EndpointSlice> {
        let selected = self.0.iter().filter(|(pod, _)| pod.is_selected_by(service));
        selected.map(|(pod, server)| pod.endpoint_slice(server.address, service)).collect()
    }
}

impl Pod {
    async fn start(&self) -> io::Result<EchoServer> {
        let listener = listen(self.port).await?;
        let address = listener.local_addr()?;
        let mut task = JoinSet::new();
        task.spawn(echo::serve(listener, self.identity.clone()));
        Ok(EchoServer { address, _task: task })
    }

    fn is_selected_by(&self, service: &Service) -> bool {
        let selector = &service.spec.selector;
        self.identity.namespace == service.metadata.namespace().as_str()
            && !selector.is_empty()
            && selector.iter().all(|(key, value)| self.labels.get(key) == Some(value))
    }

    fn endpoint_slice(&self, address: SocketAddr, service: &Service) -> EndpointSlice {
        let port = PortNumber::new(address.port()).expect("a bound port is not 0");
        let name = format!("{}-{}", service.metadata.name, self.identity.pod);
        let endpoint_port = |service_port: &ServicePort| EndpointPort {
            name: service_port.name.clone(),
            port: Some(port),
            invalid_port: None,
            protocol: service_port.protocol,
        };
        let mut slice = EndpointSlice::new(service, port, [address.ip()]);
        slice.metadata.name = ObjectName::new(name).expect("both names are valid and short");
        let ports = service.spec.ports.iter().filter(|port| self.serves(port));
        slice.ports = ports.map(endpoint_port).collect();
        slice
    }

    /// Returns `true` if the target of the Service port is the port of this pod.
    fn serves(&self, port: &ServicePort) -> bool {
        match &port.target_port {
            Some(TargetPort::Number(number)) => *number == self.port,
            Some(TargetPort::Name(name)) => Some(name) == self.port_name.as_ref(),
            None => port.port == self.port,
        }
    }
}

/// Binds `port` on the first address of 127.88.0.0/24 where it is free, so that several pods can use
/// one port. If the operating system has only one loopback address, binds any port there.
async fn listen(port: PortNumber) -> io::Result<TcpListener> {
    for host in 1..=254 {
        match TcpListener::bind((Ipv4Addr::new(127, 88, 0, host), port.get())).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(_) => break,
            bound => return bound,
        }
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}

/// Returns the pods of a Deployment if an echo server can replace them.
pub(crate) fn pods_of(deployment: &Value) -> Vec<Pod> {
    let (metadata, spec) = (&deployment["metadata"], &deployment["spec"]);
    let template = &spec["template"];
    let mut containers = template["spec"]["containers"].as_array().into_iter().flatten();
    let is_echo = |container: &&Value| text(&container["image"]).contains(ECHO_IMAGE);
    let Some(container) = containers.find(is_echo) else { return Vec::new() };

    let variables = container["env"].as_array().into_iter().flatten();
    let variable = |name: &str| {
        let variable = variables.clone().find(|variable| variable["name"] == name);
        variable.map_or("", |variable| text(&variable["value"])).to_owned()
    };
    let port = &container["ports"][0];
    let number = port["containerPort"].as_u64().unwrap_or(DEFAULT_PORT);
    let Some(number) = u16::try_from(number).ok().and_then(PortNumber::new) else {
        return Vec::new();
    };
    let labels = &template["metadata"]["labels"];
    let pod = |replica| Pod {
        identity: Identity {
            namespace: metadata["namespace"].as_str().unwrap_or("default").to_owned(),
            ingress: variable("INGRESS_NAME"),
            service: variable("SERVICE_NAME"),
            pod: format!("{}-{replica}", text(&metadata["name"])),
        },
        labels: serde_json::from_value(labels.clone()).unwrap_or_default(),
        port: number,
        port_name: port["name"].as_str().map(str::to_owned),
    };
    (0..spec["replicas"].as_u64().unwrap_or(1)).map(pod).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
