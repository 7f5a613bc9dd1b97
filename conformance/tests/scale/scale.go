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
)

// Measured is what one number of routes costs.
type Measured struct {
	Routes, Listeners int
	// Applying is how long it took to create the routes, and Written how long from there until the last status
	// was written: that of every route, and the number of routes on every listener.
	Applying, Written time.Duration
	// Requests are those of ours in that time.
	Requests harness.Requests
	// Memory is that of the two replicas, the one that writes first, in MiB.
	Memory [2]int
	// Follows are the times from a change of endpoints to the first connection that follows it.
	Follows []time.Duration
	// Processor is what such a change costs the replica that writes.
	Processor time.Duration
}

type bench struct {
	client.WithWatch
	namespace string
	host      netip.Addr
	one       traffic.Backend
	other     traffic.Backend
	gateways  []*gateway.Gateway
}

// Measure makes so many routes in a namespace of their own, and leaves them there.
func Measure(t *testing.T, here harness.Environment, routes int) Measured {
	b := &bench{WithWatch: harness.Client(t), namespace: namespace(routes)}
	leader, other := harness.ReadyReplicas(t, b)
	b.host = traffic.OwnAddress(t, leader.Address)
	b.one, b.other = traffic.Serve(t, "one"), traffic.Serve(t, "other")
	b.prepare(t, routes)

	m := Measured{Routes: routes, Listeners: b.listeners()}
	log := harness.NewAudit(t, here)
	m.Applying, m.Written = b.apply(t, routes)
	// What would be written once more would be written by then.
	time.Sleep(2 * time.Second)
	m.Requests = log.Requests(t, harness.Main)
	pids := [2]int{}
	for i, replica := range []harness.Replica{leader, other} {
		pids[i] = here.Control().Process(t, harness.Namespace, replica.Name).PID
	}
	used := processorTime(t, pids[0])
	m.Follows = b.follow(t, leader, other)
	m.Processor = (processorTime(t, pids[0]) - used) / changes
	for i, pid := range pids {
		m.Memory[i] = memory(t, pid)
	}
	return m
}

func namespace(routes int) string { return fmt.Sprintf("scale-%d", routes) }

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
	service := func(i int) *core.Service {
		s := traffic.Service(b.namespace, routeName(i))
		// The load balancer of the test cluster has nothing to do with it then, and doesn't stand in the way.
		s.Spec.ClusterIP = core.ClusterIPNone
		return s
	}
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
	s := b.watch(t)
	began := time.Now()
	b.all(t, routes, func(i int) client.Object { return b.route(i) })
	applied := time.Now()
	harness.Eventually(t, 3*time.Minute, "every status is written", func(context.Context) error {
		return s.lacks(routes)
	})
	return applied.Sub(began), max(0, s.last.Sub(applied))
}

// statuses are what the watches have told.
type statuses struct {
	lock     sync.Mutex
	served   map[string]bool
	attached map[string]int
	// last is when there was news for the last time.
	last time.Time
}

// watch follows the statuses of routes and Gateways. An API server ends a watch that it has too much to say to;
// the next one begins with what is there.
func (b *bench) watch(t *testing.T) *statuses {
	t.Helper()
	s := &statuses{served: map[string]bool{}, attached: map[string]int{}}
	for _, list := range []client.ObjectList{&gateway.TCPRouteList{}, &gateway.GatewayList{}} {
		go func() {
			for t.Context().Err() == nil {
				watch, err := b.Watch(t.Context(), list, client.InNamespace(b.namespace))
				if err != nil {
					time.Sleep(100 * time.Millisecond)
					continue
				}
				for event := range watch.ResultChan() {
					s.take(event.Object)
				}
			}
		}()
	}
	return s
}

func (s *statuses) take(object any) {
	s.lock.Lock()
	defer s.lock.Unlock()
	switch object := object.(type) {
	case *gateway.TCPRoute:
		if harness.IsServed(object) != nil || s.served[object.Name] {
			return
		}
		s.served[object.Name] = true
	case *gateway.Gateway:
		if s.attached[object.Name] == attachedTo(object) {
			return
		}
		s.attached[object.Name] = attachedTo(object)
	}
	s.last = time.Now()
}

// lacks says what has not been written yet.
func (s *statuses) lacks(routes int) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	sum := 0
	for _, attached := range s.attached {
		sum += attached
	}
	if len(s.served) < routes || sum != routes {
		return fmt.Errorf("%d of %d routes have their status, and are attached to Gateways: %v", len(s.served), routes, s.attached)
	}
	return nil
}

func attachedTo(g *gateway.Gateway) (sum int) {
	for _, listener := range g.Status.Listeners {
		sum += int(listener.AttachedRoutes)
	}
	return sum
}

// all creates objects, many at a time.
func (b *bench) all(t *testing.T, count int, object func(int) client.Object) {
	t.Helper()
	harness.CreateAll(t, b, count, object)
}

// Clear takes away what Measure made, and waits until it is gone.
func Clear(t *testing.T, routes int) {
	t.Helper()
	c, in := harness.Client(t), client.InNamespace(namespace(routes))
	// Without their Services routes would have news to tell.
	for _, kind := range []client.Object{&gateway.TCPRoute{}, &gateway.Gateway{}} {
		// The API server ends a request after a minute, with the objects that it has deleted by then.
		harness.Eventually(t, 5*time.Minute, fmt.Sprintf("all %T are deleted", kind), func(ctx context.Context) error {
			return c.DeleteAllOf(ctx, kind, in)
		})
	}
	whole := core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace(routes)}}
	require.NoError(t, c.Delete(t.Context(), &whole))
	harness.Eventually(t, 3*time.Minute, "namespace "+whole.Name+" is gone", func(ctx context.Context) error {
		err := c.Get(ctx, client.ObjectKeyFromObject(&whole), &core.Namespace{})
		if err == nil {
			return fmt.Errorf("it is still there")
		}
		return client.IgnoreNotFound(err)
	})
}
