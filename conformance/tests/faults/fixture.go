// Package faults tests faults in a cluster and their effects. Every test runs under load of its own,
// verifies every byte of its connections, and prints what it measured.
package faults

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// Namespace is where the objects are that all tests share.
const Namespace = "faults"

// The ports of the shared Gateway: one whose route stays as it is, and one for routes that come and go.
const (
	steadyPort = 9000
	newsPort   = 9001
)

// Fixture contains the objects that all tests share: a gateway with two replicas, a Gateway, and a
// route that works.
type Fixture struct {
	Here    harness.Environment
	Control harness.Control
	client.Client

	// host is where the backends are, for those who dial from a pod.
	host    netip.Addr
	gateway *gateway.Gateway
	address netip.Addr
	// One is behind the route that works, the other is for changes.
	one, other traffic.Backend
	service    *core.Service
}

// NewFixture creates the objects. The chart must be installed.
func NewFixture(t *testing.T, here harness.Environment) *Fixture {
	t.Helper()
	w := &Fixture{Here: here, Control: here.Control(), Client: harness.Client(t)}
	leader, _ := harness.ReadyReplicas(t, w)
	w.host = traffic.OwnAddress(t, leader.Address)
	w.one, w.other = traffic.Serve(t, "one"), traffic.Serve(t, "other")

	w.create(t, &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}})
	w.gateway = traffic.Gateway(Namespace, "faults", harness.Release, steadyPort, newsPort)
	w.service = traffic.Service(Namespace, "one")
	w.create(t, w.gateway, w.service, traffic.Slice(w.service, w.host, w.one))
	w.create(t, traffic.Route(Namespace, "steady", w.gateway, steadyPort, "one"))
	w.address = harness.GatewayAddress(t, w, w.gateway, time.Minute)
	traffic.ExpectBackend(t, w.steady(), w.one, time.Minute)
	return w
}

// steady is the address with the route that stays.
func (w *Fixture) steady() string { return harness.Join(w.address, steadyPort) }

// directly returns the address of a port of the shared Gateway at one of our pods, which bypasses the
// load balancer.
func (w *Fixture) directly(t *testing.T, replica harness.Replica, port int) string {
	t.Helper()
	return w.podAddress(t, w.gateway, replica, port)
}

// podAddress returns the address at which a pod listens for a port of a Gateway.
func (w *Fixture) podAddress(t *testing.T, g *gateway.Gateway, replica harness.Replica, port int) string {
	t.Helper()
	service, err := harness.GatewayService(t.Context(), w, client.ObjectKeyFromObject(g))
	require.NoError(t, err)
	podPort, err := harness.PodPort(service, port)
	require.NoError(t, err)
	return harness.Join(replica.Address, podPort)
}

func (w *Fixture) create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		require.NoError(t, w.Create(t.Context(), object), "creating %T %s", object, object.GetName())
	}
}

func (w *Fixture) delete(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		require.NoError(t, client.IgnoreNotFound(w.Delete(t.Context(), object)), "deleting %T %s", object, object.GetName())
	}
}

// deletePod deletes a pod of ours, which stops gracefully.
func (w *Fixture) deletePod(t *testing.T, replica harness.Replica) {
	t.Helper()
	w.delete(t, &core.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: replica.Name}})
}

// deleteAfterwards deletes objects at the end of the test, also if it fails.
func (w *Fixture) deleteAfterwards(t *testing.T, objects ...client.Object) {
	t.Helper()
	t.Cleanup(func() {
		for _, object := range objects {
			// The context of the test has ended by then.
			if err := client.IgnoreNotFound(w.Delete(context.Background(), object)); err != nil {
				t.Errorf("deleting %T %s: %v", object, object.GetName(), err)
			}
		}
	})
}

// expectChangesTaken makes a route and changes its endpoints, to see that all of it still works: the
// traffic within the one time, the status within the other.
func (w *Fixture) expectChangesTaken(t *testing.T, name string, forwarded, written time.Duration) {
	t.Helper()
	began := time.Now()
	service := traffic.Service(Namespace, name)
	slice := traffic.Slice(service, w.host, w.other)
	route := traffic.Route(Namespace, name, w.gateway, newsPort, name)
	w.create(t, service, slice, route)
	news := harness.Join(w.address, newsPort)
	traffic.ExpectBackend(t, news, w.other, forwarded)
	t.Logf("a new route carries connections after %v", since(began))
	harness.ExpectServed(t, w, route, written)
	t.Logf("its status is written after %v", since(began))

	began = time.Now()
	w.moveTo(t, slice, w.one)
	traffic.ExpectBackend(t, news, w.one, forwarded)
	t.Logf("a change of its endpoints is followed after %v", since(began))
	w.delete(t, route, service, slice)
}

// moveTo makes a backend the one endpoint of a slice.
func (w *Fixture) moveTo(t *testing.T, slice *discovery.EndpointSlice, backend traffic.Backend) {
	t.Helper()
	before := slice.DeepCopy()
	slice.Ports[0].Port = ptr.To(int32(backend.Port))
	require.NoError(t, w.Patch(t.Context(), slice, client.MergeFrom(before)))
}

// expectUnharmed ends a load and asks that nothing went wrong with any of its connections.
func expectUnharmed(t *testing.T, load *traffic.Load) {
	t.Helper()
	outcome := load.Stop()
	t.Logf("load: %v", outcome)
	require.Empty(t, outcome.Failures, "failed connections:\n%s", traffic.Spell(outcome.Failures))
}

func since(began time.Time) time.Duration {
	return time.Since(began).Round(time.Millisecond)
}
