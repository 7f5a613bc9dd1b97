//! A gateway with a memory source: from objects to connections.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use sluicegate::model::{
    BackendRef, Condition, ConditionStatus, ConditionType, EndpointSlice, GATEWAY_GROUP, Gateway,
    GatewayAddress, GatewayAddressType, GatewayClass, Listener, NamespacedName, ObjectKey,
    ObjectKind, ObjectMeta, ParentRef, PortNumber, Reason, Resources, Service, TcpRoute,
    UnservedKey, UnservedObject, default_namespace, find_condition,
};
use sluicegate::plan::ListenerId;
use sluicegate::sources::{Feed, MemorySource, Source, SourceError, StatusUpdate};
use sluicegate::{Handle, Report, Server, StartError};
use support::{backend, eventually, free_port, name_at, own_address, report_where};
use tokio::sync::watch;

/// Every test has an address of its own, so that they may share ports.
static PORT: LazyLock<u16> = LazyLock::new(free_port);
static OTHER_PORT: LazyLock<u16> = LazyLock::new(free_port);

fn port(port: u16) -> PortNumber {
    PortNumber::new(port).unwrap()
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta::named(name.parse().unwrap())
}

fn gateway(name: &str, listener_port: u16) -> Gateway {
    let listener = Listener::tcp("l".parse().unwrap(), port(listener_port));
    Gateway::new(named(name), "c".parse().unwrap(), vec![listener])
}

fn route(name: &str, gateway: &str, service: &str) -> TcpRoute {
    let parent = ParentRef::gateway(gateway.parse().unwrap());
    let backend = BackendRef::service(service.parse().unwrap(), port(1));
    TcpRoute::new(named(name), vec![parent], vec![backend])
}

fn service(name: &str) -> Service {
    Service::new(named(name), port(1))
}

fn slice(name: &str, endpoint: SocketAddr) -> EndpointSlice {
    EndpointSlice::new(&service(name), port(endpoint.port()), [endpoint.ip()])
}

/// Gateway `g` with a listener at [`PORT`], and a route to a backend called `one`.
fn objects() -> Resources {
    let mut objects = Resources::new();
    objects.insert(GatewayClass::new("c".parse().unwrap(), "example.com/c".parse().unwrap()));
    objects.insert(gateway("g", *PORT));
    objects.insert(route("r", "g", "one"));
    objects.insert(service("one"));
    objects.insert(slice("one", backend("one")));
    objects
}

async fn start(source: impl Source, address: IpAddr) -> Handle {
    Server::builder().source(source).bind(address).start().await.unwrap()
}

fn name(name: &str) -> NamespacedName {
    NamespacedName { namespace: default_namespace(), name: name.parse().unwrap() }
}

fn programmed(report: &Report, gateway: &str) -> (Condition, Condition) {
    let status = &report.status.gateways[&name(gateway)];
    let find = |conditions| find_condition(conditions, &ConditionType::PROGRAMMED).unwrap().clone();
    (find(&status.conditions), find(&status.listeners[0].conditions))
}

fn addresses(report: &Report, gateway: &str) -> Vec<String> {
    let addresses = report.status.gateways[&name(gateway)].addresses.iter();
    addresses.map(|address| address.value.clone()).collect()
}

#[tokio::test]
async fn objects_are_followed_from_update_to_connection() {
    let (memory, address) = (MemorySource::new(objects()), own_address());
    let handle = start(memory.clone(), address).await;
    let at = SocketAddr::new(address, *PORT);
    assert_eq!(name_at(at).as_deref(), Some("one"));
    assert_eq!(addresses(&handle.report(), "g"), [address.to_string()]);
    let live = TcpStream::connect(at).unwrap();

    memory.update(|objects| {
        objects.insert(service("two"));
        objects.insert(slice("two", backend("two")));
        objects.insert(route("r", "g", "two"));
    });
    eventually("two answers", || name_at(at).as_deref() == Some("two"));
    drop(live);

    let id = ListenerId::new(name("g"), "l".parse().unwrap());
    eventually("all connections have ended", || {
        let counters = handle.counters();
        counters.listener(&id).is_some_and(|it| it.active() == 0 && it.accepted >= 3)
    });
    handle.shutdown().await;
    assert!(TcpStream::connect(at).is_err());
}

