package tcpvariants

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sluicegate.dev/conformance/tests/harness"
)

// ObservedGeneration is GatewayObservedGenerationBump over TCP, for routes as well.
var ObservedGeneration = suite.ConformanceTest{
	ShortName:   "GatewayObservedGenerationOverTCP",
	Description: "A change of the spec is observed in every condition; times change with a status only; where nothing changed nothing is written.",
	Features:    tcpFeatures,
	Manifests:   []string{"gateway_observed_generation.yaml"},
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		name := infra("observed-generation")
		expectGateway(t, s, name, yes("Accepted"), yes("Programmed"))
		expectRoute(t, s, name, []string{name.Name}, yes("Accepted"), yes("ResolvedRefs"))
		before, routeBefore := v1.Gateway{}, v1.TCPRoute{}
		require.NoError(t, s.Client.Get(t.Context(), name, &before))
		require.NoError(t, s.Client.Get(t.Context(), name, &routeBefore))

		// The times of conditions are whole seconds.
		time.Sleep(1100 * time.Millisecond)
		edit(t, s, name, &v1.Gateway{}, func(g *v1.Gateway) {
			g.Spec.Listeners = append(g.Spec.Listeners, v1.Listener{Name: "alternate", Port: 9001, Protocol: v1.TCPProtocolType})
		})
		edit(t, s, name, &v1.TCPRoute{}, func(r *v1.TCPRoute) { r.Spec.Rules[0].BackendRefs[0].Name = "nonexistent" })
		expectGateway(t, s, name, yes("Accepted"), yes("Programmed"))
		expectListeners(t, s, name, serving("tcp", 1), serving("alternate", 1))
		expectRoute(t, s, name, []string{name.Name}, yes("Accepted"), no("ResolvedRefs", "BackendNotFound"))

		after, routeAfter := v1.Gateway{}, v1.TCPRoute{}
		require.NoError(t, s.Client.Get(t.Context(), name, &after))
		require.NoError(t, s.Client.Get(t.Context(), name, &routeAfter))
		require.Greater(t, after.Generation, before.Generation)
		times(t, before.Status.Conditions, after.Status.Conditions)
		times(t, before.Status.Listeners[0].Conditions, after.Status.Listeners[0].Conditions)
		times(t, routeBefore.Status.Parents[0].Conditions, routeAfter.Status.Parents[0].Conditions)

		harness.Always(t, 3*time.Second, "nothing is written where nothing changed", func(ctx context.Context) error {
			now, routeNow := v1.Gateway{}, v1.TCPRoute{}
			if err := s.Client.Get(ctx, name, &now); err != nil {
				return err
			}
			if err := s.Client.Get(ctx, name, &routeNow); err != nil {
				return err
			}
			if now.ResourceVersion != after.ResourceVersion || routeNow.ResourceVersion != routeAfter.ResourceVersion {
				return fmt.Errorf("the Gateway went from %s to %s, the route from %s to %s",
					after.ResourceVersion, now.ResourceVersion, routeAfter.ResourceVersion, routeNow.ResourceVersion)
			}
			return nil
		})
	},
}

// times asks that lastTransitionTime differs just where status does.
func times(t *testing.T, before, after []metav1.Condition) {
	t.Helper()
	for _, b := range before {
		for _, a := range after {
			if a.Type != b.Type {
				continue
			}
			require.Equalf(t, a.Status == b.Status, a.LastTransitionTime.Equal(&b.LastTransitionTime),
				"%s went from %s at %v to %s at %v", a.Type, b.Status, b.LastTransitionTime, a.Status, a.LastTransitionTime)
		}
	}
}
