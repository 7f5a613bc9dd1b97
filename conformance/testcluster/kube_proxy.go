package main

import (
	"net"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/kubernetes/pkg/proxy"
)

// portKey identifies a port of a Service.
type portKey struct{ namespace, service, port string }

// endpoint is an endpoint of a Service port, from the view of kube-proxy of one node.
type endpoint struct {
	address                     string
	port                        int
	node                        string
	ready, serving, terminating bool
	isLocal                     bool
	zoneHints, nodeHints        sets.Set[string]
}

func (e *endpoint) String() string              { return net.JoinHostPort(e.address, strconv.Itoa(e.port)) }
func (e *endpoint) IP() string                  { return e.address }
func (e *endpoint) Port() int                   { return e.port }
func (e *endpoint) IsLocal() bool               { return e.isLocal }
func (e *endpoint) IsReady() bool               { return e.ready }
func (e *endpoint) IsServing() bool             { return e.serving }
func (e *endpoint) IsTerminating() bool         { return e.terminating }
func (e *endpoint) ZoneHints() sets.Set[string] { return e.zoneHints }
func (e *endpoint) NodeHints() sets.Set[string] { return e.nodeHints }

// trafficPolicy is the part of a Service port that decides about endpoints.
type trafficPolicy struct {
	proxy.ServicePort
	isLocal bool
}

func (p trafficPolicy) String() string             { return "port" }
func (p trafficPolicy) UsesClusterEndpoints() bool { return !p.isLocal }
func (p trafficPolicy) UsesLocalEndpoints() bool   { return p.isLocal }

// usable returns the endpoints to which kube-proxy of a node forwards new connections. It calls
// kube-proxy's own function.
func usable(all []endpoint, on *node, isLocal bool) []string {
	seen := make([]proxy.Endpoint, len(all))
	for i, each := range all {
		each.isLocal = each.node == on.name
		seen[i] = &each
	}
	_, _, reachable, _ := proxy.CategorizeEndpoints(seen, trafficPolicy{isLocal: isLocal}, on.name, on.labels())
	places := []string{}
	for _, each := range reachable {
		places = append(places, each.String())
	}
	return places
}

// hasLocalReady returns true if kube-proxy of a node reports a Service as healthy at the health
// check node port.
func hasLocalReady(all []endpoint, on *node) bool {
	for _, each := range all {
		if each.ready && each.node == on.name {
			return true
		}
	}
	return false
}

// endpointsOf returns the endpoints of every Service port.
func endpointsOf(slices []*discoveryv1.EndpointSlice) map[portKey][]endpoint {
	all := map[portKey][]endpoint{}
	for _, slice := range slices {
		service := slice.Labels[discoveryv1.LabelServiceName]
		if service == "" || slice.AddressType != discoveryv1.AddressTypeIPv4 {
			continue
		}
		for _, port := range slice.Ports {
			if port.Port == nil || port.Protocol != nil && *port.Protocol != corev1.ProtocolTCP {
				continue
			}
			key := portKey{slice.Namespace, service, ""}
			if port.Name != nil {
				key.port = *port.Name
			}
			for i := range slice.Endpoints {
				all[key] = append(all[key], newEndpoint(&slice.Endpoints[i], int(*port.Port)))
			}
		}
	}
	return all
}

// newEndpoint applies the defaults of the conditions of an EndpointSlice.
func newEndpoint(from *discoveryv1.Endpoint, port int) endpoint {
	conditions := from.Conditions
	e := endpoint{address: from.Addresses[0], port: port}
	e.ready = conditions.Ready == nil || *conditions.Ready
	e.serving = conditions.Serving == nil && e.ready || conditions.Serving != nil && *conditions.Serving
	e.terminating = conditions.Terminating != nil && *conditions.Terminating
	if from.NodeName != nil {
		e.node = *from.NodeName
	}
	if from.Hints != nil {
		e.zoneHints, e.nodeHints = sets.New[string](), sets.New[string]()
		for _, zone := range from.Hints.ForZones {
			e.zoneHints.Insert(zone.Name)
		}
		for _, node := range from.Hints.ForNodes {
			e.nodeHints.Insert(node.Name)
		}
	}
	return e
}
