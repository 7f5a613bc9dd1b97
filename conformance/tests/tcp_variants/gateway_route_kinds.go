package tcpvariants

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// InvalidRouteKind is GatewayInvalidRouteKind over TCP.
var InvalidRouteKind = suite.ConformanceTest{
	ShortName:   "GatewayInvalidRouteKindOverTCP",
	Description: "A listener that allows an unknown kind says so, stays accepted, and supports those it knows.",
	Features:    tcpFeatures,
	Manifests:   []string{"gateway_route_kinds.yaml"},
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		for gateway, kinds := range map[string][]v1.RouteGroupKind{
			"only-invalid-route-kind":          nil,
			"supported-and-invalid-route-kind": tcpRoutes,
			"route-kind-of-another-group":      nil,
		} {
			expectListeners(t, s, infra(gateway), v1.ListenerStatus{
				Name:           "tcp",
				SupportedKinds: kinds,
				Conditions:     []metav1.Condition{yes("Accepted"), no("ResolvedRefs", "InvalidRouteKinds")},
			})
		}
	},
}
