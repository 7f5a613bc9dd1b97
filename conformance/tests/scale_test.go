package tests

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/scale"
)

var (
	routes    = flag.String("routes", "100,1000,5000", "numbers of routes to measure")
	unrelated = flag.Int("unrelated", 20000, "number of Services with EndpointSlices that no route refers to")
)

// The maximum cost of unrelated objects for a replica: a share of a core, memory in MiB, and the delay
// of a change of a related object. The goals are 3 % of a core, 20 MiB, 50 ms (median) and 250 ms
// (worst). Time is measured while other programs use the machine, so the limits of time only notice
// work of another order.
const (
	unrelatedProcessor = 0.15
	unrelatedMemory    = 20
	unrelatedMedian    = 250 * time.Millisecond
	unrelatedWorst     = 1250 * time.Millisecond
)

// TestScale measures what many routes cost, and holds it to what was promised.
func TestScale(t *testing.T) {
	here := harness.Here(t)
	harness.InstallCRDs(t, here, "standard")
	harness.InstallChart(t, here, "addresses.mode=service")

	measured := []scale.Measured{}
	for word := range strings.SplitSeq(*routes, ",") {
		if len(measured) > 0 {
			scale.Clear(t, measured[len(measured)-1].Routes)
		}
		count, err := strconv.Atoi(word)
		require.NoError(t, err)
		m := scale.Measure(t, here, count)
		measured = append(measured, m)
		t.Logf("%d routes: %+v", count, m)
		assert.Equal(t, count, m.Requests.ByKind["update tcproutes/status"], "one write for each route")
		assert.Equal(t, 1, m.Requests.Most["update tcproutes/status"], "and not two for one and none for another")
		assert.Less(t, m.Follows[len(m.Follows)/2], 50*time.Millisecond, "from a change to the first connection that follows it")
	}
	scale.Clear(t, measured[len(measured)-1].Routes)
	u := scale.MeasureUnrelated(t, here, *unrelated)
	t.Logf("%d unrelated Services: %+v", *unrelated, u)
	for i := range u.Before {
		assert.Less(t, u.Busy[i].Processor-u.Before[i].Processor, unrelatedProcessor, "share of a core for unrelated changes")
		assert.Less(t, u.Busy[i].Memory-u.Before[i].Memory, unrelatedMemory, "MiB for unrelated objects")
	}
	assert.Less(t, u.Follows[len(u.Follows)/2], unrelatedMedian, "median delay of a change of a related object")
	assert.Less(t, u.Follows[len(u.Follows)-1], unrelatedWorst, "maximum delay of a change of a related object")

	table := scale.Table(measured) + "\n" + u.Table()
	t.Log("\n" + table)
	require.NoError(t, os.WriteFile(filepath.Join(here.Output, "scale.md"), []byte(table), 0o644))
}
