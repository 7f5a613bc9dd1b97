package tcpvariants

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/kubernetes"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// gatewayOf is a Gateway of a class with one listener, tcp on port 9000. Other tests don't wait for it.
func gatewayOf(class, name string) *v1.Gateway {
	return &v1.Gateway{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: suite.InfrastructureNamespace, Name: name,
			Annotations: map[string]string{kubernetes.GatewayExcludedFromReadinessChecks: "true"},
		},
		Spec: v1.GatewaySpec{
			GatewayClassName: v1.ObjectName(class),
			Listeners:        []v1.Listener{{Name: "tcp", Port: 9000, Protocol: v1.TCPProtocolType}},
		},
	}
}

// routeTo is a TCPRoute from every listener of a Gateway to one of the echo servers.
func routeTo(name, gateway, service string) *v1.TCPRoute {
	return &v1.TCPRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: suite.InfrastructureNamespace, Name: name},
		Spec: v1.TCPRouteSpec{
			CommonRouteSpec: v1.CommonRouteSpec{ParentRefs: []v1.ParentReference{{Name: v1.ObjectName(gateway)}}},
			Rules: []v1.TCPRouteRule{{BackendRefs: []v1.BackendRef{{
				BackendObjectReference: v1.BackendObjectReference{Name: v1.ObjectName(service), Port: ptr.To[v1.PortNumber](3000)},
			}}}},
		},
	}
}

// edit changes an object as it is in the cluster, and nothing that others have changed meanwhile.
func edit[T client.Object](t *testing.T, s *suite.ConformanceTestSuite, name types.NamespacedName, object T, change func(T)) {
	t.Helper()
	require.NoError(t, s.Client.Get(t.Context(), name, object))
	before := object.DeepCopyObject().(client.Object)
	change(object)
	require.NoError(t, s.Client.Patch(t.Context(), object, client.MergeFrom(before)))
}

// create makes an object that goes with the test.
func create(t *testing.T, s *suite.ConformanceTestSuite, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		require.NoError(t, s.Client.Create(t.Context(), object))
		t.Cleanup(func() {
			// The test's own context has ended by now.
			if err := s.Client.Delete(context.Background(), object); client.IgnoreNotFound(err) != nil {
				t.Errorf("deleting %s: %v", object.GetName(), err)
			}
		})
	}
}

// say changes the status of an object, as somebody else would.
func say[T client.Object](t *testing.T, s *suite.ConformanceTestSuite, name types.NamespacedName, object T, change func(T)) {
	t.Helper()
	require.NoError(t, s.Client.Get(t.Context(), name, object))
	change(object)
	require.NoError(t, s.Client.Status().Update(t.Context(), object))
}
