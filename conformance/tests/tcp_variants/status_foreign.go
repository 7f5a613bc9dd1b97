package tcpvariants

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sluicegate.dev/conformance/tests/harness"
)

// The condition of somebody else. Nobody bumps its generation, and that is not ours to do either.
var theirs = metav1.Condition{
	Type: "example.com/Audited", Status: metav1.ConditionTrue, Reason: "Audited", Message: "by hand", ObservedGeneration: 1,
	LastTransitionTime: metav1.NewTime(time.Date(2020, 2, 2, 2, 2, 2, 0, time.UTC)),
}

// StatusOfOthers asks that what others say in a status stays as it is.
var StatusOfOthers = suite.ConformanceTest{
	ShortName:   "StatusOfOthersUntouched",
	Description: "Conditions and parents of others in the status of our objects stay as they are.",
	Features:    tcpFeatures,
	Manifests:   []string{"status_foreign.yaml"},
	// Not parallel: others would wait for their condition to be of the latest generation.
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		name := infra("foreign-status")
		expectGateway(t, s, name, yes("Accepted"), yes("Programmed"))
		expectRoute(t, s, name, []string{name.Name}, yes("Accepted"), yes("ResolvedRefs"))
		parent := v1.RouteParentStatus{
			ParentRef: v1.ParentReference{
				Group: ptr.To[v1.Group](v1.GroupName), Kind: ptr.To[v1.Kind]("Gateway"), Name: "of-somebody-else",
			},
			ControllerName: "example.com/controller",
			Conditions:     []metav1.Condition{theirs},
		}
		say(t, s, name, &v1.Gateway{}, func(g *v1.Gateway) {
			g.Status.Conditions = append([]metav1.Condition{theirs}, g.Status.Conditions...)
			listener := &g.Status.Listeners[0]
			listener.Conditions = append([]metav1.Condition{theirs}, listener.Conditions...)
		})
		say(t, s, name, &v1.TCPRoute{}, func(r *v1.TCPRoute) {
			r.Status.Parents = append([]v1.RouteParentStatus{parent}, r.Status.Parents...)
			r.Status.Parents[1].Conditions = append([]metav1.Condition{theirs}, r.Status.Parents[1].Conditions...)
		})

		edit(t, s, name, &v1.Gateway{}, func(g *v1.Gateway) { g.Spec.Listeners[0].Port = 9001 })
		edit(t, s, name, &v1.TCPRoute{}, func(r *v1.TCPRoute) { r.Spec.Rules[0].BackendRefs[0].Name = "nonexistent" })
		harness.Eventually(t, soon, "ours is renewed and theirs is kept", func(ctx context.Context) error {
			gateway, route := v1.Gateway{}, v1.TCPRoute{}
			if err := s.Client.Get(ctx, name, &gateway); err != nil {
				return err
			}
			if err := s.Client.Get(ctx, name, &route); err != nil {
				return err
			}
			if len(route.Status.Parents) != 2 || !equality.Semantic.DeepEqual(route.Status.Parents[0], parent) {
				return fmt.Errorf("parents of the route: %+v", route.Status.Parents)
			}
			for _, conditions := range []struct {
				of       client.Object
				got      []metav1.Condition
				expected metav1.Condition
			}{
				{&gateway, gateway.Status.Conditions, yes("Programmed")},
				{&gateway, gateway.Status.Listeners[0].Conditions, yes("Programmed")},
				{&route, route.Status.Parents[1].Conditions, no("ResolvedRefs", "BackendNotFound")},
			} {
				if !equality.Semantic.DeepEqual(conditions.got[0], theirs) {
					return fmt.Errorf("theirs is changed or moved: %s", spell(conditions.got))
				}
				if err := mismatch(conditions.of, conditions.got[1:], []metav1.Condition{conditions.expected}); err != nil {
					return err
				}
			}
			return nil
		})
	},
}
