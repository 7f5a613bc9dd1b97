package tcpvariants

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/utils/ptr"
	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sluicegate.dev/conformance/tests/harness"
)

// StaticAddresses is GatewayStaticAddresses over TCP, with traffic.
var StaticAddresses = suite.ConformanceTest{
	ShortName:   "GatewayStaticAddressesOverTCP",
	Description: "A type of address that is not supported is refused, one that cannot be had is reported, one that can is used.",
	Features:    tcpFeatures,
	Manifests:   []string{"gateway_static_addresses.yaml"},
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		gateway := infra("static-addresses")
		usable := s.UsableNetworkAddresses[0]
		dropFirst := func() {
			edit(t, s, gateway, &v1.Gateway{}, func(g *v1.Gateway) { g.Spec.Addresses = g.Spec.Addresses[1:] })
		}

		expectGateway(t, s, gateway, no("Accepted", "UnsupportedAddress"), no("Programmed", "Invalid"))
		dropFirst()
		expectGateway(t, s, gateway, yes("Accepted"), no("Programmed", "AddressNotUsable"))
		dropFirst()
		expectGateway(t, s, gateway, yes("Accepted"), yes("Programmed"))
		expectListeners(t, s, gateway, serving("tcp", 1))
		expectAddresses(t, s, gateway.Name, usable.Value)
		expectBackend(t, usable.Value+":8080", "echo-1")
	},
}

// OptionalAddressValue is GatewayOptionalAddressValue over TCP. The Gateway is made here, since the
// suite overwrites the addresses of those in manifests.
var OptionalAddressValue = suite.ConformanceTest{
	ShortName:   "GatewayOptionalAddressValueOverTCP",
	Description: "An address of a type but without a value is assigned.",
	Features:    tcpFeatures,
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		gateway := infra("optional-address")
		object := gatewayOf(s.GatewayClassName, gateway.Name)
		object.Spec.Addresses = []v1.GatewaySpecAddress{{Type: ptr.To(v1.IPAddressType)}}
		create(t, s, object)
		expectGateway(t, s, gateway, yes("Accepted"), yes("Programmed"))
		require.NotEmpty(t, address(t, s, gateway, "tcp"))
	},
}

// expectAddresses waits until a Gateway has just these addresses.
func expectAddresses(t *testing.T, s *suite.ConformanceTestSuite, gateway string, addresses ...string) {
	t.Helper()
	harness.Eventually(t, soon, "addresses of Gateway "+gateway, func(ctx context.Context) error {
		found := v1.Gateway{}
		if err := s.Client.Get(ctx, infra(gateway), &found); err != nil {
			return err
		}
		got := []string{}
		for _, a := range found.Status.Addresses {
			got = append(got, fmt.Sprintf("%s %s", ptr.Deref(a.Type, ""), a.Value))
		}
		expected := []string{}
		for _, a := range addresses {
			expected = append(expected, fmt.Sprintf("%s %s", v1.IPAddressType, a))
		}
		if fmt.Sprint(got) != fmt.Sprint(expected) {
			return fmt.Errorf("got %v, expected %v", got, expected)
		}
		return nil
	})
}
