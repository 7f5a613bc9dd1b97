package harness

import (
	"testing"

	"github.com/stretchr/testify/require"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/config"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// Client speaks to the cluster that KUBECONFIG names, as its administrator.
func Client(t *testing.T) client.WithWatch {
	t.Helper()
	return ClientAs(t, "")
}

// ClientAs returns a client with the permissions of a user. An empty name means the administrator.
func ClientAs(t *testing.T, user string) client.WithWatch {
	t.Helper()
	at, err := config.GetConfig()
	require.NoError(t, err, "no cluster to speak to")
	// No measure of its own: it would be what tests measure.
	at.QPS = -1
	at.Impersonate.UserName = user
	require.NoError(t, gateway.Install(clientgo.Scheme))
	c, err := client.NewWithWatch(at, client.Options{Scheme: clientgo.Scheme})
	require.NoError(t, err)
	return c
}

// InstallCRDs installs the Gateway API of a channel and waits until it is served.
func InstallCRDs(t *testing.T, e Environment, channel string) {
	t.Helper()
	Command(t, "kubectl", "apply", "--server-side", "-k", e.CRDs(channel))
	waitForCRDs(t, "gatewayclasses", "gateways", "tcproutes", "referencegrants")
}

// InstallOldCRDs installs an earlier release of the Gateway API, such as `1.3`, and waits until these
// kinds are served.
func InstallOldCRDs(t *testing.T, e Environment, release, channel string, kinds ...string) {
	t.Helper()
	Command(t, "kubectl", "apply", "--server-side", "--force-conflicts", "-k", e.OldCRDs(release, channel))
	waitForCRDs(t, kinds...)
}

func waitForCRDs(t *testing.T, kinds ...string) {
	t.Helper()
	args := []string{"wait", "--for=condition=Established", "--timeout=60s", "crd"}
	for _, kind := range kinds {
		args = append(args, kind+".gateway.networking.k8s.io")
	}
	Command(t, "kubectl", args...)
}

// The release and namespace that InstallChart uses, and the controller that the chart makes of it.
const (
	Release   = "sluicegate"
	Namespace = "sluicegate-system"

	ControllerName = "sluicegate.dev/gateway-controller"
)

// InstallChart installs our chart with these values (`key=value`) and waits until its pods are ready.
func InstallChart(t *testing.T, e Environment, values ...string) {
	t.Helper()
	Main.Install(t, e, values...)
}
