//! Rules in CEL (`x-kubernetes-validations`) of the custom resource definitions, in Rust.
//!
//! The definitions have two dozen rules. An interpreter of CEL would be a large dependency that
//! evaluates input for each request; a test checks that no rule of the definitions is missing here.

use serde_json::Value;

use super::rule_checks as checks;

/// Rule of a schema.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) check: Check,
    pub(super) message: String,
}

/// Condition that a value must meet.
#[derive(Debug, Clone, Copy)]
pub(super) enum Check {
    /// Condition on the value.
    Value(fn(&Value) -> bool),
    /// Condition on a change, with the new value first.
    Change(fn(&Value, &Value) -> bool),
}

/// Returns the condition that a rule in CEL expresses.
pub(super) fn find(expression: &str) -> Option<Check> {
    let found = RULES.iter().find(|(rule, _)| *rule == expression);
    found.map(|(_, check)| *check)
}

/// The rules, as the definitions write them.
pub(super) const RULES: &[(&str, Check)] = &[
    ("self == oldSelf", Check::Change(|new, old| new == old)),
    (
        "self.all(l1, self.exists_one(l2, l1.name == l2.name))",
        Check::Value(checks::names_are_unique),
    ),
    (
        "self.all(l1, !has(l1.name) || self.exists_one(l2, has(l2.name) && l1.name == l2.name))",
        Check::Value(checks::optional_names_are_unique),
    ),
    (
        "self.all(l1, self.exists_one(l2, l1.port == l2.port && l1.protocol == l2.protocol && \
         (has(l1.hostname) && has(l2.hostname) ? l1.hostname == l2.hostname : !has(l1.hostname) && \
         !has(l2.hostname))))",
        Check::Value(checks::listeners_are_distinct),
    ),
    (
        "self.all(l, l.protocol in ['HTTP', 'TCP', 'UDP'] ? !has(l.tls) : true)",
        Check::Value(checks::plain_protocols_have_no_tls),
    ),
    (
        "self.all(l, (l.protocol == 'HTTPS' && has(l.tls)) ? (l.tls.mode == '' || l.tls.mode == \
         'Terminate') : true)",
        Check::Value(checks::https_terminates_tls),
    ),
    (
        "self.all(l, (l.protocol == 'TLS' ? has(l.tls) && has(l.tls.mode) && l.tls.mode != '' : \
         true))",
        Check::Value(checks::tls_has_mode),
    ),
    (
        "self.all(l, l.protocol in ['TCP', 'UDP']  ? (!has(l.hostname) || l.hostname == '') : true)",
        Check::Value(checks::tcp_has_no_hostname),
    ),
    (
        "self.mode == 'Terminate' ? size(self.certificateRefs) > 0 || size(self.options) > 0 : true",
        Check::Value(checks::terminated_tls_has_certificate),
    ),
    (
        "self.all(t1, self.exists_one(t2, t1.port == t2.port))",
        Check::Value(checks::ports_are_unique),
    ),
    (
        "self.all(a1, a1.type == 'IPAddress' && has(a1.value) ? self.exists_one(a2, a2.type == \
         a1.type && has(a2.value) && a2.value == a1.value) : true )",
        Check::Value(|list| checks::addresses_are_unique(list, "IPAddress")),
    ),
    (
        "self.all(a1, a1.type == 'Hostname'  && has(a1.value) ? self.exists_one(a2, a2.type == \
         a1.type && has(a2.value) && a2.value == a1.value) : true )",
        Check::Value(|list| checks::addresses_are_unique(list, "Hostname")),
    ),
    (
        "self.type == 'Hostname' ? (!has(self.value) || self.value.matches(r\"\"\"^(\\*\\.)?[a-z0-9]\
         ([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$\"\"\")): true",
        Check::Value(checks::hostname_is_valid),
    ),
    (
        "self.type == 'Hostname' ? self.value.matches(r\"\"\"^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?\
         (\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$\"\"\"): true",
        Check::Value(checks::hostname_is_valid),
    ),
    (
        "self.all(key, key.matches(r\"\"\"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*\
         [a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$\"\"\"))",
        Check::Value(checks::keys_are_label_keys),
    ),
    ("self.all(key, key.split(\"/\")[0].size() < 253)", Check::Value(checks::prefixes_are_short)),
    (
        "(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true",
        Check::Value(checks::service_reference_has_port),
    ),
    (
        "self.all(p1, self.all(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name \
         && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || \
         p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && \
         p1.__namespace__ == p2.__namespace__)) ? ((!has(p1.sectionName) || p1.sectionName == '') \
         == (!has(p2.sectionName) || p2.sectionName == '') && (!has(p1.port) || p1.port == 0) == \
         (!has(p2.port) || p2.port == 0)): true))",
        Check::Value(checks::parents_set_the_same_fields),
    ),
    (
        "self.all(p1, self.exists_one(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == \
         p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && \
         (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && \
         has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__ )) && \
         (((!has(p1.sectionName) || p1.sectionName == '') && (!has(p2.sectionName) || \
         p2.sectionName == '')) || ( has(p1.sectionName) && has(p2.sectionName) && p1.sectionName \
         == p2.sectionName)) && (((!has(p1.port) || p1.port == 0) && (!has(p2.port) || p2.port == \
         0)) || (has(p1.port) && has(p2.port) && p1.port == p2.port))))",
        Check::Value(checks::parents_are_distinct),
    ),
];
