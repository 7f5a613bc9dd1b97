package tcpvariants

import (
	"testing"

	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// TLSListeners stands for GatewayInvalidTLSConfiguration. No TLS is served, so that there is no
// certificate whose faults could be told; what can be asked is that every such listener is refused
// for its protocol, whatever its certificate, and that a TCP listener beside them goes on.
var TLSListeners = suite.ConformanceTest{
	ShortName:   "GatewayTLSListenersBesideTCP",
	Description: "HTTPS and TLS listeners are refused for their protocol, be their certificates right or wrong, and disturb no neighbour.",
	Features:    tcpFeatures,
	Manifests:   []string{"gateway_tls.yaml"},
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		gateway := infra("tls-beside-tcp")
		expectGateway(t, s, gateway, yesBut("Accepted", "ListenersNotValid"), yes("Programmed"))
		expectListeners(t, s, gateway, serving("tcp", 1), unsupported("https"), unsupported("wrong-group"),
			unsupported("wrong-kind"), unsupported("right"), unsupported("passthrough"))
		at := address(t, s, gateway, "tcp")
		expectBackend(t, at, "echo-1")
		for _, port := range []int{443, 8441, 8442, 8443, 8444} {
			expectFate(t, withPort(at, port), closed)
		}
	},
}
