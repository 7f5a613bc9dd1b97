package tcpvariants

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// RejectedShare asks for an invalid backend to keep its weight.
var RejectedShare = suite.ConformanceTest{
	ShortName:   "TCPRouteRejectedShare",
	Description: "Of weights 3 and 1, the latter for a Service that doesn't exist, a quarter of the connections is rejected.",
	Features:    tcpFeatures,
	Manifests:   []string{"route_rejected_share.yaml"},
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		gateway := infra("rejected-share")
		expectRoute(t, s, gateway, []string{gateway.Name}, yes("Accepted"), no("ResolvedRefs", "BackendNotFound"))
		expectGateway(t, s, gateway, yes("Accepted"), yes("Programmed"))
		at := address(t, s, gateway, "tcp")
		// Endpoints may come later than status. Until they do, everything is rejected.
		require.Eventually(t, func() bool { return knock(t.Context(), at) == served }, soon, 100*time.Millisecond)

		const connections = 400
		fates := map[fate]int{}
		for range connections {
			fates[knock(t.Context(), at)]++
		}
		// Each replica deals out exact shares of what it gets, and a load balancer decides what that is.
		require.InDeltaf(t, connections*3/4, fates[served], connections/50, "of %d: %v", connections, fates)
		require.InDeltaf(t, connections/4, fates[rejected], connections/50, "of %d: %v", connections, fates)
	},
}

// AllZeroWeights asks for what the specification leaves open: nothing is to be had, and it is said so.
var AllZeroWeights = suite.ConformanceTest{
	ShortName:   "TCPRouteAllZeroWeights",
	Description: "Where every backend has weight 0, every connection is rejected.",
	Features:    tcpFeatures,
	Manifests:   []string{"route_all_zero.yaml"},
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		gateway := infra("all-zero-weights")
		expectRoute(t, s, gateway, []string{gateway.Name}, yes("Accepted"), yes("ResolvedRefs"))
		expectListeners(t, s, gateway, serving("tcp", 1))
		at := address(t, s, gateway, "tcp")
		expectFate(t, at, rejected)

		edit(t, s, gateway, &v1.TCPRoute{}, func(r *v1.TCPRoute) { r.Spec.Rules[0].BackendRefs[1].Weight = ptr.To[int32](1) })
		expectBackend(t, at, "echo-2")
	},
}

// HandOver asks what becomes of a listener whose route goes away while another is waiting.
var HandOver = suite.ConformanceTest{
	ShortName:   "TCPRouteHandOver",
	Description: "When the route that has a listener goes away the next oldest takes over; connections stay where they are.",
	Features:    tcpFeatures,
	Manifests:   []string{"route_hand_over.yaml"},
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		gateway, older, newer := infra("hand-over"), infra("hand-over-older"), infra("hand-over-newer")
		expectRoute(t, s, older, []string{gateway.Name}, yes("Accepted"), yes("ResolvedRefs"))
		// Ages are whole seconds.
		time.Sleep(1100 * time.Millisecond)
		create(t, s, routeTo(newer.Name, gateway.Name, "echo-2"))
		expectRoute(t, s, newer, []string{gateway.Name}, yes("Accepted"), yes("ResolvedRefs"))
		expectListeners(t, s, gateway, serving("tcp", 2))
		at := address(t, s, gateway, "tcp")
		expectBackend(t, at, "echo-1")

		open, err := net.DialTimeout("tcp", at, 5*time.Second)
		require.NoError(t, err)
		defer open.Close()
		lines := bufio.NewReader(open)
		ask(t, open, lines, "")

		require.NoError(t, s.Client.Delete(t.Context(), &v1.TCPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: older.Namespace, Name: older.Name}}))
		expectBackend(t, at, "echo-2")
		expectListeners(t, s, gateway, serving("tcp", 1))
		require.Equal(t, "PONG\n", ask(t, open, lines, "PING\n"), "a connection that was open goes on")
	},
}

// ask sends a line, if there is one to send, and reads one.
func ask(t *testing.T, connection net.Conn, lines *bufio.Reader, question string) string {
	t.Helper()
	require.NoError(t, connection.SetDeadline(time.Now().Add(5*time.Second)))
	_, err := fmt.Fprint(connection, question)
	require.NoError(t, err)
	answer, err := lines.ReadString('\n')
	require.NoError(t, err)
	return answer
}
