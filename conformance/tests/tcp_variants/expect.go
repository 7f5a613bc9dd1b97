package tcpvariants

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/kubernetes"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
	"sluicegate.dev/conformance/tests/harness"
)

// How long a status may take. The suite's own limits are a minute and more; nothing here is that slow.
const soon = 30 * time.Second

var tcpFeatures = []features.FeatureName{features.SupportGateway, features.SupportTCPRoute}

// infra names an object in the suite's main namespace.
func infra(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: suite.InfrastructureNamespace, Name: name}
}

func yes(kind string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: kind}
}

func yesBut(kind, reason string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: reason}
}

func no(kind, reason string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionFalse, Reason: reason}
}

var tcpRoutes = []v1.RouteGroupKind{{Group: ptr.To[v1.Group](v1.GroupName), Kind: "TCPRoute"}}

// serving is the status of a listener with nothing to complain of.
func serving(name string, attached int32) v1.ListenerStatus {
	return v1.ListenerStatus{
		Name: v1.SectionName(name), AttachedRoutes: attached, SupportedKinds: tcpRoutes,
		Conditions: []metav1.Condition{yes("Accepted"), yes("Programmed"), yes("ResolvedRefs")},
	}
}

// unsupported is the status of a listener whose protocol is not served.
func unsupported(name string) v1.ListenerStatus {
	return v1.ListenerStatus{
		Name:       v1.SectionName(name),
		Conditions: []metav1.Condition{no("Accepted", "UnsupportedProtocol"), no("Programmed", "Invalid")},
	}
}

// expectGateway waits for conditions of a Gateway that are all of its present generation.
func expectGateway(t *testing.T, s *suite.ConformanceTestSuite, gateway types.NamespacedName, conditions ...metav1.Condition) {
	t.Helper()
	harness.Eventually(t, soon, "conditions of Gateway "+gateway.Name, func(ctx context.Context) error {
		found := v1.Gateway{}
		if err := s.Client.Get(ctx, gateway, &found); err != nil {
			return err
		}
		return mismatch(&found, found.Status.Conditions, conditions)
	})
}

func expectListeners(t *testing.T, s *suite.ConformanceTestSuite, gateway types.NamespacedName, listeners ...v1.ListenerStatus) {
	t.Helper()
	kubernetes.GatewayStatusMustHaveListeners(t, s.Client, s.TimeoutConfig, gateway, listeners)
}

// address waits until a listener of a Gateway has one.
func address(t *testing.T, s *suite.ConformanceTestSuite, gateway types.NamespacedName, listener string) string {
	t.Helper()
	found, err := kubernetes.WaitForGatewayAddress(t, s.Client, s.TimeoutConfig, kubernetes.NewGatewayRef(gateway, listener))
	require.NoError(t, err)
	return found
}

// expectRoute waits until our entries in status.parents are just those for these Gateways, each with
// the conditions. No Gateway: no entry.
func expectRoute(t *testing.T, s *suite.ConformanceTestSuite, route types.NamespacedName, gateways []string, conditions ...metav1.Condition) {
	t.Helper()
	harness.Eventually(t, soon, "status of TCPRoute "+route.String(), func(ctx context.Context) error {
		found := v1.TCPRoute{}
		if err := s.Client.Get(ctx, route, &found); err != nil {
			return err
		}
		parents := []string{}
		for _, parent := range found.Status.Parents {
			if string(parent.ControllerName) != s.ControllerName {
				continue
			}
			parents = append(parents, string(parent.ParentRef.Name))
			if err := mismatch(&found, parent.Conditions, conditions); err != nil {
				return fmt.Errorf("parent %s: %w", parent.ParentRef.Name, err)
			}
		}
		if !slices.Equal(parents, gateways) {
			return fmt.Errorf("parents are %v, expected %v", parents, gateways)
		}
		return nil
	})
}

// mismatch says in what conditions differ from those expected, or are of an older generation.
func mismatch(object client.Object, got, expected []metav1.Condition) error {
	if err := kubernetes.ConditionsHaveLatestObservedGeneration(object, got); err != nil {
		return err
	}
	for _, e := range expected {
		at := slices.IndexFunc(got, func(c metav1.Condition) bool { return c.Type == e.Type })
		if at < 0 || got[at].Status != e.Status || got[at].Reason != e.Reason {
			return fmt.Errorf("expected %s=%s/%s, got %s", e.Type, e.Status, e.Reason, spell(got))
		}
	}
	return nil
}

func spell(conditions []metav1.Condition) string {
	words := []string{}
	for _, c := range conditions {
		words = append(words, fmt.Sprintf("%s=%s/%s (%s)", c.Type, c.Status, c.Reason, c.Message))
	}
	return strings.Join(words, ", ")
}
