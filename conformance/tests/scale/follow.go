package scale

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// changes is how often the endpoints of one route are changed; each counts once for each replica.
const changes = 25

// follow changes the endpoints of the middle route that has traffic, and dials both replicas, past the load
// balancer, one connection after the other: from the answer to the change to the beginning of the first
// connection that goes where it should.
func (b *bench) follow(t *testing.T, replicas ...harness.Replica) []time.Duration {
	t.Helper()
	middle := b.listeners() / 2
	slice := discovery.EndpointSlice{}
	require.NoError(t, b.Get(t.Context(), client.ObjectKey{Namespace: b.namespace, Name: routeName(middle)}, &slice))
	addresses := b.directly(t, middle, replicas)
	times := []time.Duration{}
	backends := []traffic.Backend{b.other, b.one}
	for i := range changes {
		to := backends[i%2]
		before := slice.DeepCopy()
		slice.Ports[0].Port = ptr.To(int32(to.Port))
		require.NoError(t, b.Patch(t.Context(), &slice, client.MergeFrom(before)))
		times = append(times, traffic.FirstTo(t, addresses, to)...)
		time.Sleep(200 * time.Millisecond)
	}
	slices.Sort(times)
	return times
}

// directly is where the replicas have a listener.
func (b *bench) directly(t *testing.T, listener int, replicas []harness.Replica) []string {
	t.Helper()
	g := b.gateways[listener/listenersEach]
	service, err := harness.GatewayService(t.Context(), b, client.ObjectKeyFromObject(g))
	require.NoError(t, err)
	port, err := harness.PodPort(service, firstPort+listener%listenersEach)
	require.NoError(t, err)
	addresses := []string{}
	for _, replica := range replicas {
		addresses = append(addresses, harness.Join(replica.Address, port))
	}
	return addresses
}

// processorTime is what a process has used by now.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	// After the name, which is in parentheses: the 12th and 13th, in hundredths of a second.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	require.NoError(t, err)
	system, err := strconv.Atoi(fields[12])
	require.NoError(t, err)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memory is what a process has in use, in MiB.
func memory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(status)) {
		kibibytes := 0
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kibibytes); err == nil {
			return (kibibytes + 512) / 1024
		}
	}
	t.Fatalf("process %d has no VmRSS:\n%s", pid, status)
	return 0
}
