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
	"sluicegate.dev/conformance/tests/traffic"
)

// TwoReleases installs a second release with the controller name of the first. One of them writes, the
// other one reports it, and nothing is written again and again.
func TwoReleases(t *testing.T, w *Fixture) {
	load := traffic.Start(t, w.steady(), usual)
	second, _ := harness.SecondRelease("twin")
	second.Install(t, w.Here, "gatewayClass.create=false", "controllerName="+harness.ControllerName)
	harness.Eventually(t, 30*time.Second, "the second release reports the first", func(ctx context.Context) error {
		replicas, err := second.Replicas(ctx, w)
		if err != nil {
			return err
		}
		messages := []string{}
		for _, replica := range replicas {
			messages = append(messages, second.Messages(t, w.Here, replica.Name)...)
		}
		first := harness.Namespace + "/" + harness.Release
		at := slices.IndexFunc(messages, func(message string) bool { return strings.Contains(message, first) })
		if at < 0 {
			return fmt.Errorf("no message contains %s: %q", first, messages)
		}
		t.Log(messages[at])
		return nil
	})

	first, other := harness.NewAudit(t, w.Here), harness.NewAudit(t, w.Here)
	const watched = 10 * time.Second
	time.Sleep(watched)
	for _, seen := range []struct {
		audit   harness.Audit
		release harness.ChartRelease
	}{{first, harness.Main}, {other, second}} {
		writes := seen.audit.Requests(t, seen.release).Writes()
		// Each release renews its claim on the class every 40 s.
		require.LessOrEqual(t, writes["patch gatewayclasses"], 1, "renewals of %v in %v", seen.release, watched)
		delete(writes, "patch gatewayclasses")
		require.Empty(t, writes, "writes of %v in %v", seen.release, watched)
	}
	w.expectChangesTaken(t, "two-releases", 5*time.Second, 10*time.Second)
	second.Uninstall(t)
	time.Sleep(5 * time.Second)
	w.expectChangesTaken(t, "one-release", 5*time.Second, 10*time.Second)
	expectUnharmed(t, load)
}
