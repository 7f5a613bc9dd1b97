package tcpvariants

import (
	"testing"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// NonTCPListener is TCPRouteInvalidNonTCPListener with a TCP listener beside the HTTP one, so that
// the Gateway has something to be accepted for.
var NonTCPListener = suite.ConformanceTest{
	ShortName:   "TCPRouteInvalidNonTCPListenerBesideTCP",
	Description: "A TCPRoute for a listener of another protocol is not allowed there, and not counted anywhere.",
	Features:    tcpFeatures,
	Manifests:   []string{"route_not_tcp.yaml"},
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		gateway := infra("http-beside-tcp")
		expectGateway(t, s, gateway, yesBut("Accepted", "ListenersNotValid"), yes("Programmed"))
		expectRoute(t, s, infra("pinned-to-http"), []string{gateway.Name}, no("Accepted", "NotAllowedByListeners"))
		expectListeners(t, s, gateway, unsupported("http"), serving("tcp", 0))
	},
}

// NoMatchingParent asks for what a parentRef selects to be there.
var NoMatchingParent = suite.ConformanceTest{
	ShortName:   "TCPRouteNoMatchingParent",
	Description: "A parentRef that selects no listener, by name, by port, or by both of different ones, has no matching parent.",
	Features:    tcpFeatures,
	Manifests:   []string{"route_no_matching_parent.yaml"},
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		gateway := infra("no-matching-parent")
		for _, route := range []string{"unknown-section", "unknown-port", "section-and-port-of-two-listeners"} {
			expectRoute(t, s, infra(route), []string{gateway.Name}, no("Accepted", "NoMatchingParent"), yes("ResolvedRefs"))
		}
		expectListeners(t, s, gateway, serving("one", 0), serving("two", 0))
	},
}

// AllowedNamespaces asks for Same, All and Selector, and for a label to make the difference.
var AllowedNamespaces = suite.ConformanceTest{
	ShortName:   "TCPRouteAllowedNamespaces",
	Description: "A listener takes routes of the namespaces that it allows, and follows their labels.",
	Features:    tcpFeatures,
	Manifests:   []string{"route_namespaces.yaml"},
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		const elsewhere = "gateway-conformance-elsewhere"
		same, all, selected := "same-namespace", "all-namespaces", "backend-namespaces"
		namespaces := map[string]string{"infra": suite.InfrastructureNamespace, "app": suite.AppBackendNamespace, "elsewhere": elsewhere}
		expect := func(from, to, gateway string, accepted bool) {
			t.Helper()
			condition := yes("Accepted")
			if !accepted {
				condition = no("Accepted", "NotAllowedByListeners")
			}
			route := types.NamespacedName{Namespace: namespaces[from], Name: "from-" + from + "-to-" + to}
			expectRoute(t, s, route, []string{gateway}, condition, yes("ResolvedRefs"))
		}
		for from, inside := range map[string]bool{"infra": true, "app": false, "elsewhere": false} {
			expect(from, "same", same, inside)
			expect(from, "all", all, true)
			expect(from, "backend", selected, from == "app")
		}
		expectListeners(t, s, infra(same), serving("tcp", 1))
		expectListeners(t, s, infra(all), serving("tcp", 3))
		expectListeners(t, s, infra(selected), serving("tcp", 1))
		expectBackend(t, address(t, s, infra(selected), "tcp"), "echo-1")

		edit(t, s, types.NamespacedName{Name: elsewhere}, &core.Namespace{}, func(n *core.Namespace) {
			n.Labels["gateway-conformance"] = "backend"
		})
		expect("elsewhere", "backend", selected, true)
		expectListeners(t, s, infra(selected), serving("tcp", 2))
		edit(t, s, types.NamespacedName{Name: elsewhere}, &core.Namespace{}, func(n *core.Namespace) {
			delete(n.Labels, "gateway-conformance")
		})
		expect("elsewhere", "backend", selected, false)
		expectListeners(t, s, infra(selected), serving("tcp", 1))
	},
}

// ParentsPruned asks that a route's status forgets the Gateways that it has left.
var ParentsPruned = suite.ConformanceTest{
	ShortName:   "TCPRouteParentsPruned",
	Description: "A Gateway that a route has left, or that is gone, is no parent in its status, even if it was the last.",
	Features:    tcpFeatures,
	Manifests:   []string{"route_parents.yaml"},
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		route, one, two := infra("parents"), "parents-one", "parents-two"
		parents := func(gateways ...string) {
			t.Helper()
			edit(t, s, route, &v1.TCPRoute{}, func(r *v1.TCPRoute) {
				r.Spec.ParentRefs = nil
				for _, gateway := range gateways {
					r.Spec.ParentRefs = append(r.Spec.ParentRefs, v1.ParentReference{Name: v1.ObjectName(gateway)})
				}
			})
		}
		expectRoute(t, s, route, []string{one, two}, yes("Accepted"), yes("ResolvedRefs"))
		parents(two)
		expectRoute(t, s, route, []string{two}, yes("Accepted"), yes("ResolvedRefs"))
		expectListeners(t, s, infra(one), serving("tcp", 0))
		parents()
		expectRoute(t, s, route, []string{})
		expectListeners(t, s, infra(two), serving("tcp", 0))

		parents(one)
		expectRoute(t, s, route, []string{one}, yes("Accepted"), yes("ResolvedRefs"))
		require.NoError(t, s.Client.Delete(t.Context(), &v1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: route.Namespace, Name: one}}))
		expectRoute(t, s, route, []string{})
	},
}
