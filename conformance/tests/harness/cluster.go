package harness

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/config"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// Client speaks to the cluster that KUBECONFIG names, as its administrator.
func Client(t *testing.T) client.Client {
	t.Helper()
	at, err := config.GetConfig()
	require.NoError(t, err, "no cluster to speak to")
	require.NoError(t, gateway.Install(clientgo.Scheme))
	c, err := client.New(at, client.Options{Scheme: clientgo.Scheme})
	require.NoError(t, err)
	return c
}

// InstallCRDs installs the Gateway API of a channel and waits until it is served.
func InstallCRDs(t *testing.T, e Environment, channel string) {
	t.Helper()
	// Not the directory: that of one channel has a kustomization beside them, that of the other hasn't.
	files, err := filepath.Glob(filepath.Join(e.CRDs(channel), "gateway.networking.*.yaml"))
	require.NoError(t, err)
	Command(t, "kubectl", "apply", "--server-side", "-f", strings.Join(files, ","))
	Command(t, "kubectl", "wait", "--for=condition=Established", "--timeout=60s", "crd",
		"gatewayclasses.gateway.networking.k8s.io", "gateways.gateway.networking.k8s.io",
		"tcproutes.gateway.networking.k8s.io", "referencegrants.gateway.networking.k8s.io")
}

// The release and namespace that InstallChart uses.
const (
	Release   = "sluicegate"
	Namespace = "sluicegate-system"
)

// InstallChart installs our chart with these values (`key=value`) and waits until its pods are ready.
func InstallChart(t *testing.T, e Environment, values ...string) {
	t.Helper()
	args := []string{"install", Release, e.Chart(), "--namespace", Namespace, "--create-namespace", "--wait", "--timeout", "2m"}
	for _, value := range values {
		args = append(args, "--set", value)
	}
	Command(t, "helm", args...)
}
