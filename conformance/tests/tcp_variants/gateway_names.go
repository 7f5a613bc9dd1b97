package tcpvariants

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// Names asks for every name that a Gateway may have, which is more than a Service or a label may.
var Names = suite.ConformanceTest{
	ShortName:   "GatewayNames",
	Description: "Gateways with names that no Service and no label could have, and with the same port, are each reached.",
	Features:    tcpFeatures,
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		long := strings.Repeat("n", 252)
		names := []string{long + "n", long + "m", "with.dots", "with-dots", "1st"}
		for i, name := range names {
			create(t, s, gatewayOf(s.GatewayClassName, name), routeTo(fmt.Sprintf("names-%d", i), name, "echo-1"))
		}
		seen := map[string]bool{}
		for _, name := range names {
			expectGateway(t, s, infra(name), yes("Accepted"), yes("Programmed"))
			at := address(t, s, infra(name), "tcp")
			require.Falsef(t, seen[at], "%s has the address of another", name)
			seen[at] = true
			expectBackend(t, at, "echo-1")
		}
	},
}
