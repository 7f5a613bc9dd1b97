package faults

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// deadAddressLimit is the maximum time from the removal of a pod from the EndpointSlices to the last
// connection that is sent to it.
const deadAddressLimit = 2 * time.Second

// LeaderDeletedWithoutGrace deletes the pod of the leader without a graceful shutdown, as an eviction or
// the loss of a node does. The EndpointSlice controller removes the pod from its EndpointSlices; soon
// afterwards no connection is sent to it.
func LeaderDeletedWithoutGrace(t *testing.T, w *Fixture) {
	leader, _ := harness.ReadyReplicas(t, w)
	load := traffic.Start(t, w.steady(), traffic.Shape{Opened: 100, Life: 2 * time.Second})
	time.Sleep(2 * time.Second)

	began := time.Now()
	pod := core.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: leader.Name}}
	require.NoError(t, w.Delete(t.Context(), &pod, client.GracePeriodSeconds(0)))
	harness.Eventually(t, 30*time.Second, "the EndpointSlice controller removes "+leader.Name, func(ctx context.Context) error {
		slices := discovery.EndpointSliceList{}
		if err := w.List(ctx, &slices, client.InNamespace(harness.Namespace), client.MatchingLabels{
			discovery.LabelManagedBy: "endpointslice-controller.k8s.io",
		}); err != nil {
			return err
		}
		return lists(slices.Items, leader)
	})
	removed := time.Now()
	t.Logf("the EndpointSlices list %s no longer after %v", leader.Name, removed.Sub(began))
	harness.ReadyReplicas(t, w)
	time.Sleep(leaseDuration + 5*time.Second - since(began))

	outcome := load.Stop()
	t.Logf("load: %v", outcome)
	limit := removed.Add(deadAddressLimit)
	last := time.Duration(0)
	wrong := slices.DeleteFunc(slices.Clone(outcome.Failures), func(f traffic.Failure) bool {
		if f.Replica == leader.Address {
			return f.Began.Before(limit) // The pod has taken its connections with it.
		}
		last = max(last, f.Began.Sub(began))
		return !f.Replica.IsValid() && f.Began.After(began.Add(-time.Second)) && f.Began.Before(limit)
	})
	t.Logf("the last connection that was sent to the dead pod began %v after the deletion", last.Round(time.Millisecond))
	require.Empty(t, wrong, "failed connections:\n%s", traffic.Spell(wrong))
}

// lists returns an error if an EndpointSlice lists a pod.
func lists(slices []discovery.EndpointSlice, replica harness.Replica) error {
	for _, slice := range slices {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Addresses[0] == replica.Address.String() {
				return fmt.Errorf("EndpointSlice %s lists %s", slice.Name, replica.Address)
			}
		}
	}
	return nil
}
