package main

import "time"

// The health checks of a load balancer for Services with externalTrafficPolicy Local: after the last
// local ready endpoint of a node is gone, the load balancer sends connections to the node for 8 to 10
// seconds more. That is longer than a kubelet takes to notice a failing readiness probe.
const (
	healthInterval     = 2 * time.Second
	healthyThreshold   = 2
	unhealthyThreshold = 5
)

// nodeHealth is the health of one node, from the view of the load balancer. The first probe sets it.
type nodeHealth struct {
	isKnown, isHealthy bool
	streak             int // Probes in a row that contradict isHealthy.
}

// probed records the result of a probe.
func (h *nodeHealth) probed(result bool) {
	if !h.isKnown {
		h.isKnown, h.isHealthy = true, result
		return
	}
	if result == h.isHealthy {
		h.streak = 0
		return
	}
	h.streak++
	threshold := unhealthyThreshold
	if result {
		threshold = healthyThreshold
	}
	if h.streak >= threshold {
		h.isHealthy, h.streak = result, 0
	}
}

// probeNodes returns the health of all nodes for a Service. A probe succeeds if the node has a ready
// endpoint, which is what kube-proxy reports at the health check node port.
func probeNodes(before []nodeHealth, all []endpoint, isProbe bool) []nodeHealth {
	after := make([]nodeHealth, len(nodes))
	copy(after, before)
	for i := range nodes {
		if isProbe || !after[i].isKnown {
			after[i].probed(hasLocalReady(all, &nodes[i]))
		}
	}
	return after
}
