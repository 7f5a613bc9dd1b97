package scale

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"sluicegate.dev/conformance/tests/churn"
	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

const (
	// unrelatedRate is the number of unrelated changes a second.
	unrelatedRate = 200
	// unrelatedChanges is the number of measured changes of a related EndpointSlice.
	unrelatedChanges = 60
	// observed is the time over which CPU time is measured.
	observed = 10 * time.Second
)

// Cost is the CPU time and the memory of a replica.
type Cost struct {
	// Processor is the share of a core.
	Processor float64
	// Memory is in MiB.
	Memory int
}

// MeasuredUnrelated is the cost of objects that no route refers to.
type MeasuredUnrelated struct {
	Services int
	// Before is the cost without these objects, Quiet with objects that do not change, and Busy with
	// changes; each of the leader and of the other replica.
	Before, Quiet, Busy [2]Cost
	// Rate is the number of unrelated changes a second that the API server took.
	Rate float64
	// Follows are the times from a change of a related EndpointSlice, during the unrelated changes, to
	// the first connection that follows it.
	Follows []time.Duration
}

// MeasureUnrelated creates that many Services with an EndpointSlice each beside one route, and changes
// them.
func MeasureUnrelated(t *testing.T, here harness.Environment, services int) MeasuredUnrelated {
	c := harness.Client(t)
	leader, other := harness.ReadyReplicas(t, c)
	replicas := []harness.Replica{leader, other}
	host := traffic.OwnAddress(t, leader.Address)
	backends := []traffic.Backend{traffic.Serve(t, "one"), traffic.Serve(t, "other")}
	const namespace, port = "related", 10000
	g := traffic.Gateway(namespace, "related", harness.Release, port)
	service := traffic.Service(namespace, "related")
	slice := traffic.Slice(service, host, backends[0])
	for _, object := range []client.Object{
		&core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, g, service, slice,
		traffic.Route(namespace, "related", g, port, "related"),
	} {
		require.NoError(t, c.Create(t.Context(), object), "creating %T", object)
	}
	harness.GatewayAddress(t, c, g, time.Minute)
	front, err := harness.GatewayService(t.Context(), c, client.ObjectKeyFromObject(g))
	require.NoError(t, err)
	podPort, err := harness.PodPort(front, port)
	require.NoError(t, err)
	addresses, pids := []string{}, []int{}
	for _, replica := range replicas {
		addresses = append(addresses, harness.Join(replica.Address, podPort))
		pids = append(pids, here.Control().Process(t, harness.Namespace, replica.Name).PID)
	}
	traffic.FirstTo(t, addresses, backends[0])

	m := MeasuredUnrelated{Services: services}
	m.Before = costs(t, pids, func() { time.Sleep(observed) })
	unrelated := churn.Create(t, c, services)
	time.Sleep(5 * time.Second)
	m.Quiet = costs(t, pids, func() { time.Sleep(observed) })

	began := time.Now()
	stop := unrelated.Change(t, unrelatedRate)
	m.Busy = costs(t, pids, func() { time.Sleep(observed) })
	for i := range unrelatedChanges {
		to := backends[(i+1)%2]
		before := slice.DeepCopy()
		*slice.Ports[0].Port = int32(to.Port)
		require.NoError(t, c.Patch(t.Context(), slice, client.MergeFrom(before)))
		m.Follows = append(m.Follows, traffic.FirstTo(t, addresses, to)...)
		time.Sleep(100 * time.Millisecond)
	}
	m.Rate = float64(stop()) / time.Since(began).Seconds()
	slices.Sort(m.Follows)
	return m
}

// costs measures the CPU time of processes while the function runs, and their memory at its end.
func costs(t *testing.T, pids []int, while func()) (costs [2]Cost) {
	t.Helper()
	began := time.Now()
	for i, pid := range pids {
		costs[i].Processor = -processorTime(t, pid).Seconds()
	}
	while()
	took := time.Since(began).Seconds()
	for i, pid := range pids {
		costs[i].Processor = (costs[i].Processor + processorTime(t, pid).Seconds()) / took
		costs[i].Memory = memory(t, pid)
	}
	return costs
}

// Table returns the measurement as Markdown.
func (m MeasuredUnrelated) Table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| | without | %d unrelated Services | and %.0f changes a second |\n|---|---:|---:|---:|\n", m.Services, m.Rate)
	for i, name := range []string{"the leader", "the other replica"} {
		fmt.Fprintf(&b, "| memory of %s | %d MiB | %d MiB | %d MiB |\n", name, m.Before[i].Memory, m.Quiet[i].Memory, m.Busy[i].Memory)
		fmt.Fprintf(&b, "| CPU of %s, share of a core | %.1f %% | %.1f %% | %.1f %% |\n", name,
			100*m.Before[i].Processor, 100*m.Quiet[i].Processor, 100*m.Busy[i].Processor)
	}
	fmt.Fprintf(&b, "| endpoints changed to first connection: median | | | %s |\n", milliseconds(m.Follows[len(m.Follows)/2]))
	fmt.Fprintf(&b, "| the same: worst | | | %s |\n", milliseconds(m.Follows[len(m.Follows)-1]))
	return b.String()
}
