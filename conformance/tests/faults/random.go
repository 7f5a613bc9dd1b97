package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// The places of the random objects. Routes are in both namespaces; Gateways and what works are in the first.
const (
	here      = "random"
	elsewhere = "random-elsewhere"
)

// maze is what the routes find their way through.
type maze struct {
	*Fixture
	random   *rand.Rand
	gateways []*gateway.Gateway
	backends []traffic.Backend
	slices   []*discovery.EndpointSlice
	routes   map[string]*gateway.TCPRoute
	done     map[string]int
}

// The most routes at one moment, and how many changes there are in a second.
const (
	routesInMaze = 200
	changeRate   = 20
)

// Random creates, changes and deletes routes at random, many of them with something wrong, beside traffic
// whose own routes are right all the time. Nothing may happen to that traffic, and at the end status and
// traffic must be what a fresh translation of all objects says.
func Random(t *testing.T, w *Fixture, during time.Duration, seed uint64) {
	t.Logf("seed %d", seed)
	m := newMaze(t, w, seed)
	// One on a Gateway of its own, one on a listener that random routes want too: they are younger.
	alone := traffic.Start(t, w.steady(), traffic.Shape{Opened: 50, Life: 3 * time.Second, Held: 20})
	crowded := traffic.Start(t, m.address(t, 0, 0), traffic.Shape{Opened: 50, Life: 3 * time.Second, Held: 20})

	for i := range routesInMaze {
		m.make(t, nameInMaze(i))
	}
	each := time.NewTicker(time.Second / changeRate)
	defer each.Stop()
	for end := time.Now().Add(during); time.Now().Before(end); <-each.C {
		m.step(t)
	}
	t.Logf("%v; there are %d routes now", m.done, len(m.routes))

	began := time.Now()
	expectUnharmed(t, alone)
	expectUnharmed(t, crowded)
	translation := fresh{}
	harness.Eventually(t, time.Minute, "status is what a fresh translation says", func(ctx context.Context) (err error) {
		if translation, err = translate(t, w.Here); err != nil {
			return err
		}
		return translation.mismatch(here, elsewhere)
	})
	t.Logf("the status of %d routes and %d Gateways is that of a fresh translation, %v after the last change",
		len(m.routes), len(m.gateways), since(began))
	m.expectTraffic(t, translation)
	for _, namespace := range []string{here, elsewhere} {
		m.delete(t, &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	}
}

func newMaze(t *testing.T, w *Fixture, seed uint64) *maze {
	t.Helper()
	m := &maze{Fixture: w, random: rand.New(rand.NewPCG(seed, 0)), routes: map[string]*gateway.TCPRoute{}, done: map[string]int{}}
	for _, namespace := range []string{here, elsewhere} {
		w.create(t, &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	}
	for i := range 6 {
		m.backends = append(m.backends, traffic.Serve(t, fmt.Sprintf("backend-%d", i)))
		service := traffic.Service(here, fmt.Sprintf("service-%d", i))
		m.slices = append(m.slices, traffic.Slice(service, w.host, m.backends[i]))
		w.create(t, service, m.slices[i])
	}
	// Of the Services elsewhere one may be referred to, and one may not; neither of the routes there has one
	// of its own.
	for _, name := range []string{"granted", "forbidden"} {
		service := traffic.Service(elsewhere, name)
		w.create(t, service, traffic.Slice(service, w.host, m.backends[0]))
	}
	w.create(t, traffic.Service(here, "without-endpoints"), &gateway.ReferenceGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: elsewhere, Name: "granted"},
		Spec: gateway.ReferenceGrantSpec{
			From: []gateway.ReferenceGrantFrom{{Group: gateway.GroupName, Kind: "TCPRoute", Namespace: here}},
			To:   []gateway.ReferenceGrantTo{{Kind: "Service", Name: ptr.To(gateway.ObjectName("granted"))}},
		},
	})
	for i := range 3 {
		// No two want the same port, so that it makes no difference whether they share an address.
		ports := []int{}
		for j := range 6 {
			ports = append(ports, 7000+10*i+j)
		}
		g := traffic.Gateway(here, fmt.Sprintf("gateway-%d", i), harness.Release, ports...)
		g.Spec.Listeners[4].AllowedRoutes = nil
		g.Spec.Listeners[5].Protocol = gateway.HTTPProtocolType
		m.gateways = append(m.gateways, g)
		w.create(t, g)
	}
	// The oldest route on its listener, for good: ages count in seconds, so the others come a second later.
	w.create(t, traffic.Service(here, "steady"))
	w.create(t, traffic.Slice(traffic.Service(here, "steady"), w.host, w.one))
	steady := traffic.Route(here, "a-steady", m.gateways[0], 7000, "steady")
	w.create(t, steady)
	traffic.ExpectBackend(t, m.address(t, 0, 0), w.one, time.Minute)
	time.Sleep(time.Until(steady.CreationTimestamp.Add(time.Second)))
	return m
}

