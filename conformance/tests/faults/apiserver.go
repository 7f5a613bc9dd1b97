package faults

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// What a gateway has to do while what configures it is away.
var usual = traffic.Shape{Opened: 100, Life: 3 * time.Second, Held: 50}

// APIServerUnavailable stops the API server for a minute.
func APIServerUnavailable(t *testing.T, w *Fixture) {
	load := traffic.Start(t, w.steady(), usual)
	before := w.settle(t)
	w.Control.StopComponent(t, "kube-apiserver")
	time.Sleep(time.Minute)
	w.Control.StartComponent(t, "kube-apiserver")
	w.expectBack(t)
	// In a real cluster, the controllers end when they cannot renew their Lease for 10 s, and the kubelet
	// starts them again. Those that go on may use old objects for minutes after the outage.
	w.Control.StopComponent(t, "kube-controller-manager")
	w.Control.StartComponent(t, "kube-controller-manager")
	w.expectChangesTaken(t, "after-apiserver", 15*time.Second, 30*time.Second)
	before.expectKept(t)
	expectUnharmed(t, load)
}

// written is the state of the objects and of the audit log at one time.
type written struct {
	fixture *Fixture
	routes  map[string]string
	audit   harness.Audit
}

// settle waits until the objects that the test has created are no longer written.
func (w *Fixture) settle(t *testing.T) written {
	t.Helper()
	for {
		before := w.versions(t)
		time.Sleep(3 * time.Second)
		if now := w.versions(t); maps.Equal(before, now) {
			return written{w, now, harness.NewAudit(t, w.Here)}
		}
	}
}

// expectKept fails if the status of an unchanged route or class has been written again. Gateways are
// not compared, because routes were attached to them and removed.
func (b written) expectKept(t *testing.T) {
	t.Helper()
	require.Equal(t, b.routes, b.fixture.versions(t), "routes that did not change were written again")
	// The version of a class is not compared, because a release renews its claim on it.
	requests := b.audit.Requests(t, harness.Main)
	require.Zero(t, requests.ByKind["update gatewayclasses/status"], "statuses of unchanged classes that were written again")
}

// EtcdRestarted kills the process of etcd and starts it again.
func EtcdRestarted(t *testing.T, w *Fixture) {
	load := traffic.Start(t, w.steady(), usual)
	before := w.settle(t)
	w.Control.StopComponent(t, "etcd")
	time.Sleep(3 * time.Second)
	w.Control.StartComponent(t, "etcd")
	w.expectBack(t)
	w.expectChangesTaken(t, "after-etcd", 15*time.Second, 30*time.Second)
	before.expectKept(t)
	expectUnharmed(t, load)
}

// expectBack waits until the API server answers from its store and can create a Service. For seconds
// after its start, it reports the range of cluster IP addresses as full.
func (w *Fixture) expectBack(t *testing.T) {
	t.Helper()
	began := time.Now()
	harness.Eventually(t, time.Minute, "the API server is back", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return w.Create(ctx, traffic.Service(Namespace, "expect-back"), client.DryRunAll)
	})
	t.Logf("the API server answers %v after its start", since(began))
}

// versions returns the resource versions of the shared routes.
func (w *Fixture) versions(t *testing.T) map[string]string {
	t.Helper()
	routes := gateway.TCPRouteList{}
	require.NoError(t, w.List(t.Context(), &routes, client.InNamespace(Namespace)))
	versions := map[string]string{}
	for _, route := range routes.Items {
		versions[route.Name] = route.ResourceVersion
	}
	return versions
}
