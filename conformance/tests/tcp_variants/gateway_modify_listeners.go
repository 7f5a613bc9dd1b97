package tcpvariants

import (
	"testing"

	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// ModifyListeners is GatewayModifyListeners over TCP, with traffic.
var ModifyListeners = suite.ConformanceTest{
	ShortName:   "GatewayModifyListenersOverTCP",
	Description: "A listener that is added carries what its routes say, one that is removed is closed, and the others go on.",
	Features:    tcpFeatures,
	Manifests:   []string{"gateway_modify_listeners.yaml"},
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		t.Run("add", func(t *testing.T) {
			gateway, waiting := infra("add-listener"), infra("waiting-for-its-listener")
			expectListeners(t, s, gateway, serving("first", 1))
			expectRoute(t, s, waiting, []string{gateway.Name}, no("Accepted", "NoMatchingParent"))
			at := address(t, s, gateway, "first")
			expectBackend(t, at, "echo-1")

			edit(t, s, gateway, &v1.Gateway{}, func(g *v1.Gateway) {
				g.Spec.Listeners = append(g.Spec.Listeners, v1.Listener{Name: "second", Port: 9001, Protocol: v1.TCPProtocolType})
			})
			expectListeners(t, s, gateway, serving("first", 1), serving("second", 2))
			expectRoute(t, s, waiting, []string{gateway.Name}, yes("Accepted"), yes("ResolvedRefs"))
			expectBackend(t, at, "echo-1")
			expectBackend(t, withPort(at, 9001), "echo-1")
		})
		t.Run("remove", func(t *testing.T) {
			gateway := infra("remove-listener")
			expectListeners(t, s, gateway, serving("stays", 1), serving("goes", 1))
			at := address(t, s, gateway, "stays")
			expectBackend(t, withPort(at, 9001), "echo-1")

			edit(t, s, gateway, &v1.Gateway{}, func(g *v1.Gateway) { g.Spec.Listeners = g.Spec.Listeners[:1] })
			expectListeners(t, s, gateway, serving("stays", 1))
			expectBackend(t, at, "echo-1")
			expectFate(t, withPort(at, 9001), closed)
		})
	},
}
