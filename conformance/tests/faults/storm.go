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
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

const (
	stormPort = 9300
	// stormNamespaces is the number of namespaces over which the Gateways are spread.
	stormNamespaces = 20
	// stormChanges is the number of measured changes before the storm and during it. During the storm,
	// the median delay may be twice that before the storm plus stormMedian, and the maximum delay twice
	// that before plus stormWorst.
	stormChanges = 15
	stormMedian  = 50 * time.Millisecond
	stormWorst   = 500 * time.Millisecond
)

// StatusStorm changes the status of many Gateways and routes at once: a label of a namespace decides
// whether their listeners accept the routes. Meanwhile the endpoints of a backend change, which the
// replicas follow without a delay, and then a replica is deleted, without a failed connection.
func StatusStorm(t *testing.T, w *Fixture, gateways int) {
	release, values := harness.SecondRelease("storm")
	release.Install(t, w.Here, append(values, "addresses.service.type=ClusterIP")...)
	s := &storm{Fixture: w, release: release}
	began := time.Now()
	s.prepare(t, gateways)
	t.Logf("%d Gateways are programmed after %v", gateways, since(began))

	replicas := release.ReadyReplicas(t, w, 2)
	load := traffic.Start(t, s.address, traffic.Shape{Opened: 50, Life: 2 * time.Second})
	calm := s.delays(t, replicas)
	t.Logf("before the storm, changes are followed after %v (median) and %v (worst)", calm[len(calm)/2], calm[len(calm)-1])
	s.toggle(t)
	delays := s.delays(t, replicas)
	written := s.statusWrites(t)
	t.Logf("during the storm, changes are followed after %v (median) and %v (worst); %d of %d statuses are written at the end",
		delays[len(delays)/2], delays[len(delays)-1], written, gateways)
	require.Less(t, written, gateways, "all statuses were written before the last change: use more Gateways")
	require.Less(t, delays[len(delays)/2], 2*calm[len(calm)/2]+stormMedian, "median delay")
	require.Less(t, delays[len(delays)-1], 2*calm[len(calm)-1]+stormWorst, "worst delay")

	s.toggle(t)
	pod := core.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: release.Namespace, Name: replicas[0].Name}}
	deleted := time.Now()
	require.NoError(t, w.Delete(t.Context(), &pod))
	harness.Eventually(t, time.Minute, "the deleted pod is gone", func(ctx context.Context) error {
		return w.allGone(ctx, release, replicas[:1])
	})
	t.Logf("%s is gone %v after its deletion during the storm", replicas[0].Name, since(deleted))
	expectUnharmed(t, load)
	s.clear(t)
}

// storm is a release with many Gateways, all but one of which take part in the storm.
type storm struct {
	*Fixture
	release harness.ChartRelease
	gateway *gateway.Gateway // Not part of the storm.
	slice   *discovery.EndpointSlice
	address string
	isOn    bool
}

// stormLabel is the label of the namespace of the routes that listeners select.
const stormLabel = "faults/storm"

const stormRoutes = "storm-routes"

func stormNamespace(i int) string { return fmt.Sprintf("storm-%02d", i%stormNamespaces) }

func (s *storm) prepare(t *testing.T, gateways int) {
	t.Helper()
	s.create(t, &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: stormRoutes}})
	for i := range stormNamespaces {
		s.create(t, &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: stormNamespace(i)}})
	}
	s.gateway = traffic.Gateway(stormRoutes, "calm", s.release.Name, stormPort)
	service := traffic.Service(stormRoutes, "calm")
	s.slice = traffic.Slice(service, s.host, s.one)
	s.create(t, s.gateway, service, s.slice, traffic.Route(stormRoutes, "calm", s.gateway, stormPort, "calm"))

	gatewayOf := func(i int) *gateway.Gateway {
		g := traffic.Gateway(stormNamespace(i), fmt.Sprintf("storm-%04d", i), s.release.Name, stormPort)
		g.Spec.Listeners[0].AllowedRoutes.Namespaces = &gateway.RouteNamespaces{
			From:     ptr.To(gateway.NamespacesFromSelector),
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{stormLabel: "on"}},
		}
		return g
	}
	harness.CreateAll(t, s, gateways, func(i int) client.Object { return gatewayOf(i) })
	harness.CreateAll(t, s, gateways, func(i int) client.Object {
		return traffic.Route(stormRoutes, fmt.Sprintf("storm-%04d", i), gatewayOf(i), stormPort, "calm")
	})
	harness.Eventually(t, 5*time.Minute, "every Gateway is programmed", func(ctx context.Context) error {
		time.Sleep(time.Second) // A list of all Gateways costs the API server as much as the storm.
		list := gateway.GatewayList{}
		if err := s.List(ctx, &list); err != nil {
			return err
		}
		programmed := 0
		for _, g := range list.Items {
			if string(g.Spec.GatewayClassName) == s.release.Name && meta.IsStatusConditionTrue(g.Status.Conditions, "Programmed") {
				programmed++
			}
		}
		if programmed != gateways+1 {
			return fmt.Errorf("%d of %d are", programmed, gateways+1)
		}
		return nil
	})
	s.address = harness.Join(harness.GatewayAddress(t, s, s.gateway, time.Minute), stormPort)
	traffic.ExpectBackend(t, s.address, s.one, time.Minute)
}

// toggle changes the label, so that the listeners accept the routes, or do not accept them.
func (s *storm) toggle(t *testing.T) {
	t.Helper()
	namespace := &core.Namespace{}
	require.NoError(t, s.Get(t.Context(), client.ObjectKey{Name: stormRoutes}, namespace))
	before := namespace.DeepCopy()
	s.isOn = !s.isOn
	namespace.Labels[stormLabel] = map[bool]string{true: "on", false: "off"}[s.isOn]
	require.NoError(t, s.Patch(t.Context(), namespace, client.MergeFrom(before)))
}

// delays changes the endpoints of the Gateway that is not part of the storm, and returns the sorted
// times from each change until each replica follows it.
func (s *storm) delays(t *testing.T, replicas []harness.Replica) []time.Duration {
	t.Helper()
	addresses := []string{}
	for _, replica := range replicas {
		addresses = append(addresses, s.podAddress(t, s.gateway, replica, stormPort))
	}
	delays := []time.Duration{}
	for i := range stormChanges {
		to := []traffic.Backend{s.other, s.one}[i%2]
		s.moveTo(t, s.slice, to)
		delays = append(delays, traffic.FirstTo(t, addresses, to)...)
		time.Sleep(50 * time.Millisecond)
	}
	slices.Sort(delays)
	return delays
}

// statusWrites returns the number of Gateways whose status already has the effect of the last toggle.
func (s *storm) statusWrites(t *testing.T) (written int) {
	t.Helper()
	list := gateway.GatewayList{}
	require.NoError(t, s.List(t.Context(), &list))
	for _, g := range list.Items {
		if g.Namespace == stormRoutes || string(g.Spec.GatewayClassName) != s.release.Name {
			continue
		}
		if len(g.Status.Listeners) == 1 && (g.Status.Listeners[0].AttachedRoutes == 1) == s.isOn {
			written++
		}
	}
	return written
}

// clear deletes everything.
func (s *storm) clear(t *testing.T) {
	t.Helper()
	s.delete(t, &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: stormRoutes}})
	for i := range stormNamespaces {
		s.delete(t, &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: stormNamespace(i)}})
	}
	s.remove(t, s.release)
}
