package harness

import (
	"context"
	"fmt"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The labels of the Service of a Gateway.
const (
	GatewayNameLabel      = "gateway.networking.k8s.io/gateway-name"
	GatewayNamespaceLabel = "sluicegate.dev/gateway-namespace"
)

// GatewayService returns the Service of a Gateway, which is in the namespace of a release.
func GatewayService(ctx context.Context, c client.Client, gateway client.ObjectKey) (*core.Service, error) {
	services := core.ServiceList{}
	err := c.List(ctx, &services, client.MatchingLabels{
		GatewayNameLabel: gateway.Name, GatewayNamespaceLabel: gateway.Namespace,
	})
	switch {
	case err != nil:
		return nil, err
	case len(services.Items) == 0:
		return nil, apierrors.NewNotFound(core.Resource("services"), "of Gateway "+gateway.String())
	case len(services.Items) > 1:
		return nil, fmt.Errorf("Gateway %s has %d Services", gateway, len(services.Items))
	}
	return &services.Items[0], nil
}

// PodPort returns the port of the pods to which a Service forwards one of its ports.
func PodPort(service *core.Service, port int) (int, error) {
	for _, each := range service.Spec.Ports {
		if int(each.Port) == port {
			return each.TargetPort.IntValue(), nil
		}
	}
	return 0, fmt.Errorf("Service %s/%s has no port %d: %v", service.Namespace, service.Name, port, service.Spec.Ports)
}
