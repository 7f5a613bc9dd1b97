package faults

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// ControllersLate deletes a pod while the controllers of the cluster are stopped, and starts them after
// more than the stop delay. Until then, the EndpointSlices list the pod as ready, so it accepts
// connections. After an outage of the API server, the real controllers are late in the same way: their
// reflectors wait for up to a minute before they watch again.
func ControllersLate(t *testing.T, w *Fixture) {
	leader, _ := harness.ReadyReplicas(t, w)
	delay, drain := w.drain(t, leader)
	load := traffic.Start(t, w.steady(), traffic.Shape{Opened: 50, Life: 2 * time.Second})

	w.Control.StopComponent(t, "kube-controller-manager")
	w.deletePod(t, leader)
	late := delay + 3*time.Second
	require.Less(t, late+2*delay, delay+drain, "the controllers start long before the end of the shutdown")
	time.Sleep(late)
	w.Control.StartComponent(t, "kube-controller-manager")

	harness.Eventually(t, time.Minute, leader.Name+" is gone", func(ctx context.Context) error {
		err := w.Get(ctx, client.ObjectKey{Namespace: harness.Namespace, Name: leader.Name}, &core.Pod{})
		if err == nil {
			return errors.New("it still exists")
		}
		return client.IgnoreNotFound(err)
	})
	t.Logf("%s was deleted %v before the controllers came back", leader.Name, late)
	expectUnharmed(t, load)
	harness.ReadyReplicas(t, w)
}
