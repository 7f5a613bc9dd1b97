//! The result depends on the objects alone, and only on those that refer to each other.

use proptest::prelude::*;
use sluicegate::model::*;
use sluicegate::translate::{Assignments, translate};

use crate::objects::{objects, parse, settings};
use crate::{config, resources};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn object_order_does_not_matter(
        (objects, shuffled) in objects().prop_flat_map(|objects| (Just(objects.clone()), Just(objects).prop_shuffle())),
        settings in settings(),
    ) {
        let translated = |objects: &[Object]| {
            translate(&resources(objects), &settings, &Assignments::default())
        };
        prop_assert_eq!(translated(&objects), translated(&shuffled));
    }

    #[test]
    fn unrelated_object_changes_nothing_else(
        objects in objects(),
        unrelated in unrelated(),
        settings in settings(),
    ) {
        let translated = |objects: &[Object]| {
            translate(&resources(objects), &settings, &Assignments::default())
        };
        let before = translated(&objects);
        let after = translated(&[&objects[..], &[unrelated][..]].concat());
        prop_assert_eq!(before.plan, after.plan);
        prop_assert_eq!(before.status, after.status);
    }
}

/// Returns an object to which no other object refers.
fn unrelated() -> impl Strategy<Value = Object> {
    let metadata =
        ObjectMeta { namespace: Some(parse("elsewhere")), ..ObjectMeta::named(parse("unrelated")) };
    let gateway = Gateway {
        metadata: metadata.clone(),
        spec: GatewaySpec {
            gateway_class_name: parse("missing"),
            listeners: Vec::new(),
            addresses: Vec::new(),
            infrastructure: None,
            allowed_listeners: None,
            tls: None,
            default_scope: None,
        },
        status: None,
    };
    let route = TcpRoute {
        metadata: metadata.clone(),
        spec: TcpRouteSpec {
            parent_refs: vec![ParentRef::gateway(parse("g"))],
            use_default_gateways: None,
            rules: Vec::new(),
        },
        status: None,
    };
    proptest::sample::select(vec![
        gateway.into(),
        route.into(),
        Service { metadata, spec: ServiceSpec::default(), status: None }.into(),
        Namespace { metadata: ObjectMeta::named(parse("elsewhere")) }.into(),
    ])
}
