package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// ReadingForbidden takes away the permission to read ReferenceGrants. An API server asks for it when a watch
// begins, so that it takes a restart of the server to be felt.
func ReadingForbidden(t *testing.T, w *Fixture) {
	leader, other := harness.ReadyReplicas(t, w)
	ears := []ear{w.listen(t, leader), w.listen(t, other)}
	load := traffic.Start(t, w.steady(), usual)
	restore := w.forbid(t, "referencegrants")
	w.Control.StopComponent(t, "kube-apiserver")
	w.Control.StartComponent(t, "kube-apiserver")
	w.expectBack(t)
	for _, ear := range ears {
		ear.expect(t, 30*time.Second, "cannot watch ReferenceGrant objects: ",
			`cannot watch resource "referencegrants" in API group "gateway.networking.k8s.io"`)
	}
	w.expectChangesTaken(t, "unread", 10*time.Second, 30*time.Second)

	// A reference that such a grant allows is refused for as long as it cannot be read.
	w.create(t, &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "faults-elsewhere"}})
	service := traffic.Service("faults-elsewhere", "granted")
	route := traffic.Route(Namespace, "granted", w.gateway, newsPort, "granted")
	route.Spec.Rules[0].BackendRefs[0].Namespace = ptr.To(gateway.Namespace(service.Namespace))
	w.create(t, service, traffic.Slice(service, w.host, w.other), route, &gateway.ReferenceGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: service.Namespace, Name: "granted"},
		Spec: gateway.ReferenceGrantSpec{
			From: []gateway.ReferenceGrantFrom{{Group: gateway.GroupName, Kind: "TCPRoute", Namespace: Namespace}},
			To:   []gateway.ReferenceGrantTo{{Kind: "Service"}},
		},
	})
	w.expectRefused(t, route)

	restored := time.Now()
	restore(t)
	harness.ExpectServed(t, w, route, 30*time.Second)
	traffic.ExpectBackend(t, harness.Join(w.address, newsPort), w.other, 10*time.Second)
	t.Logf("a grant made meanwhile counts %v after the permission is back", since(restored))
	for _, ear := range ears {
		ear.expect(t, 30*time.Second, "can watch ReferenceGrant objects again")
	}
	w.delete(t, route)
	expectUnharmed(t, load)
}

// WritingForbidden takes away the permission to write the status of TCPRoutes.
func WritingForbidden(t *testing.T, w *Fixture) {
	leader, _ := harness.ReadyReplicas(t, w)
	ear := w.listen(t, leader)
	load := traffic.Start(t, w.steady(), usual)
	restore := w.forbid(t, "tcproutes/status")
	// RBAC is looked at through a cache of the server's.
	time.Sleep(2 * time.Second)

	service := traffic.Service(Namespace, "unwritten")
	route := traffic.Route(Namespace, "unwritten", w.gateway, newsPort, "unwritten")
	slice := traffic.Slice(service, w.host, w.other)
	w.create(t, service, slice, route)
	traffic.ExpectBackend(t, harness.Join(w.address, newsPort), w.other, 10*time.Second)
	ear.expect(t, 10*time.Second, "cannot write the status of TCPRoute objects: ",
		`cannot update resource "tcproutes/status" in API group "gateway.networking.k8s.io"`)
	harness.Eventually(t, 10*time.Second, "the Gateway's status is written all the same", func(ctx context.Context) error {
		now := gateway.Gateway{}
		if err := w.Get(ctx, client.ObjectKeyFromObject(w.gateway), &now); err != nil {
			return err
		}
		for _, listener := range now.Status.Listeners {
			if listener.Name == traffic.SectionName(newsPort) && listener.AttachedRoutes == 1 {
				return nil
			}
		}
		return fmt.Errorf("its listeners are %+v", now.Status.Listeners)
	})
	now := gateway.TCPRoute{}
	require.NoError(t, w.Get(t.Context(), client.ObjectKeyFromObject(route), &now))
	require.Empty(t, now.Status.Parents, "who may write this?")

	restored := time.Now()
	restore(t)
	harness.ExpectServed(t, w, route, 40*time.Second)
	t.Logf("the status is written %v after the permission is back", since(restored))
	w.delete(t, route, service, slice)
	expectUnharmed(t, load)
}

