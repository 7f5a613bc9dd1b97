package harness

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Replica is a pod of a release.
type Replica struct {
	Name    string
	Address netip.Addr
	Node    string
	IsReady bool
	// Restarts is how often its process was started again.
	Restarts int32
}

// Replicas returns the pods of the main release by name, without those that are terminating.
func Replicas(ctx context.Context, c client.Client) ([]Replica, error) { return Main.Replicas(ctx, c) }

// ReadyReplicas waits until there are two of ours, both ready, and one is elected. That one is the first.
func ReadyReplicas(t *testing.T, c client.Client) (leader, other Replica) {
	t.Helper()
	replicas := Main.ReadyReplicas(t, c, 2)
	return replicas[0], replicas[1]
}

// Leader returns the name of the pod that holds the Lease of the main release.
func Leader(ctx context.Context, c client.Client) (string, error) { return Main.Leader(ctx, c) }

// Said returns the messages in the log of a pod of the main release, oldest first.
func Said(t *testing.T, e Environment, pod string) []string {
	t.Helper()
	return Main.Messages(t, e, pod)
}

// Messages returns the messages in the log of a pod of the release, oldest first.
func (r ChartRelease) Messages(t *testing.T, e Environment, pod string) []string {
	t.Helper()
	path := filepath.Join(e.Cluster, "logs", "pods", r.Namespace+"_"+pod+".log")
	log, err := os.ReadFile(path)
	require.NoError(t, err)
	messages := []string{}
	for line := range strings.Lines(string(log)) {
		event := struct{ Message string }{}
		// A line that a killed process has not finished is none.
		if json.Unmarshal([]byte(line), &event) == nil {
			messages = append(messages, event.Message)
		}
	}
	return messages
}
