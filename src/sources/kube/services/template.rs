//! What the Services of all Gateways have in common.

use crate::model::{ExternalTrafficPolicy, Labels, NamespacedName, ServiceType};

/// What the Services in front of Gateways have in common.
///
/// ```
/// use sluicegate::model::ServiceType;
/// use sluicegate::sources::ServiceTemplate;
///
/// let template = ServiceTemplate::new("sluicegate-system/sluicegate-replicas".parse()?)
///     .with_service_type(ServiceType::NodePort);
/// assert_eq!(template.service_type, ServiceType::NodePort);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceTemplate {
    /// How clients reach them. Default: through a load balancer.
    pub service_type: ServiceType,
    /// Their annotations; those of a Gateway's `infrastructure` add to them.
    pub annotations: Labels,
    /// Which nodes take connections from outside. Default: all.
    pub external_traffic_policy: ExternalTrafficPolicy,
    /// The headless Service whose endpoints are the replicas of this gateway.
    pub replicas: NamespacedName,
}

impl ServiceTemplate {
    /// Services of type LoadBalancer that lead to `replicas`: the headless Service whose endpoints
    /// are the replicas of this gateway.
    pub fn new(replicas: NamespacedName) -> Self {
        Self {
            service_type: ServiceType::LoadBalancer,
            annotations: Labels::new(),
            external_traffic_policy: ExternalTrafficPolicy::default(),
            replicas,
        }
    }

    /// How clients reach them.
    #[must_use]
    pub fn with_service_type(mut self, service_type: ServiceType) -> Self {
        self.service_type = service_type;
        self
    }

    /// Their annotations.
    #[must_use]
    pub fn with_annotations(mut self, annotations: Labels) -> Self {
        self.annotations = annotations;
        self
    }

    /// Which nodes take connections from outside.
    #[must_use]
    pub fn with_external_traffic_policy(mut self, policy: ExternalTrafficPolicy) -> Self {
        self.external_traffic_policy = policy;
        self
    }
}
