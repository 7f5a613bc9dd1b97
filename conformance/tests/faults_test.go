package tests

import (
	"flag"
	"testing"
	"time"

	"sluicegate.dev/conformance/tests/faults"
	"sluicegate.dev/conformance/tests/harness"
)

var (
	churn    = flag.Duration("churn", 5*time.Minute, "duration of the random changes of routes")
	attack   = flag.Duration("attack", time.Minute, "duration of the edits of a tenant")
	gateways = flag.Int("gateways", 1000, "number of Gateways whose status changes at once")
	seed     = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random changes")
)

// TestFaults lets things go wrong, one after the other, in a cluster that starts without the Gateway API.
func TestFaults(t *testing.T) {
	here := harness.Here(t)
	if !t.Run("DefinitionsMissing", func(t *testing.T) { faults.DefinitionsMissing(t, here) }) {
		t.FailNow()
	}
	w := faults.NewFixture(t, here)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *faults.Fixture)
	}{
		{"APIServerUnavailable", faults.APIServerUnavailable},
		{"EtcdRestarted", faults.EtcdRestarted},
		{"LeaderKilled", faults.LeaderKilled},
		{"FollowerKilled", faults.FollowerKilled},
		{"LeaderDeletedWithoutGrace", faults.LeaderDeletedWithoutGrace},
		{"PodDeleted", faults.PodDeleted},
		{"ControllersLate", faults.ControllersLate},
		{"APIServerSilent", faults.APIServerSilent},
		{"QuotaExceeded", faults.QuotaExceeded},
		{"ReadingForbidden", faults.ReadingForbidden},
		{"WritingForbidden", faults.WritingForbidden},
		{"Updated", faults.Updated},
		{"RollingUpdates", faults.RollingUpdates},
		{"TwoReleases", faults.TwoReleases},
		{"Uninstalled", faults.Uninstalled},
		{"TenantEdits", func(t *testing.T, w *faults.Fixture) { faults.TenantEdits(t, w, *attack, *seed) }},
		{"StatusStorm", func(t *testing.T, w *faults.Fixture) { faults.StatusStorm(t, w, *gateways) }},
		{"Random", func(t *testing.T, w *faults.Fixture) { faults.Random(t, w, *churn, *seed) }},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, w) })
	}
}
