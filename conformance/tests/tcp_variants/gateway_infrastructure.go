package tcpvariants

import (
	"context"
	"fmt"
	"hash/fnv"
	"testing"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sluicegate.dev/conformance/tests/harness"
)

// Infrastructure tests the labels and annotations of a Gateway's Service. The official test,
// GatewayInfrastructureMetadata, looks for the Service in the namespace of the Gateway.
var Infrastructure = suite.ConformanceTest{
	ShortName:   "GatewayInfrastructureOverTCP",
	Description: "The Service of a Gateway carries its labels and annotations, follows their changes, and goes with it.",
	Features:    tcpFeatures,
	Manifests:   []string{"gateway_infrastructure.yaml"},
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		name := infra("infrastructure")
		expectGateway(t, s, name, yes("Accepted"), yes("Programmed"))
		gateway := v1.Gateway{}
		require.NoError(t, s.Client.Get(t.Context(), name, &gateway))

		service, err := serviceOf(t.Context(), s, name.Name)
		require.NoError(t, err)
		require.Equal(t, "value1", service.Annotations["key1"])
		require.Equal(t, "value2", service.Labels["key2"])
		require.Equal(t, s.GatewayClassName, service.Labels["gateway.networking.k8s.io/gateway-class-name"])
		require.EqualValues(t, gateway.UID, service.Labels["sluicegate.dev/gateway-uid"])
		require.Equal(t, harness.Release, service.Spec.Selector["app.kubernetes.io/instance"])

		edit(t, s, name, &v1.Gateway{}, func(g *v1.Gateway) {
			g.Spec.Infrastructure.Labels["key2"] = "changed"
			delete(g.Spec.Infrastructure.Annotations, "key1")
			g.Spec.Infrastructure.Annotations["key3"] = "value3"
		})
		harness.Eventually(t, soon, "the Service follows", func(ctx context.Context) error {
			service, err := serviceOf(ctx, s, name.Name)
			if err != nil {
				return err
			}
			if _, old := service.Annotations["key1"]; old || service.Annotations["key3"] != "value3" || service.Labels["key2"] != "changed" {
				return fmt.Errorf("labels %v, annotations %v", service.Labels, service.Annotations)
			}
			return nil
		})

		require.NoError(t, s.Client.Delete(t.Context(), &gateway))
		harness.Eventually(t, soon, "the Service goes with its Gateway", func(ctx context.Context) error {
			err := s.Client.Get(ctx, client.ObjectKeyFromObject(service), &core.Service{})
			if err == nil {
				return fmt.Errorf("it is still there")
			}
			return client.IgnoreNotFound(err)
		})
	},
}

// ServiceEditsReverted checks that the owned fields of a Service are restored after edits.
var ServiceEditsReverted = suite.ConformanceTest{
	ShortName:   "ServiceEditsReverted",
	Description: "The Service of a Gateway that somebody edits or deletes is put right, and carries on.",
	Features:    tcpFeatures,
	Manifests:   []string{"service.yaml"},
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		name := infra("service")
		expectGateway(t, s, name, yes("Accepted"), yes("Programmed"))
		at := address(t, s, name, "one")
		expectBackend(t, at, "echo-1")
		service, err := serviceOf(t.Context(), s, name.Name)
		require.NoError(t, err)
		ports := service.Spec.DeepCopy().Ports

		edit(t, s, client.ObjectKeyFromObject(service), &core.Service{}, func(s *core.Service) {
			s.Spec.Ports = s.Spec.Ports[:1]
			s.Spec.Ports[0].Port = 9009
			s.Spec.Selector = map[string]string{"app": "somebody-else"}
			delete(s.Labels, "gateway.networking.k8s.io/gateway-class-name")
			s.Labels["of-somebody-else"] = "kept"
		})
		harness.Eventually(t, soon, "the Service is put right", func(ctx context.Context) error {
			now, err := serviceOf(ctx, s, name.Name)
			if err != nil {
				return err
			}
			right := len(now.Spec.Ports) == len(ports) && now.Spec.Selector["app"] == "" &&
				now.Labels["gateway.networking.k8s.io/gateway-class-name"] == s.GatewayClassName
			for i := range ports {
				right = right && now.Spec.Ports[i].Port == ports[i].Port
			}
			if !right {
				return fmt.Errorf("it has ports %v, selector %v, labels %v", now.Spec.Ports, now.Spec.Selector, now.Labels)
			}
			if now.Labels["of-somebody-else"] != "kept" {
				return fmt.Errorf("a label that is not ours is gone: %v", now.Labels)
			}
			return nil
		})
		expectBackend(t, at, "echo-1")
		expectBackend(t, withPort(at, 9002), "echo-1")

		require.NoError(t, s.Client.Delete(t.Context(), service))
		harness.Eventually(t, soon, "the Service is made again", func(ctx context.Context) error {
			now, err := serviceOf(ctx, s, name.Name)
			if err == nil && now.UID == service.UID {
				err = fmt.Errorf("the old one is still there")
			}
			return err
		})
		expectGateway(t, s, name, yes("Accepted"), yes("Programmed"))
		expectBackend(t, address(t, s, name, "two"), "echo-1")
	},
}

// ServiceOfOthersUntouched has a Service in the place where a Gateway's would be.
var ServiceOfOthersUntouched = suite.ConformanceTest{
	ShortName:   "ServiceOfOthersUntouched",
	Description: "A Service that has the name of a Gateway's and isn't ours is not touched; the Gateway says that it has no address.",
	Features:    tcpFeatures,
	Parallel:    true,
	Test: func(t *testing.T, s *suite.ConformanceTestSuite) {
		gateway := infra("not-ours")
		theirs := &core.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: serviceName(gateway)},
			Spec:       core.ServiceSpec{Ports: []core.ServicePort{{Port: 1234}}},
		}
		create(t, s, theirs)
		create(t, s, gatewayOf(s.GatewayClassName, gateway.Name))
		expectGateway(t, s, gateway, yes("Accepted"), no("Programmed", "AddressNotAssigned"))
		now := &core.Service{}
		require.NoError(t, s.Client.Get(t.Context(), client.ObjectKeyFromObject(theirs), now))
		require.Equal(t, theirs.ResourceVersion, now.ResourceVersion, "a Service that is not ours was written")

		require.NoError(t, s.Client.Delete(t.Context(), now))
		expectGateway(t, s, gateway, yes("Accepted"), yes("Programmed"))
	},
}

// serviceName returns the name of the Service of a Gateway.
func serviceName(gateway client.ObjectKey) string {
	hash := fnv.New64a()
	hash.Write([]byte(gateway.String()))
	return fmt.Sprintf("%s-%s-%08x", gateway.Namespace, gateway.Name, uint32(hash.Sum64()))
}

// serviceOf is the one Service that a Gateway has.
func serviceOf(ctx context.Context, s *suite.ConformanceTestSuite, gateway string) (*core.Service, error) {
	services := core.ServiceList{}
	err := s.Client.List(ctx, &services, client.InNamespace(harness.Namespace), client.MatchingLabels{
		"gateway.networking.k8s.io/gateway-name": gateway,
		"sluicegate.dev/gateway-namespace":       suite.InfrastructureNamespace,
	})
	switch {
	case err != nil:
		return nil, err
	case len(services.Items) == 0:
		return nil, apierrors.NewNotFound(core.Resource("services"), "of Gateway "+gateway)
	case len(services.Items) > 1:
		return nil, fmt.Errorf("Gateway %s has %d Services", gateway, len(services.Items))
	}
	return &services.Items[0], nil
}
