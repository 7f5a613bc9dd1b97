// Package harness contains paths, clients and commands that all tests use.
package harness

import (
	"os"
	"path/filepath"
	"testing"
)

// Environment contains the paths that tests use. conformance/run and conformance/cluster set them.
type Environment struct {
	// Repository is the root of the source tree: chart, examples and README are read from there.
	Repository string
	// GatewayAPI is the root of the module sigs.k8s.io/gateway-api, where the CRDs are.
	GatewayAPI string
	// OldGatewayAPI contains the roots of earlier releases of that module, by release: `1.3` and `1.5`.
	OldGatewayAPI map[string]string
	// Cluster is the state directory of the test cluster: kubeconfig, logs, control socket.
	Cluster string
	// Output is where reports and logs of the tests go.
	Output string
}

// Here returns the environment. It skips the test if there is none, because there is no cluster then.
func Here(t *testing.T) Environment {
	t.Helper()
	variable := func(name string) string {
		value := os.Getenv(name)
		if value == "" {
			t.Skipf("%s is not set: run these tests by conformance/run", name)
		}
		return value
	}
	return Environment{
		Repository: variable("CONFORMANCE_REPOSITORY"),
		GatewayAPI: variable("CONFORMANCE_GATEWAY_API"),
		OldGatewayAPI: map[string]string{
			"1.3": variable("CONFORMANCE_GATEWAY_API_1_3"), "1.5": variable("CONFORMANCE_GATEWAY_API_1_5"),
		},
		Cluster: variable("CONFORMANCE_CLUSTER"),
		Output:  variable("CONFORMANCE_OUTPUT"),
	}
}

// Chart is the directory of the Helm chart.
func (e Environment) Chart() string {
	return filepath.Join(e.Repository, "charts", "sluicegate")
}

// CRDs is what kubectl applies (`-k`) for the custom resource definitions of a channel: standard or experimental.
func (e Environment) CRDs(channel string) string {
	return crds(e.GatewayAPI, channel)
}

// OldCRDs is CRDs of an earlier release, such as `1.3`.
func (e Environment) OldCRDs(release, channel string) string {
	return crds(e.OldGatewayAPI[release], channel)
}

func crds(module, channel string) string {
	all := filepath.Join(module, "config", "crd")
	if channel == "standard" {
		return all
	}
	return filepath.Join(all, channel)
}
