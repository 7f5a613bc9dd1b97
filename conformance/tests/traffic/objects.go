package traffic

import (
	"fmt"
	"net/netip"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// ServicePort is the port of every Service made here.
const ServicePort = 3000

// Service is one without a selector: its endpoints are made by hand.
func Service(namespace, name string) *core.Service {
	return &core.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       core.ServiceSpec{Ports: []core.ServicePort{{Name: "tcp", Port: ServicePort}}},
	}
}

// Slice has a backend as the one endpoint of a Service.
func Slice(service *core.Service, at netip.Addr, backend Backend) *discovery.EndpointSlice {
	return &discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: service.Namespace,
			Name:      service.Name,
			Labels:    map[string]string{discovery.LabelServiceName: service.Name},
		},
		AddressType: discovery.AddressTypeIPv4,
		Endpoints:   []discovery.Endpoint{{Addresses: []string{at.String()}}},
		Ports:       []discovery.EndpointPort{{Name: ptr.To("tcp"), Port: ptr.To(int32(backend.Port))}},
	}
}

// Gateway has a TCP listener for each port, with a name by its port, open to routes of all namespaces.
func Gateway(namespace, name, class string, ports ...int) *gateway.Gateway {
	listeners := []gateway.Listener{}
	for _, port := range ports {
		listeners = append(listeners, gateway.Listener{
			Name:     SectionName(port),
			Port:     gateway.PortNumber(port),
			Protocol: gateway.TCPProtocolType,
			AllowedRoutes: &gateway.AllowedRoutes{
				Namespaces: &gateway.RouteNamespaces{From: ptr.To(gateway.NamespacesFromAll)},
			},
		})
	}
	return &gateway.Gateway{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       gateway.GatewaySpec{GatewayClassName: gateway.ObjectName(class), Listeners: listeners},
	}
}

// SectionName is the name of the listener on a port.
func SectionName(port int) gateway.SectionName {
	return gateway.SectionName(fmt.Sprintf("tcp-%d", port))
}

// Route leads from a listener of a Gateway to a Service of the route's own namespace.
func Route(namespace, name string, to *gateway.Gateway, port int, service string) *gateway.TCPRoute {
	return &gateway.TCPRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: gateway.TCPRouteSpec{
			CommonRouteSpec: gateway.CommonRouteSpec{ParentRefs: []gateway.ParentReference{{
				Namespace:   ptr.To(gateway.Namespace(to.Namespace)),
				Name:        gateway.ObjectName(to.Name),
				SectionName: ptr.To(SectionName(port)),
			}}},
			Rules: []gateway.TCPRouteRule{{BackendRefs: []gateway.BackendRef{BackendRef(service, 1)}}},
		},
	}
}

// BackendRef refers to a Service of the route's own namespace.
func BackendRef(service string, weight int32) gateway.BackendRef {
	return gateway.BackendRef{
		BackendObjectReference: gateway.BackendObjectReference{
			Name: gateway.ObjectName(service), Port: ptr.To(gateway.PortNumber(ServicePort)),
		},
		Weight: ptr.To(weight),
	}
}
