package faults

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// PodDeleted deletes the pod that writes while a thousand connections are open. Those on the other
// one go on for good, and those on the deleted one for as long as the drain lasts; new ones never fail.
func PodDeleted(t *testing.T, w *Fixture) {
	leader, other := harness.ReadyReplicas(t, w)
	delay, drain := w.drain(t, leader)
	opened := traffic.Start(t, w.steady(), traffic.Shape{Opened: 50, Life: 2 * time.Second})
	held, err := traffic.HoldMany(t.Context(), w.steady(), 1000, time.Second)
	require.NoError(t, err)
	on := map[string][]*traffic.Held{}
	for _, h := range held {
		on[h.Replica.String()] = append(on[h.Replica.String()], h)
	}
	leaving, staying := on[leader.Address.String()], on[other.Address.String()]
	require.Len(t, held, len(leaving)+len(staying))
	require.Greater(t, min(len(leaving), len(staying)), 100, "connections are on both replicas")
	time.Sleep(3 * time.Second)

	began := time.Now()
	w.deletePod(t, leader)
	// Most finish by themselves in that time, and some never would.
	endless := leaving[:len(leaving)/10]
	failures := finishWithin(leaving[len(endless):], delay+drain-3*time.Second)
	require.Empty(t, failures, "connections on the deleted pod that had something to say yet:\n%s", traffic.Spell(failures))
	t.Logf("%d connections on %s finished by themselves in %v", len(leaving)-len(endless), leader.Name, since(began))

	first, last := time.Duration(0), time.Duration(0)
	for _, h := range endless {
		failure := h.Ended()
		require.NotNil(t, failure)
		at := failure.At.Sub(began)
		if first == 0 || at < first {
			first = at
		}
		last = max(last, at)
	}
	t.Logf("%d that never ended were cut after %v to %v; the deadline is %v", len(endless), first, last, delay+drain)
	// A pause in an exchange may pass before a client notices.
	require.Greater(t, first, delay+drain-time.Second)
	require.Less(t, last, delay+drain+10*time.Second)

	failures = finishWithin(staying, 0)
	require.Empty(t, failures, "connections on the other pod:\n%s", traffic.Spell(failures))
	t.Logf("%d connections on %s never noticed", len(staying), other.Name)
	harness.ReadyReplicas(t, w)
	expectUnharmed(t, opened)
	w.expectChangesTaken(t, "after-deletion", 5*time.Second, 5*time.Second)
}

// drain is for how long a pod of ours goes on accepting after it is told to stop, and how long open
// connections have from there.
func (w *Fixture) drain(t *testing.T, replica harness.Replica) (delay, drain time.Duration) {
	t.Helper()
	pod := core.Pod{}
	require.NoError(t, w.Get(t.Context(), client.ObjectKey{Namespace: harness.Namespace, Name: replica.Name}, &pod))
	seconds := map[string]time.Duration{}
	for _, variable := range pod.Spec.Containers[0].Env {
		if value, err := strconv.Atoi(variable.Value); err == nil {
			seconds[variable.Name] = time.Duration(value) * time.Second
		}
	}
	delay, drain = seconds["SLUICEGATE_STOP_DELAY"], seconds["SLUICEGATE_DRAIN_TIMEOUT"]
	require.NotZero(t, delay)
	require.NotZero(t, drain)
	return delay, drain
}

// finishWithin finishes connections, each at a time of its own, and gives what went wrong with any.
func finishWithin(held []*traffic.Held, limit time.Duration) []traffic.Failure {
	var group sync.WaitGroup
	var lock sync.Mutex
	failures := []traffic.Failure{}
	for _, h := range held {
		group.Go(func() {
			time.Sleep(time.Duration(rand.Float64() * float64(limit)))
			if failure := h.Finish(); failure != nil {
				lock.Lock()
				defer lock.Unlock()
				failures = append(failures, *failure)
			}
		})
	}
	group.Wait()
	return failures
}
