package harness

import (
	"os"
	"os/exec"
	"testing"
)

// What tells most of what a gateway made of the objects of a test.
const kinds = "gatewayclasses,gateways,tcproutes,referencegrants,services,endpointslices,pods,events"

// Snapshot writes down the objects of the cluster as they are now. It is called when a test has
// failed, so that what it can't do is logged and no more.
func Snapshot(t *testing.T, path string) {
	t.Helper()
	// The context of the test has ended by then.
	objects, err := exec.Command("kubectl", "get", kinds, "--all-namespaces", "--output", "yaml").Output()
	if err == nil {
		err = os.WriteFile(path, objects, 0o644)
	}
	if err != nil {
		t.Logf("no snapshot: %v", err)
		return
	}
	t.Logf("the objects as they were: %s", path)
}