#[tokio::test]
async fn objects_of_other_kinds_without_effect_are_reported() {
    let (memory, other) = (MemorySource::new(objects()), MemorySource::default());
    let sources = Server::builder().source(memory.clone()).source(other.clone());
    let handle = sources.bind(own_address()).start().await.unwrap();
    let key = |source: &str| {
        let (group, kind) = (GATEWAY_GROUP.parse().unwrap(), "HTTPRoute".parse().unwrap());
        UnservedKey::new(group, kind, name(source))
    };
    let gateway = ObjectKey::namespaced(ObjectKind::Gateway, &name("g"));
    for (source, route) in [(&memory, "one"), (&other, "two")] {
        let object = Arc::new(UnservedObject::new(vec![gateway.clone()]));
        source.update(|objects| objects.unserved.insert(key(route), object));
    }
    eventually("both are reported", || handle.report().unserved.len() == 2);
    assert_eq!(handle.report().unserved[&key("two")], gateway);

    memory.update(|objects| objects.gateways.clear());
    eventually("nothing to report", || handle.report().unserved.is_empty());
}

/// Neither the handle nor the data path needs a runtime of the caller's.
#[test]
fn handle_works_without_a_tokio_runtime() {
    struct Thread(std::thread::Thread);
    impl std::task::Wake for Thread {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    fn block_on<F: Future>(future: F) -> F::Output {
        let waker = Arc::new(Thread(std::thread::current())).into();
        let mut future = std::pin::pin!(future);
        loop {
            match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
                std::task::Poll::Ready(output) => return output,
                std::task::Poll::Pending => std::thread::park(),
            }
        }
    }
    let address = own_address();
    let handle = block_on(start(MemorySource::new(objects()), address));
    assert_eq!(name_at((address, *PORT).into()).as_deref(), Some("one"));
    block_on(handle.drain(Duration::from_secs(5)));
}

#[tokio::test]
async fn port_in_use_is_reported_and_opened_once_free() {
    let address = own_address();
    let taken = TcpListener::bind((address, *PORT)).unwrap();
    let memory = MemorySource::new(objects());
    memory.update(|objects| {
        objects.insert(gateway("other", *OTHER_PORT));
        objects.insert(route("s", "other", "one"));
    });
    let handle = start(memory, address).await;
    let mut reports = handle.reports();

    let report = handle.report();
    let (gateway, listener) = programmed(&report, "g");
    assert_eq!((gateway.status, gateway.reason), (ConditionStatus::False, Reason::NO_RESOURCES));
    assert_eq!(
        (listener.status, listener.reason),
        (ConditionStatus::False, Reason::PORT_UNAVAILABLE)
    );
    assert!(listener.message.contains("address already in use"), "{}", listener.message);
    assert!(addresses(&report, "g").is_empty());
    let accepted = find_condition(
        &report.status.gateways[&name("g")].listeners[0].conditions,
        &ConditionType::ACCEPTED,
    )
    .unwrap();
    assert_eq!(accepted.status, ConditionStatus::True);
    // The other Gateway is none the worse for it.
    assert_eq!(programmed(&report, "other").0.status, ConditionStatus::True);
    assert_eq!(name_at((address, *OTHER_PORT).into()).as_deref(), Some("one"));

    drop(taken);
    let report = report_where(&mut reports, "the port is open", |report| {
        programmed(report, "g").1.status == ConditionStatus::True
    })
    .await;
    assert_eq!(programmed(&report, "g").0.status, ConditionStatus::True);
    assert_eq!(addresses(&report, "g"), [address.to_string()]);
    assert_eq!(name_at((address, *PORT).into()).as_deref(), Some("one"));
}

