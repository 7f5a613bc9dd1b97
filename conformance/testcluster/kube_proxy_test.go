package main

import (
	"slices"
	"testing"
)

func TestUsableEndpointsFollowKubeProxy(t *testing.T) {
	ready := endpoint{address: "10.0.0.1", port: 1, node: "node-1", ready: true, serving: true}
	leaving := endpoint{address: "10.0.0.2", port: 1, node: "node-2", serving: true, terminating: true}
	failed := endpoint{address: "10.0.0.3", port: 1, node: "node-2", terminating: true}
	for _, test := range []struct {
		name    string
		all     []endpoint
		on      int
		isLocal bool
		want    []string
	}{
		{"ready endpoints come first", []endpoint{ready, leaving}, 1, false, []string{"10.0.0.1:1"}},
		{"serving endpoints are used if none is ready", []endpoint{leaving, failed}, 0, false, []string{"10.0.0.2:1"}},
		{"Local uses endpoints of the node only", []endpoint{ready, leaving}, 1, true, []string{"10.0.0.2:1"}},
		{"Local without local endpoints has none", []endpoint{ready}, 2, true, nil},
		{"an endpoint that does not serve is never used", []endpoint{failed}, 1, true, nil},
	} {
		if got := usable(test.all, &nodes[test.on], test.isLocal); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestNodeHealthChangesAfterThresholds(t *testing.T) {
	var h nodeHealth
	for i, probe := range []struct{ result, isHealthy bool }{
		{true, true}, {false, true}, {false, true}, {false, true}, {false, true}, {false, false},
		{true, false}, {false, false}, {true, false}, {true, true},
	} {
		if h.probed(probe.result); h.isHealthy != probe.isHealthy {
			t.Fatalf("after probe %d the node is healthy: %t, want %t", i, h.isHealthy, probe.isHealthy)
		}
	}
}

func TestPickTakesNodesInTurn(t *testing.T) {
	routes := [][]string{{"a", "b"}, {"c"}, {}}
	got := []string{}
	for turn := range uint64(6) {
		endpoint, _ := pick(routes, turn)
		got = append(got, endpoint)
	}
	if want := []string{"a", "c", "", "b", "c", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
