package tcpvariants

import (
	"context"
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sluicegate.dev/conformance/tests/harness"
)

// Programmed asks for the word to be kept: who waits for it, as the walk-through does, and then
// connects, must get through, whichever replica it is led to.
var Programmed = suite.ConformanceTest{
	ShortName:   "GatewayProgrammedIsReachable",
	Description: "From the moment a Gateway is Programmed its listeners take connections.",
	Features:    tcpFeatures,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		for i := range 20 {
			name := fmt.Sprintf("programmed-%d", i)
			create(t, s, routeTo(name, name, "echo-1"), gatewayOf(s.GatewayClassName, name))
			at := ""
			harness.Eventually(t, soon, name+" is programmed", func(ctx context.Context) error {
				gateway := v1.Gateway{}
				if err := s.Client.Get(ctx, infra(name), &gateway); err != nil {
					return err
				}
				if err := mismatch(&gateway, gateway.Status.Conditions, []metav1.Condition{yes("Programmed")}); err != nil {
					return err
				}
				at = gateway.Status.Addresses[0].Value + ":9000"
				return nil
			})
			for range 10 {
				if got := knock(t.Context(), at); got != served {
					t.Errorf("a connection to %s is %s", name, got)
				}
			}
		}
	},
}
