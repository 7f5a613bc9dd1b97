package faults

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// RollingUpdates replaces the pods of releases in which a pod that stops too early causes failures: with
// externalTrafficPolicy Local, the load balancer sends connections to a node for seconds after its only
// pod is terminating, and with one replica on that node, no other pod accepts them. No connection fails.
func RollingUpdates(t *testing.T, w *Fixture) {
	for _, test := range []struct {
		name     string
		port     int
		replicas int
		policy   string
	}{
		{"local", 9100, 2, "Local"},
		{"single", 9101, 1, "Cluster"},
		{"single-local", 9102, 1, "Local"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			release, values := harness.SecondRelease(test.name)
			// The stop delay is longer than the load balancer takes to notice: up to 10 seconds.
			release.Install(t, w.Here, append(values, "stopDelay=12", fmt.Sprintf("replicas=%d", test.replicas),
				"addresses.service.externalTrafficPolicy="+test.policy)...)
			g := traffic.Gateway(Namespace, test.name, release.Name, test.port)
			route := traffic.Route(Namespace, test.name, g, test.port, "one")
			w.create(t, g, route)
			w.deleteAfterwards(t, g, route)
			address := harness.Join(harness.GatewayAddress(t, w, g, time.Minute), test.port)
			traffic.ExpectBackend(t, address, w.one, time.Minute)

			before := release.ReadyReplicas(t, w, test.replicas)
			load := traffic.Start(t, address, traffic.Shape{Opened: 50, Life: 5 * time.Second, Backend: w.one.Name})
			began := time.Now()
			release.Upgrade(t, w.Here, "podAnnotations.faults=updated")
			harness.Eventually(t, 2*time.Minute, "the old pods are gone", func(ctx context.Context) error {
				return w.allGone(ctx, release, before)
			})
			t.Logf("the old pods are gone after %v", since(began))
			after := release.ReadyReplicas(t, w, test.replicas)
			for _, replica := range after {
				isOld := slices.ContainsFunc(before, func(old harness.Replica) bool { return old.Name == replica.Name })
				require.False(t, isOld, "%s has not been replaced", replica.Name)
			}
			expectUnharmed(t, load)
			w.remove(t, release, g, route)
		})
	}
}

// allGone returns an error if one of the pods of a release exists.
func (w *Fixture) allGone(ctx context.Context, release harness.ChartRelease, pods []harness.Replica) error {
	for _, pod := range pods {
		err := w.Get(ctx, client.ObjectKey{Namespace: release.Namespace, Name: pod.Name}, &core.Pod{})
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		if err == nil {
			return fmt.Errorf("%s exists", pod.Name)
		}
	}
	return nil
}

// remove deletes the objects of a release, waits until its Services are gone, and uninstalls it.
func (w *Fixture) remove(t *testing.T, release harness.ChartRelease, objects ...client.Object) {
	t.Helper()
	w.delete(t, objects...)
	harness.Eventually(t, 2*time.Minute, "the Services of Gateways are deleted", func(ctx context.Context) error {
		services := core.ServiceList{}
		err := w.List(ctx, &services, client.InNamespace(release.Namespace), client.HasLabels{harness.GatewayNameLabel})
		if err == nil && len(services.Items) > 0 {
			err = fmt.Errorf("%d exist", len(services.Items))
		}
		return err
	})
	release.Uninstall(t)
}