#[tokio::test]
async fn address_of_another_host_is_reported() {
    let (ours, memory) = (own_address(), MemorySource::new(objects()));
    let wanted = |value: &str| GatewayAddress {
        address_type: GatewayAddressType::IpAddress,
        value: Some(value.to_owned()),
    };
    let with_addresses = |addresses: Vec<GatewayAddress>| {
        let mut gateway = gateway("g", *PORT);
        gateway.spec.addresses = addresses;
        gateway
    };
    // From the block for documentation: nobody has it.
    let theirs = "203.0.113.77";
    memory.update(|objects| {
        objects.insert(with_addresses(vec![wanted(theirs), wanted(&ours.to_string())]))
    });
    let handle = start(memory.clone(), own_address()).await;
    let mut reports = handle.reports();
    let report = handle.report();
    let (gateway, _) = programmed(&report, "g");
    assert_eq!(
        (gateway.status, gateway.reason),
        (ConditionStatus::False, Reason::ADDRESS_NOT_USABLE)
    );
    assert!(gateway.message.contains(theirs), "{}", gateway.message);
    assert_eq!(addresses(&report, "g"), [ours.to_string()]);
    assert_eq!(name_at((ours, *PORT).into()).as_deref(), Some("one"));

    memory.update(|objects| objects.insert(with_addresses(vec![wanted(&ours.to_string())])));
    report_where(&mut reports, "programmed", |report| {
        programmed(report, "g").0.status == ConditionStatus::True
    })
    .await;
}

#[tokio::test]
async fn port_conflict_is_won_by_the_older_gateway() {
    let (memory, address) = (MemorySource::new(objects()), own_address());
    memory.update(|objects| {
        let mut young = gateway("a-young-one", *PORT);
        young.metadata.creation_timestamp = Some("2026-02-01T00:00:00Z".parse().unwrap());
        objects.insert(young);
        let mut old = gateway("g", *PORT);
        old.metadata.creation_timestamp = Some("2026-01-01T00:00:00Z".parse().unwrap());
        objects.insert(old);
        objects.insert(service("two"));
        objects.insert(slice("two", backend("two")));
        objects.insert(route("s", "a-young-one", "two"));
    });
    let handle = start(memory.clone(), address).await;
    let (_, listener) = programmed(&handle.report(), "a-young-one");
    assert_eq!(
        (listener.status, listener.reason),
        (ConditionStatus::False, Reason::PORT_UNAVAILABLE)
    );
    assert_eq!(name_at((address, *PORT).into()).as_deref(), Some("one"));
    memory.update(|objects| objects.gateways.remove(&name("g")));
    eventually("the younger one has the port", || {
        name_at((address, *PORT).into()).as_deref() == Some("two")
    });
}

#[tokio::test]
async fn duplicate_object_is_taken_from_the_first_source() {
    let (first, second, address) =
        (MemorySource::new(objects()), MemorySource::default(), own_address());
    second.update(|objects| {
        objects.insert(service("two"));
        objects.insert(slice("two", backend("two")));
        objects.insert(route("r", "g", "two"));
    });
    let handle =
        Server::builder().source(first.clone()).source(second).bind(address).start().await.unwrap();
    assert_eq!(
        handle.report().problems,
        [
            "TCPRoute default/r: several sources contain this object; the one of source memory is used. Remove it from the other sources"
        ]
    );
    let at = (address, *PORT).into();
    assert_eq!(name_at(at).as_deref(), Some("one"));
    first.update(|objects| objects.tcp_routes.clear());
    eventually("the second one's route is heard", || name_at(at).as_deref() == Some("two"));
    handle.shutdown().await;
}

/// Publishes what it is told to, and ends as it is told to.
struct Scripted {
    script: watch::Receiver<Option<Result<Resources, String>>>,
    status: Arc<Mutex<Option<watch::Receiver<StatusUpdate>>>>,
}

#[async_trait]
impl Source for Scripted {
    fn name(&self) -> String {
        "scripted".to_owned()
    }

