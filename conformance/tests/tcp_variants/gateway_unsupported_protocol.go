package tcpvariants

import (
	"testing"

	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// UnsupportedProtocol is GatewayListenerUnsupportedProtocol over TCP.
var UnsupportedProtocol = suite.ConformanceTest{
	ShortName:   "GatewayListenerUnsupportedProtocolBesideTCP",
	Description: "A listener of a protocol that is not served is not accepted, and disturbs no neighbour.",
	Features:    tcpFeatures,
	Manifests:   []string{"gateway_unsupported_protocol.yaml"},
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		only, both := infra("only-unsupported-protocols"), infra("supported-and-unsupported-protocols")

		expectGateway(t, s, only, no("Accepted", "ListenersNotValid"), no("Programmed", "Invalid"))
		expectListeners(t, s, only, unsupported("invalid"))

		expectGateway(t, s, both, yesBut("Accepted", "ListenersNotValid"), yes("Programmed"))
		expectListeners(t, s, both, serving("tcp", 1), unsupported("invalid"), unsupported("udp"))
		at := address(t, s, both, "tcp")
		expectBackend(t, at, "echo-1")
		expectFate(t, withPort(at, 1111), closed)
	},
}
