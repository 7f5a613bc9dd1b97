package tcpvariants

import (
	"context"
	"fmt"
	"slices"
	"testing"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sluicegate.dev/conformance/tests/harness"
)

// Events asks for a person to be told what needs one, once, and nothing else.
var Events = suite.ConformanceTest{
	ShortName:   "Events",
	Description: "A refused reference and a shadowed route are an Event each, just once; what is well is none.",
	Features:    tcpFeatures,
	Manifests:   []string{"events.yaml"},
	// Not parallel: another test's grant for the same backend would change what is refused.
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		gateway, served, shadowed, refused := infra("events"), infra("events-a-served"), infra("events-b-shadowed"), infra("events-refused")
		expectGateway(t, s, gateway, yes("Accepted"), yes("Programmed"))
		expectRoute(t, s, refused, []string{gateway.Name}, yes("Accepted"), no("ResolvedRefs", "RefNotPermitted"))
		// Everything about them changes, but not what is wrong with them.
		for _, route := range []string{served.Name, shadowed.Name, refused.Name} {
			edit(t, s, infra(route), &v1.TCPRoute{}, func(r *v1.TCPRoute) { r.Spec.Rules[0].Name = new(v1.SectionName("renamed")) })
		}
		expectRoute(t, s, refused, []string{gateway.Name}, yes("Accepted"), no("ResolvedRefs", "RefNotPermitted"))

		expected := map[string][]string{
			gateway.Name: nil, served.Name: nil, shadowed.Name: {"Shadowed"}, refused.Name: {"RefNotPermitted"},
		}
		look := func(ctx context.Context) error {
			found := eventsv1.EventList{}
			if err := s.Client.List(ctx, &found, client.InNamespace(gateway.Namespace)); err != nil {
				return err
			}
			for name, reasons := range expected {
				got, notes := []string{}, []string{}
				for _, event := range found.Items {
					if event.Regarding.Name == name && event.Type == "Warning" {
						got, notes = append(got, event.Reason), append(notes, event.Note)
					}
				}
				if !slices.Equal(got, reasons) {
					return fmt.Errorf("%s has events %v, expected %v: %q", name, got, reasons, notes)
				}
			}
			return nil
		}
		harness.Eventually(t, soon, "events", look)

		edit(t, s, gateway, &v1.Gateway{}, func(g *v1.Gateway) { g.Annotations = map[string]string{"touched": metav1.Now().String()} })
		harness.Always(t, soon/10, "nothing is told twice", look)
	},
}
