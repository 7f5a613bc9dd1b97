//! The template of the Services of Gateways.

use crate::model::{ExternalTrafficPolicy, Labels, NamespaceName, ServiceType};

/// Template of the Services in front of Gateways.
///
/// ```
/// use sluicegate::model::ServiceType;
/// use sluicegate::sources::ServiceTemplate;
///
/// let selector = [("app".to_owned(), "sluicegate".to_owned())].into();
/// let template = ServiceTemplate::new("sluicegate-system".parse()?, selector)
///     .with_service_type(ServiceType::NodePort);
/// assert_eq!(template.service_type, ServiceType::NodePort);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceTemplate {
    /// Namespace of the Services. The replicas of this gateway run there. No one but the operator
    /// of the gateway may have permission to edit Services in it, because the `targetPort`s of the
    /// Services decide which Gateway a connection belongs to.
    pub namespace: NamespaceName,
    /// Selector of the Services: the labels of the replicas of this gateway.
    pub selector: Labels,
    /// Type of the Services. Default: LoadBalancer.
    pub service_type: ServiceType,
    /// Annotations of the Services. They take precedence over those of a Gateway's
    /// `infrastructure`.
    pub annotations: Labels,
    /// External traffic policy of the Services: the nodes that accept connections from outside of
    /// the cluster. Default: all nodes.
    pub external_traffic_policy: ExternalTrafficPolicy,
}

impl ServiceTemplate {
    /// Creates a template of Services of type LoadBalancer in `namespace`, in front of the pods
    /// that `selector` matches: the replicas of this gateway.
    pub fn new(namespace: NamespaceName, selector: Labels) -> Self {
        Self {
            namespace,
            selector,
            service_type: ServiceType::LoadBalancer,
            annotations: Labels::new(),
            external_traffic_policy: ExternalTrafficPolicy::default(),
        }
    }

    /// Sets the type of the Services.
    #[must_use]
    pub fn with_service_type(mut self, service_type: ServiceType) -> Self {
        self.service_type = service_type;
        self
    }

    /// Sets the annotations of the Services.
    #[must_use]
    pub fn with_annotations(mut self, annotations: Labels) -> Self {
        self.annotations = annotations;
        self
    }

    /// Sets the external traffic policy of the Services.
    #[must_use]
    pub fn with_external_traffic_policy(mut self, policy: ExternalTrafficPolicy) -> Self {
        self.external_traffic_policy = policy;
        self
    }
}