// forbid takes a resource out of the ClusterRoles that are bound to our ServiceAccount, and gives what puts it back.
func (w *Fixture) forbid(t *testing.T, resource string) (restore func(*testing.T)) {
	t.Helper()
	bindings := rbac.ClusterRoleBindingList{}
	require.NoError(t, w.List(t.Context(), &bindings))
	original := []rbac.ClusterRole{}
	for _, binding := range bindings.Items {
		if !slices.ContainsFunc(binding.Subjects, func(s rbac.Subject) bool { return s.Namespace == harness.Namespace }) {
			continue
		}
		role := rbac.ClusterRole{}
		require.NoError(t, w.Get(t.Context(), client.ObjectKey{Name: binding.RoleRef.Name}, &role))
		original = append(original, *role.DeepCopy())
		for i, rule := range role.Rules {
			role.Rules[i].Resources = slices.DeleteFunc(rule.Resources, func(r string) bool { return r == resource })
		}
		// A rule about nothing is not valid.
		role.Rules = slices.DeleteFunc(role.Rules, func(r rbac.PolicyRule) bool { return len(r.Resources) == 0 })
		require.NotEqual(t, original[len(original)-1].Rules, role.Rules, "ClusterRole %s has no %s", role.Name, resource)
		require.NoError(t, w.Update(t.Context(), &role))
	}
	require.NotEmpty(t, original, "no ClusterRole is bound to our ServiceAccount")
	put := func(ctx context.Context) error {
		for _, role := range original {
			role.ResourceVersion = ""
			if err := w.Update(ctx, &role); err != nil {
				return err
			}
		}
		return nil
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if err := put(context.Background()); err != nil {
			t.Errorf("giving the permission back: %v", err)
		}
	})
	return func(t *testing.T) {
		t.Helper()
		require.NoError(t, put(t.Context()))
	}
}

// ear hears what a pod of ours says from some moment on.
type ear struct {
	here harness.Environment
	pod  string
	from int
}

func (w *Fixture) listen(t *testing.T, replica harness.Replica) ear {
	t.Helper()
	return ear{w.Here, replica.Name, len(harness.Said(t, w.Here, replica.Name))}
}

// messages returns the messages since listen was called.
func (e ear) messages(t *testing.T) []string {
	t.Helper()
	return harness.Said(t, e.here, e.pod)[e.from:]
}

// expect waits until the pod has said something in one message, all parts of it.
func (e ear) expect(t *testing.T, within time.Duration, parts ...string) {
	t.Helper()
	harness.Eventually(t, within, fmt.Sprintf("%s says %q", e.pod, parts), func(context.Context) error {
		for _, message := range harness.Said(t, e.here, e.pod)[e.from:] {
			if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(message, part) }) {
				t.Logf("%s: %s", e.pod, message)
				return nil
			}
		}
		return fmt.Errorf("it doesn't")
	})
}

// expectRefused waits until a route is told that its reference is not permitted.
func (w *Fixture) expectRefused(t *testing.T, route *gateway.TCPRoute) {
	t.Helper()
	harness.Eventually(t, 10*time.Second, "the reference of "+route.Name+" is refused", func(ctx context.Context) error {
		now := gateway.TCPRoute{}
		if err := w.Get(ctx, client.ObjectKeyFromObject(route), &now); err != nil {
			return err
		}
		for _, parent := range now.Status.Parents {
			for _, condition := range parent.Conditions {
				if condition.Reason == string(gateway.RouteReasonRefNotPermitted) {
					return nil
				}
			}
		}
		return fmt.Errorf("its status is %+v", now.Status)
	})
}
