package faults

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// Updated replaces all pods, as an upgrade of the chart does, and no connection fails.
func Updated(t *testing.T, w *Fixture) {
	before, other := harness.ReadyReplicas(t, w)
	// Connections that have an end: those that have none are cut when their pod has waited long enough.
	load := traffic.Start(t, w.steady(), traffic.Shape{Opened: 100, Life: 10 * time.Second})
	began := time.Now()
	harness.Command(t, "helm", "upgrade", harness.Release, w.Here.Chart(), "--namespace", harness.Namespace,
		"--reuse-values", "--set", "podAnnotations.faults=updated", "--wait", "--timeout", "3m")
	t.Logf("helm says it is done after %v", since(began))
	leader, follower := harness.ReadyReplicas(t, w)
	for _, replica := range []harness.Replica{leader, follower} {
		require.NotContains(t, []string{before.Name, other.Name}, replica.Name, "it has not been replaced")
	}
	harness.Eventually(t, time.Minute, "the old pods are gone", func(ctx context.Context) error {
		for _, old := range []harness.Replica{before, other} {
			if gone, err := w.gone(ctx, old.Name); err != nil || !gone {
				return fmt.Errorf("%s is still there (%v)", old.Name, err)
			}
		}
		return nil
	})
	t.Logf("the old pods are gone after %v", since(began))
	w.expectChangesTaken(t, "after-update", 5*time.Second, 5*time.Second)
	expectUnharmed(t, load)
}

// gone says whether a pod of ours is no more.
func (w *Fixture) gone(ctx context.Context, name string) (bool, error) {
	err := w.Get(ctx, client.ObjectKey{Namespace: harness.Namespace, Name: name}, &core.Pod{})
	return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
}
