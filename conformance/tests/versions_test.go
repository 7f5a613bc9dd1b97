package tests

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// TestVersions installs releases of the Gateway API one after the other, as in upgrades of a cluster:
// first one that drops fields of the status and has no TCPRoute, then those with version v1alpha2 of
// TCPRoute, and finally the current one. No connection fails.
func TestVersions(t *testing.T) {
	here := harness.Here(t)
	c := harness.Client(t)
	experimental := []string{"gatewayclasses", "gateways", "referencegrants", "tcproutes"}

	harness.InstallOldCRDs(t, here, "1.3", "standard", "gatewayclasses", "gateways", "referencegrants")
	harness.InstallChart(t, here, "addresses.mode=service")
	harness.Command(t, "kubectl", "wait", "--for=condition=Accepted", "--timeout=60s", "gatewayclass", harness.Release)
	time.Sleep(3 * time.Second)
	audit := harness.NewAudit(t, here)
	const watched = 10 * time.Second
	time.Sleep(watched)
	writes := audit.Requests(t, harness.Main).Writes()
	require.LessOrEqual(t, writes["update gatewayclasses/status"], 4, "writes in %v of a status of which the API server drops fields", watched)

	harness.InstallOldCRDs(t, here, "1.3", "experimental", experimental...)
	leader, _ := harness.ReadyReplicas(t, c)
	host, backend, other := traffic.OwnAddress(t, leader.Address), traffic.Serve(t, "one"), traffic.Serve(t, "other")
	const namespace, port = "versions", 9000
	g := traffic.Gateway(namespace, "versions", harness.Release, port)
	service := traffic.Service(namespace, "one")
	slice := traffic.Slice(service, host, backend)
	for _, object := range []client.Object{
		&core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, g, service, slice,
		v1alpha2(t, traffic.Route(namespace, "one", g, port, "one")),
	} {
		require.NoError(t, c.Create(t.Context(), object), "creating %T", object)
	}
	address := harness.Join(harness.GatewayAddress(t, c, g, time.Minute), port)
	traffic.ExpectBackend(t, address, backend, time.Minute)

	load := traffic.Start(t, address, traffic.Shape{Opened: 20, Life: 2 * time.Second, Held: 10})
	backends := []traffic.Backend{other, backend}
	for i, install := range []func(){
		func() { harness.InstallOldCRDs(t, here, "1.5", "experimental", experimental...) },
		func() { harness.InstallCRDs(t, here, "experimental") },
	} {
		install()
		before := slice.DeepCopy()
		*slice.Ports[0].Port = int32(backends[i].Port)
		require.NoError(t, c.Patch(t.Context(), slice, client.MergeFrom(before)))
		traffic.ExpectBackend(t, address, backends[i], time.Minute)
	}
	outcome := load.Stop()
	t.Logf("load: %v", outcome)
	require.Empty(t, outcome.Failures, "failed connections:\n%s", traffic.Spell(outcome.Failures))
}

// v1alpha2 returns a route as an object of that version.
func v1alpha2(t *testing.T, route *gateway.TCPRoute) client.Object {
	t.Helper()
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(route)
	require.NoError(t, err)
	object := &unstructured.Unstructured{Object: fields}
	object.SetAPIVersion(gateway.GroupName + "/v1alpha2")
	object.SetKind("TCPRoute")
	unstructured.RemoveNestedField(object.Object, "status")
	return object
}
