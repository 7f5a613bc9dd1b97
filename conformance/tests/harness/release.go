package harness

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ChartRelease is a release of the chart: the main one, or one beside it.
type ChartRelease struct{ Name, Namespace string }

// Main is the release that InstallChart installs.
var Main = ChartRelease{Name: Release, Namespace: Namespace}

// SecondRelease returns a release with a namespace of its own, and the values that give it a controller
// and a GatewayClass of its own.
func SecondRelease(name string) (release ChartRelease, values []string) {
	// The chart uses a name that contains `sluicegate` unchanged.
	full := Release + "-" + name
	return ChartRelease{Name: full, Namespace: full},
		[]string{"controllerName=sluicegate.dev/" + name, "gatewayClass.name=" + full}
}

// Install installs the chart with these values (`key=value`) and waits until its pods are ready. The
// release is uninstalled at the end of the test, if it is not the main one.
func (r ChartRelease) Install(t *testing.T, e Environment, values ...string) {
	t.Helper()
	args := []string{"install", r.Name, e.Chart(), "--namespace", r.Namespace, "--create-namespace", "--wait", "--timeout", "2m"}
	for _, value := range values {
		args = append(args, "--set", value)
	}
	if r != Main {
		// The context of the test has ended by then. Usually the test has uninstalled the release.
		t.Cleanup(func() {
			_ = exec.Command("helm", "uninstall", r.Name, "--namespace", r.Namespace, "--ignore-not-found").Run()
		})
	}
	Command(t, "helm", args...)
}

// Upgrade replaces all pods, as a new version of the chart does, and waits until the new ones are ready.
func (r ChartRelease) Upgrade(t *testing.T, e Environment, values ...string) {
	t.Helper()
	args := []string{"upgrade", r.Name, e.Chart(), "--namespace", r.Namespace, "--reuse-values", "--wait", "--timeout", "4m"}
	for _, value := range values {
		args = append(args, "--set", value)
	}
	Command(t, "helm", args...)
}

// Uninstall removes the release, and waits for its clean-up.
func (r ChartRelease) Uninstall(t *testing.T) {
	t.Helper()
	Command(t, "helm", "uninstall", r.Name, "--namespace", r.Namespace)
}

// Replicas returns the pods of the release by name, without those that are terminating.
func (r ChartRelease) Replicas(ctx context.Context, c client.Client) ([]Replica, error) {
	pods := core.PodList{}
	ours := client.MatchingLabels{"app.kubernetes.io/instance": r.Name}
	if err := c.List(ctx, &pods, client.InNamespace(r.Namespace), ours); err != nil {
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
		replica := Replica{Name: pod.Name, Address: address, Node: pod.Spec.NodeName, IsReady: isReady}
		for _, container := range pod.Status.ContainerStatuses {
			replica.Restarts += container.RestartCount
		}
		replicas = append(replicas, replica)
	}
	slices.SortFunc(replicas, func(a, b Replica) int { return strings.Compare(a.Name, b.Name) })
	return replicas, nil
}

// ReadyReplicas waits until the release has that many pods, all ready, one of which is the leader. The
// leader is the first of the result.
func (r ChartRelease) ReadyReplicas(t *testing.T, c client.Client, count int) []Replica {
	t.Helper()
	var replicas []Replica
	Eventually(t, time.Minute, fmt.Sprintf("release %s has %d ready replicas and a leader", r.Name, count), func(ctx context.Context) error {
		var err error
		if replicas, err = r.Replicas(ctx, c); err != nil {
			return err
		}
		if len(replicas) != count || slices.ContainsFunc(replicas, func(r Replica) bool { return !r.IsReady }) {
			return fmt.Errorf("there are %+v", replicas)
		}
		holder, err := r.Leader(ctx, c)
		if err != nil {
			return err
		}
		leader := slices.IndexFunc(replicas, func(r Replica) bool { return r.Name == holder })
		if leader < 0 {
			return fmt.Errorf("the leader is %q, and there are %+v", holder, replicas)
		}
		replicas[0], replicas[leader] = replicas[leader], replicas[0]
		return nil
	})
	return replicas
}

// Leader returns the name of the pod that holds the Lease of the release.
func (r ChartRelease) Leader(ctx context.Context, c client.Client) (string, error) {
	lease := coordination.Lease{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: r.Namespace, Name: r.Name}, &lease); err != nil {
		return "", err
	}
	if lease.Spec.HolderIdentity == nil {
		return "", fmt.Errorf("Lease %s/%s has no holder", r.Namespace, r.Name)
	}
	return *lease.Spec.HolderIdentity, nil
}
