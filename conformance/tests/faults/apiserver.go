package faults

import (
	"context"
	"fmt"
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
	before := w.settledVersions(t)
	w.Control.StopComponent(t, "kube-apiserver")
	time.Sleep(time.Minute)
	w.Control.StartComponent(t, "kube-apiserver")
	w.expectBack(t)
	w.expectChangesTaken(t, "after-apiserver", 15*time.Second, 30*time.Second)
	// Gateways are left out: routes have come and gone on theirs.
	require.Equal(t, before, w.versions(t), "what has not changed meanwhile was written again")
	expectUnharmed(t, load)
}

// settledVersions waits until nothing more is written of what has just been set up.
func (w *Fixture) settledVersions(t *testing.T) map[string]string {
	for {
		before := w.versions(t)
		time.Sleep(3 * time.Second)
		if now := w.versions(t); maps.Equal(before, now) {
			return now
		}
	}
}

// EtcdRestarted kills the process of etcd and starts it again.
func EtcdRestarted(t *testing.T, w *Fixture) {
	load := traffic.Start(t, w.steady(), usual)
	before := w.settledVersions(t)
	w.Control.StopComponent(t, "etcd")
	time.Sleep(3 * time.Second)
	w.Control.StartComponent(t, "etcd")
	w.expectBack(t)
	w.expectChangesTaken(t, "after-etcd", 15*time.Second, 30*time.Second)
	require.Equal(t, before, w.versions(t), "what has not changed meanwhile was written again")
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

// versions are those of the objects whose status is ours.
func (w *Fixture) versions(t *testing.T) map[string]string {
	t.Helper()
	routes, classes := gateway.TCPRouteList{}, gateway.GatewayClassList{}
	require.NoError(t, w.List(t.Context(), &routes, client.InNamespace(Namespace)))
	require.NoError(t, w.List(t.Context(), &classes))
	versions := map[string]string{}
	for _, route := range routes.Items {
		versions[fmt.Sprintf("TCPRoute %s", route.Name)] = route.ResourceVersion
	}
	for _, class := range classes.Items {
		versions[fmt.Sprintf("GatewayClass %s", class.Name)] = class.ResourceVersion
	}
	return versions
}
