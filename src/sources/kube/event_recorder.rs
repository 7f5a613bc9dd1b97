//! Sending Events to the API server.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::{Event, EventSeries};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::model::{GatewayController, NamespaceName, ObjectKey, default_namespace};
use crate::sources::events::{RateLimit, Warning, event_name, reporting_controller};

/// Maximum number of queued Events. Further ones are dropped: the status contains the same
/// messages.
const EVENT_QUEUE_LEN: usize = 256;

/// Maximum time that sending one Event may take.
const EVENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum length of the name of the reporting instance.
const MAX_INSTANCE_LEN: usize = 128;

/// Sends Events, one after the other.
#[derive(Debug)]
pub(super) struct EventRecorder {
    controller: String,
    identity: String,
    rate_limit: RateLimit,
    queue: mpsc::Sender<(NamespaceName, Event)>,
}

impl EventRecorder {
    /// Creates a recorder, and the task that sends its Events until the recorder is dropped.
    pub(super) fn new(
        client: Client,
        controller: &GatewayController,
        identity: &str,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (sender, mut queue) = mpsc::channel::<(NamespaceName, Event)>(EVENT_QUEUE_LEN);
        let send = async move {
            while let Some((namespace, event)) = queue.recv().await {
                let events: Api<Event> = Api::namespaced(client.clone(), namespace.as_str());
                let parameters = PostParams::default();
                // A failure is not retried: the status contains the same message.
                match timeout(EVENT_TIMEOUT, events.create(&parameters, &event)).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => tracing::debug!(%error, "cannot create an Event"),
                    Err(_) => {
                        tracing::debug!("cannot create an Event: the API server did not respond")
                    }
                }
            }
        };
        let identity = identity.chars().take(MAX_INSTANCE_LEN).collect();
        let rate_limit = RateLimit::default();
        let controller = reporting_controller(controller);
        (Self { controller, identity, rate_limit, queue: sender }, send)
    }

    /// Sends an Event for each warning about the object `key`, unless there were many of them
    /// recently.
    pub(super) fn record(&mut self, key: &ObjectKey, uid: Option<&str>, warnings: &[Warning]) {
        for warning in warnings {
            let Some(count) = self.rate_limit.admit(key, warning, Instant::now()) else { continue };
            let namespace = key.namespace.clone().unwrap_or_else(default_namespace);
            let event = self.build_event(warning, key, uid, &namespace, count);
            let _ = self.queue.try_send((namespace, event));
        }
    }

    /// Builds an Event that stands for `count` Events.
    fn build_event(
        &self,
        warning: &Warning,
        key: &ObjectKey,
        uid: Option<&str>,
        namespace: &NamespaceName,
        count: u32,
    ) -> Event {
        let now = Timestamp::now();
        Event {
            metadata: ObjectMeta {
                name: Some(event_name(&key.name, now.as_nanosecond())),
                namespace: Some(namespace.to_string()),
                ..ObjectMeta::default()
            },
            type_: Some("Warning".to_owned()),
            reason: Some(warning.reason.to_string()),
            action: Some(warning.action.to_owned()),
            note: Some(warning.note()),
            event_time: Some(MicroTime(now)),
            series: (count > 1).then(|| EventSeries {
                count: i32::try_from(count).unwrap_or(i32::MAX),
                last_observed_time: MicroTime(now),
            }),
            reporting_controller: Some(self.controller.clone()),
            reporting_instance: Some(self.identity.clone()),
            regarding: Some(object_reference(key, uid)),
            ..Event::default()
        }
    }
}

fn object_reference(key: &ObjectKey, uid: Option<&str>) -> ObjectReference {
    ObjectReference {
        api_version: Some(key.kind.api_version()),
        kind: Some(key.kind.to_string()),
        name: Some(key.name.to_string()),
        namespace: key.namespace.as_ref().map(ToString::to_string),
        uid: uid.map(str::to_owned),
        ..ObjectReference::default()
    }
}
