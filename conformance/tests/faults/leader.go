package faults

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// leaseDuration is how long a Lease outlives its holder.
const leaseDuration = 15 * time.Second

// LeaderKilled kills the process of the leader without a warning. The Lease expires, and a replica
// acquires it and writes: usually the survivor, but the restarted process of the killed one waits for
// the same moment. No connection of the survivor fails.
func LeaderKilled(t *testing.T, w *Fixture) {
	leader, other := harness.ReadyReplicas(t, w)
	killed := w.kill(t, leader, other, leaseDuration+5*time.Second)
	holder, err := harness.Leader(t.Context(), w)
	require.NoError(t, err)
	t.Logf("%s was killed and %s has written %v later", leader.Name, holder, killed)
}

// FollowerKilled kills the process that does not write. Writing goes on at once.
func FollowerKilled(t *testing.T, w *Fixture) {
	leader, other := harness.ReadyReplicas(t, w)
	killed := w.kill(t, other, leader, 5*time.Second)
	t.Logf("%s was killed and %s has written %v later", other.Name, leader.Name, killed)
}

// kill kills a replica under load, and gives the time from there to the next status written.
//
// Connections die with the process that carries them: those are counted, and are no failures. While
// the load balancer does not know of it, it sends new ones there too, for as long as that pod is not
// ready again; so what must not fail is told apart by dialling the one that stays past the balancer.
func (w *Fixture) kill(t *testing.T, victim, survivor harness.Replica, within time.Duration) time.Duration {
	t.Helper()
	shape := traffic.Shape{Opened: 50, Life: 3 * time.Second, Held: 100}
	balanced := traffic.Start(t, w.steady(), shape)
	direct := traffic.Start(t, w.directly(t, survivor, steadyPort), shape)
	time.Sleep(2 * time.Second)

	name := "after-" + victim.Name
	service := traffic.Service(Namespace, name)
	slice := traffic.Slice(service, w.host, w.other)
	route := traffic.Route(Namespace, name, w.gateway, newsPort, name)
	began := time.Now()
	w.Control.Kill(t, harness.Namespace, victim.Name)
	returned := w.returned(t, victim)
	w.create(t, service, slice, route)
	harness.ExpectServed(t, w, route, within)
	written := since(began)

	back, isBack := <-returned
	require.True(t, isBack, "%s is not ready again", victim.Name)
	t.Logf("the killed process is ready again after %v", back.Sub(began))
	traffic.ExpectBackend(t, harness.Join(w.address, newsPort), w.other, 10*time.Second)
	time.Sleep(5 * time.Second)
	w.delete(t, route, service, slice)

	expectUnharmed(t, direct)
	outcome := balanced.Stop()
	t.Logf("through the load balancer: %v", outcome)
	died := slices.DeleteFunc(slices.Clone(outcome.Failures), func(f traffic.Failure) bool { return f.Replica != victim.Address })
	lost := slices.DeleteFunc(slices.Clone(outcome.Failures), func(f traffic.Failure) bool { return f.Replica == victim.Address })
	refused := slices.DeleteFunc(slices.Clone(lost), func(f traffic.Failure) bool {
		return f.Replica.IsValid() || f.At.Before(began) || f.At.After(back.Add(time.Second))
	})
	t.Logf("of these, %d died with the process that carried them, and %d were sent to it while it was down", len(died), len(refused))
	require.NotEmpty(t, died, "the killed process carried nothing, which proves nothing")
	require.Len(t, lost, len(refused), "failed for no such reason:\n%s", traffic.Spell(lost))
	return written
}

// returned tells when a pod of ours is ready that has just been killed; nothing where it takes a minute.
func (w *Fixture) returned(t *testing.T, victim harness.Replica) <-chan time.Time {
	t.Helper()
	returned := make(chan time.Time, 1)
	go func() {
		defer close(returned)
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			replicas, _ := harness.Replicas(t.Context(), w)
			if slices.ContainsFunc(replicas, func(r harness.Replica) bool {
				return r.Name == victim.Name && r.IsReady && r.Restarts > victim.Restarts
			}) {
				returned <- time.Now()
				return
			}
		}
	}()
	return returned
}
