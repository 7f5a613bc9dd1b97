package faults

import (
	"context"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// The namespaces of the two tenants, and the user of the one that attacks. The name of its namespace
// comes first, which matters wherever the first name wins.
const (
	attackerNamespace = "a-tenant"
	victimNamespace   = "b-tenant"
	attackerUser      = "attacker"

	attackerPort = 9400
	victimPort   = 9401

	// editRate is the number of edits a second, and replaceInterval the time between two deletions of
	// a replica: a new replica has no state from before the attack. While it starts, for portEdits
	// after the deletion, the attacker edits nothing but pod ports.
	editRate        = 20
	replaceInterval = 8 * time.Second
	portEdits       = 3 * time.Second
)

// TenantEdits makes a tenant edit all objects that it may edit, to get the connections of another
// tenant. It has the role `edit` in its own namespace, extended to Gateways and routes. Replicas are
// replaced meanwhile. Every connection of the other tenant reaches that tenant's backend.
func TenantEdits(t *testing.T, w *Fixture, during time.Duration, seed uint64) {
	t.Logf("seed %d", seed)
	a := newAttack(t, w, seed)
	load := traffic.Start(t, a.victimAddress, traffic.Shape{Opened: 50, Life: 2 * time.Second, Backend: a.victimBackend.Name})

	each := time.NewTicker(time.Second / editRate)
	defer each.Stop()
	end, replace, portsUntil := time.Now().Add(during), time.Now().Add(replaceInterval/2), time.Time{}
	for ; time.Now().Before(end); <-each.C {
		if time.Now().Before(portsUntil) {
			a.do(t, edit{"ports of own Services", a.takePodPorts})
		} else {
			a.step(t)
		}
		if time.Now().After(replace) {
			replace, portsUntil = time.Now().Add(replaceInterval), time.Now().Add(portEdits)
			a.replaceReplica(t)
		}
	}
	t.Logf("edits that were accepted: %v; refused: %v", a.accepted, a.refused)
	require.NotEmpty(t, a.accepted)
	harness.ReadyReplicas(t, w)
	expectUnharmed(t, load)
	traffic.ExpectBackend(t, a.victimAddress, a.victimBackend, 10*time.Second)
	w.delete(t, &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: attackerNamespace}},
		&core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: victimNamespace}})
}

// attack contains the objects of the attacker, and everything about the victim that a tenant can
// find out or guess.
type attack struct {
	*Fixture
	as     client.Client
	random *rand.Rand

	own           *gateway.Gateway
	victim        *gateway.Gateway
	victimService *core.Service
	victimAddress string
	victimBackend traffic.Backend

	accepted, refused map[string]int
}

func newAttack(t *testing.T, w *Fixture, seed uint64) *attack {
	t.Helper()
	a := &attack{
		Fixture: w, as: harness.ClientAs(t, attackerUser), random: rand.New(rand.NewPCG(seed, 1)),
		victimBackend: traffic.Serve(t, "victim"), accepted: map[string]int{}, refused: map[string]int{},
	}
	attacker := traffic.Serve(t, "attacker")
	w.create(t,
		&core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: attackerNamespace}},
		&core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: victimNamespace}},
		// Cluster administrators extend the role `edit` in this way.
		&rbac.ClusterRole{
			ObjectMeta: metav1.ObjectMeta{
				Name: "edit-gateway-api", Labels: map[string]string{"rbac.authorization.k8s.io/aggregate-to-edit": "true"},
			},
			Rules: []rbac.PolicyRule{{
				APIGroups: []string{gateway.GroupName}, Resources: []string{"gateways", "tcproutes", "referencegrants"}, Verbs: []string{"*"},
			}},
		},
		&rbac.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: attackerNamespace, Name: "edit"},
			RoleRef:    rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "ClusterRole", Name: "edit"},
			Subjects:   []rbac.Subject{{APIGroup: rbac.GroupName, Kind: "User", Name: attackerUser}},
		})
	a.victim = a.tenant(t, victimNamespace, victimPort, a.victimBackend)
	a.own = a.tenant(t, attackerNamespace, attackerPort, attacker)
	a.victimAddress = harness.Join(harness.GatewayAddress(t, w, a.victim, time.Minute), victimPort)
	traffic.ExpectBackend(t, a.victimAddress, a.victimBackend, time.Minute)
	own := harness.Join(harness.GatewayAddress(t, w, a.own, time.Minute), attackerPort)
	traffic.ExpectBackend(t, own, attacker, time.Minute)

	var err error
	a.victimService, err = harness.GatewayService(t.Context(), w, client.ObjectKeyFromObject(a.victim))
	require.NoError(t, err)
	harness.Eventually(t, time.Minute, "the attacker has the role", func(ctx context.Context) error {
		return a.as.Create(ctx, traffic.Gateway(attackerNamespace, "try", harness.Release, 1), client.DryRunAll)
	})
	return a
}

// tenant creates a Gateway of a tenant, with a route to the tenant's backend.
func (a *attack) tenant(t *testing.T, namespace string, port int, backend traffic.Backend) *gateway.Gateway {
	t.Helper()
	g := traffic.Gateway(namespace, "g", harness.Release, port)
	g.Spec.Listeners[0].AllowedRoutes = nil // Routes of its own namespace.
	service := traffic.Service(namespace, "app")
	a.create(t, g, service, traffic.Slice(service, a.host, backend), traffic.Route(namespace, "app", g, port, "app"))
	return g
}

// replaceReplica deletes one of the pods, gracefully.
func (a *attack) replaceReplica(t *testing.T) {
	t.Helper()
	replicas, err := harness.Replicas(t.Context(), a)
	require.NoError(t, err)
	victim := replicas[a.random.IntN(len(replicas))]
	pod := core.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: victim.Name}}
	require.NoError(t, client.IgnoreNotFound(a.Delete(t.Context(), &pod)))
}

// step makes one edit.
func (a *attack) step(t *testing.T) {
	t.Helper()
	edits := a.edits()
	a.do(t, edits[a.random.IntN(len(edits))])
}

// do makes an edit. The API server may refuse it.
func (a *attack) do(t *testing.T, edit edit) {
	t.Helper()
	if err := edit.do(t.Context()); err != nil {
		a.refused[edit.name]++
		return
	}
	a.accepted[edit.name]++
}

// victimLabels returns the labels of the Service of the victim's Gateway.
func (a *attack) victimLabels() map[string]string { return maps.Clone(a.victimService.Labels) }
