package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Replica is a pod of the chart that InstallChart has installed.
type Replica struct {
	Name    string
	Address netip.Addr
	IsReady bool
	// Restarts is how often its process was started again.
	Restarts int32
}

// Replicas are the pods of ours, by name, without those that are on their way out.
func Replicas(ctx context.Context, c client.Client) ([]Replica, error) {
	pods := core.PodList{}
	ours := client.MatchingLabels{"app.kubernetes.io/instance": Release}
	if err := c.List(ctx, &pods, client.InNamespace(Namespace), ours); err != nil {
		return nil, err
	}
	replicas := []Replica{}
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp != nil {
			continue
		}
		address, _ := netip.ParseAddr(pod.Status.PodIP)
		isReady := slices.ContainsFunc(pod.Status.Conditions, func(c core.PodCondition) bool {
			return c.Type == core.PodReady && c.Status == core.ConditionTrue
		})
		replica := Replica{Name: pod.Name, Address: address, IsReady: isReady}
		for _, container := range pod.Status.ContainerStatuses {
			replica.Restarts += container.RestartCount
		}
		replicas = append(replicas, replica)
	}
	slices.SortFunc(replicas, func(a, b Replica) int { return strings.Compare(a.Name, b.Name) })
	return replicas, nil
}

// ReadyReplicas waits until there are two of ours, both ready, and one is elected. That one is the first.
func ReadyReplicas(t *testing.T, c client.Client) (leader, other Replica) {
	t.Helper()
	Eventually(t, time.Minute, "two replicas that are ready, one of them elected", func(ctx context.Context) error {
		replicas, err := Replicas(ctx, c)
		if err != nil {
			return err
		}
		if len(replicas) != 2 || !replicas[0].IsReady || !replicas[1].IsReady {
			return fmt.Errorf("there are %v", replicas)
		}
		holder, err := Leader(ctx, c)
		if err != nil {
			return err
		}
		for i, replica := range replicas {
			if replica.Name == holder {
				leader, other = replica, replicas[1-i]
				return nil
			}
		}
		return fmt.Errorf("elected is %q, and there are %v", holder, replicas)
	})
	return leader, other
}

// Leader is the name of the pod that the Lease names.
func Leader(ctx context.Context, c client.Client) (string, error) {
	leases := coordination.LeaseList{}
	if err := c.List(ctx, &leases, client.InNamespace(Namespace)); err != nil {
		return "", err
	}
	if len(leases.Items) != 1 || leases.Items[0].Spec.HolderIdentity == nil {
		return "", fmt.Errorf("there are %d Leases, expected one with a holder", len(leases.Items))
	}
	return *leases.Items[0].Spec.HolderIdentity, nil
}

// Said are the messages in the log of a pod of ours, oldest first.
func Said(t *testing.T, e Environment, pod string) []string {
	t.Helper()
	path := filepath.Join(e.Cluster, "logs", "pods", Namespace+"_"+pod+".log")
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
