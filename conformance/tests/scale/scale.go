// Package scale measures what many routes cost, each with a Service and an EndpointSlice of its own.
package scale

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

const (
	// listenersEach is the most listeners that a Gateway may have, and mostGateways keeps the number of ports
	// within reason: where there are more routes than listeners, the oldest on each has the traffic.
	listenersEach = 64
	mostGateways  = 8
	// firstPort is that of the first listener of each Gateway.
	firstPort = 10000
	// atOnce is how many requests of ours are under way while objects are made.
	atOnce = 32
)

// Measured is what one number of routes costs.
type Measured struct {
	Routes, Listeners int
	// Applying is how long it took to create the routes, and Written how long from there until the last status
	// was written: that of every route, and the number of routes on every listener.
	Applying, Written time.Duration
	// Requests are those of ours in that time.
	Requests Requests
	// Memory is that of the two replicas, the one that writes first, in MiB.
	Memory [2]int
	// Follows are the times from a change of endpoints to the first connection that follows it.
	Follows []time.Duration
}

type bench struct {
	client.WithWatch
	namespace string
	host      netip.Addr
	one       traffic.Backend
	other     traffic.Backend
	gateways  []*gateway.Gateway
}

// Measure makes so many routes in a namespace of their own, and takes them away again.
func Measure(t *testing.T, here harness.Environment, routes int) Measured {
	b := &bench{WithWatch: harness.Client(t), namespace: fmt.Sprintf("scale-%d", routes)}
	leader, other := harness.ReadyReplicas(t, b)
	b.host = traffic.OwnAddress(t, leader.Address)
	b.one, b.other = traffic.Serve(t, "one"), traffic.Serve(t, "other")
	b.prepare(t, routes)

	m := Measured{Routes: routes, Listeners: b.listeners()}
	log := newAudit(t, here)
	m.Applying, m.Written = b.apply(t, routes)
	// What would be written once more would be written by then.
	time.Sleep(2 * time.Second)
	m.Requests = log.requests(t)
	m.Follows = b.follow(t, leader, other)
	for i, replica := range []harness.Replica{leader, other} {
		m.Memory[i] = memory(t, here.Control().Process(t, harness.Namespace, replica.Name).PID)
	}
	b.clear(t)
	return m
}

func (b *bench) listeners() (n int) {
	for _, g := range b.gateways {
		n += len(g.Spec.Listeners)
	}
	return n
}

// prepare makes everything but the routes.
func (b *bench) prepare(t *testing.T, routes int) {
	t.Helper()
	require.NoError(t, b.Create(t.Context(), &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: b.namespace}}))
	for left := min(routes, listenersEach*mostGateways); left > 0; left -= listenersEach {
		ports := []int{}
		for i := range min(left, listenersEach) {
			ports = append(ports, firstPort+i)
		}
		g := traffic.Gateway(b.namespace, fmt.Sprintf("gateway-%d", len(b.gateways)), harness.Release, ports...)
		b.gateways = append(b.gateways, g)
	}
	b.all(t, len(b.gateways), func(i int) client.Object { return b.gateways[i] })
	service := func(i int) *core.Service { return traffic.Service(b.namespace, routeName(i)) }
	b.all(t, routes, func(i int) client.Object { return service(i) })
	b.all(t, routes, func(i int) client.Object { return traffic.Slice(service(i), b.host, b.one) })
	for _, g := range b.gateways {
		harness.GatewayAddress(t, b, g, 2*time.Minute)
	}
	// The Services have been taken in by then.
	time.Sleep(2 * time.Second)
}

// route number i is on listener number i, and on that many further on until there are no more listeners.
func (b *bench) route(i int) *gateway.TCPRoute {
	listener := i % b.listeners()
	return traffic.Route(b.namespace, routeName(i), b.gateways[listener/listenersEach],
		firstPort+listener%listenersEach, routeName(i))
}

// The oldest route has the traffic; of those made in one second it is the one whose name comes first.
func routeName(i int) string { return fmt.Sprintf("route-%05d", i) }

// apply makes the routes and waits until all there is to say of them has been written.
func (b *bench) apply(t *testing.T, routes int) (applying, written time.Duration) {
	t.Helper()
	done := b.watch(t, routes)
	began := time.Now()
	b.all(t, routes, func(i int) client.Object { return b.route(i) })
	applied := time.Now()
	select {
	case at := <-done:
		return applied.Sub(began), max(0, at.Sub(applied))
	case <-time.After(5 * time.Minute):
		t.Fatalf("not every status was written within 5 minutes")
		return 0, 0
	}
}

// watch tells when every route has its status, and every Gateway the number of its routes.
func (b *bench) watch(t *testing.T, routes int) <-chan time.Time {
	t.Helper()
	ofRoutes, err := b.Watch(t.Context(), &gateway.TCPRouteList{}, client.InNamespace(b.namespace))
	require.NoError(t, err)
	ofGateways, err := b.Watch(t.Context(), &gateway.GatewayList{}, client.InNamespace(b.namespace))
	require.NoError(t, err)
	done := make(chan time.Time, 1)
	go func() {
		defer ofRoutes.Stop()
		defer ofGateways.Stop()
		served, attached := map[string]bool{}, map[string]int{}
		for {
			select {
			case event, open := <-ofRoutes.ResultChan():
				if !open {
					return
				}
				if route, is := event.Object.(*gateway.TCPRoute); is && harness.IsServed(route) == nil {
					served[route.Name] = true
				}
			case event, open := <-ofGateways.ResultChan():
				if !open {
					return
				}
				if g, is := event.Object.(*gateway.Gateway); is {
					attached[g.Name] = attachedTo(g)
				}
			}
			sum := 0
			for _, n := range attached {
				sum += n
			}
			if len(served) == routes && sum == routes {
				done <- time.Now()
				return
			}
		}
	}()
	return done
}

func attachedTo(g *gateway.Gateway) (sum int) {
	for _, listener := range g.Status.Listeners {
		sum += int(listener.AttachedRoutes)
	}
	return sum
}

// all creates objects, many at a time, so that the first are made before the last.
func (b *bench) all(t *testing.T, count int, object func(int) client.Object) {
	t.Helper()
	var group sync.WaitGroup
	var once sync.Once
	var failed error
	turns := make(chan int)
	for range atOnce {
		group.Go(func() {
			for i := range turns {
				if err := b.Create(t.Context(), object(i)); err != nil {
					once.Do(func() { failed = err })
				}
			}
		})
	}
	for i := range count {
		turns <- i
	}
	close(turns)
	group.Wait()
	require.NoError(t, failed)
}

// clear takes everything away, and waits until it is.
func (b *bench) clear(t *testing.T) {
	t.Helper()
	namespace := core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: b.namespace}}
	require.NoError(t, b.Delete(t.Context(), &namespace))
	harness.Eventually(t, 3*time.Minute, "namespace "+b.namespace+" is gone", func(ctx context.Context) error {
		err := b.Get(ctx, client.ObjectKeyFromObject(&namespace), &core.Namespace{})
		if err == nil {
			return fmt.Errorf("it is still there")
		}
		return client.IgnoreNotFound(err)
	})
}