    async fn run(mut self: Box<Self>, feed: Feed) -> Result<(), SourceError> {
        *self.status.lock().unwrap() = Some(feed.status());
        while self.script.changed().await.is_ok() {
            let next = self.script.borrow_and_update().clone();
            match next {
                Some(Ok(objects)) => feed.publish(objects),
                Some(Err(error)) => return Err(error.into()),
                None => {}
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn custom_source_receives_status_and_may_fail() {
    let (script, status) = (watch::Sender::new(None), Arc::default());
    let source = Scripted { script: script.subscribe(), status: Arc::clone(&status) };
    script.send_replace(Some(Ok(objects())));
    let address = own_address();
    let handle = start(source, address).await;
    let mut status = status.lock().unwrap().take().unwrap();
    let said = status.wait_for(|said| said.status.gateways.contains_key(&name("g"))).await.unwrap();
    assert_eq!(said.status.tcp_routes.len(), 1);
    drop(said);

    script.send_replace(Some(Err("out of luck".to_owned())));
    // The source has gone when its end of the status has.
    eventually("the source has ended", || script.receiver_count() == 0);
    let mut reports = handle.reports();
    let report =
        report_where(&mut reports, "the failure", |report| !report.problems.is_empty()).await;
    assert_eq!(
        report.problems,
        [
            "source scripted failed: out of luck. Its last objects stay in use, but it receives no further updates; restart the program"
        ]
    );
    assert_eq!(name_at((address, *PORT).into()).as_deref(), Some("one"));
    handle.shutdown().await;
}

#[tokio::test]
async fn start_fails_if_a_source_fails_before_its_first_snapshot() {
    let script = watch::Sender::new(None);
    let source = Scripted { script: script.subscribe(), status: Arc::default() };
    script.send_replace(Some(Err("no such cluster".to_owned())));
    let error = Server::builder().source(source).start().await.unwrap_err();
    let StartError::Source { name, source } = error else { panic!("{error:?}") };
    assert_eq!((name.as_str(), source.to_string().as_str()), ("scripted", "no such cluster"));
    assert!(matches!(Server::builder().start().await, Err(StartError::NoSource)));
}

#[tokio::test]
async fn handle_drop_stops_the_gateway() {
    let address = own_address();
    let handle = start(MemorySource::new(objects()), address).await;
    let at = SocketAddr::new(address, *PORT);
    assert_eq!(name_at(at).as_deref(), Some("one"));
    drop(handle);
    eventually("the port is closed", || TcpStream::connect(at).is_err());
}

/// Never publishes anything.
struct Silent(watch::Sender<()>);

#[async_trait]
impl Source for Silent {
    fn name(&self) -> String {
        "silent".to_owned()
    }

    async fn run(self: Box<Self>, _feed: Feed) -> Result<(), SourceError> {
        self.0.closed().await;
        std::future::pending().await
    }
}

#[tokio::test]
async fn start_future_drop_stops_the_gateway() {
    let alive = watch::Sender::new(());
    let here = alive.subscribe();
    let starting = Server::builder().source(Silent(alive)).start();
    assert!(tokio::time::timeout(Duration::from_millis(10), starting).await.is_err());
    eventually("the source is gone", || here.has_changed().is_err());
}

#[tokio::test]
async fn drain_future_drop_stops_the_gateway() {
    let (memory, address) = (MemorySource::new(objects()), own_address());
    let handle = start(memory, address).await;
    let mut reports = handle.reports();
    let mut live = TcpStream::connect((address, *PORT)).unwrap();
    live.set_read_timeout(Some(support::WAIT_TIMEOUT)).unwrap();
    // The backend has said its name: the connection is through.
    std::io::Read::read_exact(&mut live, &mut [0; 4]).unwrap();
    let drain = handle.drain(Duration::from_secs(3600));
    assert!(tokio::time::timeout(Duration::from_millis(10), drain).await.is_err());
    while tokio::time::timeout(support::WAIT_TIMEOUT, reports.next()).await.unwrap().is_some() {}
    let end = std::io::Read::read(&mut live, &mut [0]).unwrap_err();
    assert_eq!(end.kind(), std::io::ErrorKind::ConnectionReset);
}
