package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"sluicegate.dev/conformance/tests/harness"
)

// DefinitionsMissing installs the chart before the Gateway API, and the Gateway API after it. The pods say
// what is missing, and pick it up without a restart.
func DefinitionsMissing(t *testing.T, here harness.Environment) {
	c := harness.Client(t)
	harness.InstallChart(t, here, "addresses.mode=service")
	before := []string{}
	harness.Eventually(t, 30*time.Second, "every pod says what is missing", func(ctx context.Context) error {
		replicas, err := harness.Replicas(ctx, c)
		if err != nil {
			return err
		}
		before = before[:0]
		for _, replica := range replicas {
			before = append(before, replica.Name)
			if len(missing(t, here, replica)) != 1 {
				return fmt.Errorf("%s says %q", replica.Name, harness.Said(t, here, replica.Name))
			}
		}
		return nil
	})
	require.Len(t, before, 2)

	harness.InstallCRDs(t, here, "standard")
	// The chart's GatewayClass had to be left out.
	harness.Command(t, "helm", "upgrade", harness.Release, here.Chart(), "--namespace", harness.Namespace, "--reuse-values", "--wait")
	began := time.Now()
	harness.Command(t, "kubectl", "wait", "--for=condition=Accepted", "--timeout=60s", "gatewayclass", harness.Release)
	t.Logf("the GatewayClass is accepted %v after it was made", since(began))

	after, err := harness.Replicas(t.Context(), c)
	require.NoError(t, err)
	for _, replica := range after {
		require.True(t, slices.Contains(before, replica.Name), "%s is not one of those that were there before", replica.Name)
		// The definitions come one after the other, so that there may be news of what is still missing.
		said := missing(t, here, replica)
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(said))), len(said), "nothing is said twice")
	}
}

// missing are the messages of a pod that say which definitions are.
func missing(t *testing.T, here harness.Environment, replica harness.Replica) []string {
	t.Helper()
	return slices.DeleteFunc(harness.Said(t, here, replica.Name), func(message string) bool {
		return !strings.Contains(message, "does not serve") || !strings.Contains(message, "TCPRoute")
	})
}