// address is where clients dial a listener.
func (m *maze) address(t *testing.T, gateway, listener int) string {
	t.Helper()
	g := m.gateways[gateway]
	return harness.Join(harness.GatewayAddress(t, m, g, time.Minute), int(g.Spec.Listeners[listener].Port))
}

// step changes one thing.
func (m *maze) step(t *testing.T) {
	t.Helper()
	name := nameInMaze(m.random.IntN(routesInMaze))
	route, exists := m.routes[name]
	switch {
	case m.random.IntN(10) == 0:
		m.done["endpoints changed"]++
		i := m.random.IntN(len(m.slices))
		m.moveTo(t, m.slices[i], m.backends[m.random.IntN(len(m.backends))])
	case !exists:
		m.make(t, name)
	case m.random.IntN(5) == 0:
		m.done["routes deleted"]++
		m.delete(t, route)
		delete(m.routes, name)
	default:
		m.done["routes changed"]++
		before := route.DeepCopy()
		route.Spec = m.route(route.Namespace, name).Spec
		require.NoError(t, m.Patch(t.Context(), route, client.MergeFrom(before)))
	}
}

// make creates a route.
func (m *maze) make(t *testing.T, name string) {
	t.Helper()
	m.done["routes created"]++
	namespace := here
	if m.random.IntN(4) == 0 {
		namespace = elsewhere
	}
	m.routes[name] = m.route(namespace, name)
	m.create(t, m.routes[name])
}

func nameInMaze(i int) string { return fmt.Sprintf("route-%03d", i) }

// route is any that an API server takes.
func (m *maze) route(namespace, name string) *gateway.TCPRoute {
	route := &gateway.TCPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	for _, i := range m.random.Perm(len(m.gateways))[:1+m.random.IntN(2)] {
		parent := gateway.ParentReference{
			Namespace: ptr.To(gateway.Namespace(here)), Name: gateway.ObjectName(m.gateways[i].Name),
		}
		listener := m.gateways[i].Spec.Listeners[m.random.IntN(6)]
		switch m.random.IntN(10) {
		case 0: // All listeners.
		case 1:
			parent.Port = ptr.To(listener.Port)
		case 2:
			parent.SectionName = ptr.To(gateway.SectionName("missing"))
		case 3:
			parent.Name = "missing"
		default:
			parent.SectionName = ptr.To(listener.Name)
		}
		// No two may be alike.
		alike := func(p gateway.ParentReference) bool { return p.Name == parent.Name }
		if !slices.ContainsFunc(route.Spec.ParentRefs, alike) {
			route.Spec.ParentRefs = append(route.Spec.ParentRefs, parent)
		}
	}
	refs := []gateway.BackendRef{}
	for range 1 + m.random.IntN(4) {
		refs = append(refs, m.backendRef())
	}
	route.Spec.Rules = []gateway.TCPRouteRule{{BackendRefs: refs}}
	return route
}

// backendRef is right more often than not.
func (m *maze) backendRef() gateway.BackendRef {
	ref := traffic.BackendRef(fmt.Sprintf("service-%d", m.random.IntN(len(m.slices))), int32(m.random.IntN(4)))
	ref.Namespace = ptr.To(gateway.Namespace(here))
	switch m.random.IntN(12) {
	case 0:
		ref.Name = "missing"
	case 1:
		ref.Port = ptr.To(gateway.PortNumber(9999))
	case 2:
		ref.Name = "without-endpoints"
	case 3:
		ref.Namespace, ref.Name = ptr.To(gateway.Namespace(elsewhere)), "granted"
	case 4:
		ref.Namespace, ref.Name = ptr.To(gateway.Namespace(elsewhere)), "forbidden"
	case 5:
		ref.Kind = ptr.To(gateway.Kind("Secret"))
	}
	return ref
}
