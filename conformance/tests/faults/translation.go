package faults

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// fresh is what the crate's example `translate` makes of all objects of a cluster, and what their status is there.
type fresh struct {
	routes   map[string]pair[gateway.TCPRoute]
	gateways map[string]pair[gateway.Gateway]
	// plan has, for each listener, how its connections find their way.
	plan map[string]listenerPlan
}

type pair[T any] struct{ live, said T }

type listenerPlan struct {
	Routing struct {
		Single *struct{ Shares []share }
	}
}

// UnmarshalJSON takes a word as well: that there is no route.
func (p *listenerPlan) UnmarshalJSON(text []byte) error {
	type plain listenerPlan
	if strings.Contains(string(text), `"routing":"unrouted"`) {
		return nil
	}
	return yaml.Unmarshal(text, (*plain)(p))
}

// share is a part of a route's connections; its target has no endpoints if they are rejected.
type share struct {
	Weight int
	Target struct {
		Backend struct{ Endpoints []endpoint }
	}
}

type endpoint struct{ Address netip.AddrPort }

// What a translation is made of.
const translated = "gatewayclasses,gateways,tcproutes,referencegrants,services,endpointslices,namespaces"

// translate reads everything from the cluster and translates it.
func translate(t *testing.T, e harness.Environment) (fresh, error) {
	t.Helper()
	objects, err := harness.Output(t, "kubectl", "get", translated, "--all-namespaces", "--output", "yaml")
	if err != nil {
		return fresh{}, err
	}
	file := filepath.Join(e.Output, "random.yaml")
	if err := os.WriteFile(file, []byte(objects), 0o644); err != nil {
		return fresh{}, err
	}
	said, err := harness.Output(t, "translate", "--controller-name", harness.ControllerName, file)
	if err != nil {
		return fresh{}, err
	}
	f := fresh{routes: map[string]pair[gateway.TCPRoute]{}, gateways: map[string]pair[gateway.Gateway]{}}
	list := struct{ Items []any }{}
	if err := yaml.Unmarshal([]byte(objects), &list); err != nil {
		return fresh{}, err
	}
	for _, item := range list.Items {
		text, err := yaml.Marshal(item)
		if err != nil {
			return fresh{}, err
		}
		if err := f.take(text, true); err != nil {
			return fresh{}, err
		}
	}
	documents := strings.Split(strings.TrimPrefix(said, "---\n"), "\n---\n")
	for _, document := range documents[:len(documents)-1] {
		if err := f.take([]byte(document), false); err != nil {
			return fresh{}, err
		}
	}
	plan := struct{ Listeners map[string]listenerPlan }{}
	err = yaml.Unmarshal([]byte(documents[len(documents)-1]), &plan)
	f.plan = plan.Listeners
	return f, err
}

func (f *fresh) take(text []byte, isLive bool) error {
	object := v1.PartialObjectMetadata{}
	if err := yaml.Unmarshal(text, &object); err != nil {
		return err
	}
	name := object.Namespace + "/" + object.Name
	switch object.Kind {
	case "TCPRoute":
		return put(f.routes, name, text, isLive)
	case "Gateway":
		return put(f.gateways, name, text, isLive)
	}
	return nil
}

func put[T any](in map[string]pair[T], name string, text []byte, isLive bool) error {
	both := in[name]
	half := &both.said
	if isLive {
		half = &both.live
	}
	err := yaml.Unmarshal(text, half)
	in[name] = both
	return err
}

// mismatch says where in these namespaces the cluster has something else than was translated.
func (f *fresh) mismatch(namespaces ...string) error {
	wrong := []string{}
	for name, route := range f.routes {
		if slices.Contains(namespaces, route.live.Namespace) {
			compare(&wrong, "TCPRoute "+name, parents(route.live), parents(route.said))
		}
	}
	for name, g := range f.gateways {
		if slices.Contains(namespaces, g.live.Namespace) {
			compare(&wrong, "Gateway "+name, listeners(g.live), listeners(g.said))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return fmt.Errorf("%d differences:\n%s", len(wrong), strings.Join(wrong[:min(10, len(wrong))], "\n"))
	}
	return nil
}

func compare(wrong *[]string, what string, live, said []string) {
	if !slices.Equal(live, said) {
		*wrong = append(*wrong, fmt.Sprintf("%s\n  has      %s\n  expected %s",
			what, strings.Join(live, "\n           "), strings.Join(said, "\n           ")))
	}
}

func parents(route gateway.TCPRoute) []string {
	lines := []string{}
	for _, parent := range route.Status.Parents {
		ref, _ := yaml.Marshal(parent.ParentRef)
		lines = append(lines, strings.ReplaceAll(string(ref), "\n", " ")+spell(parent.Conditions))
	}
	slices.Sort(lines)
	return lines
}

// listeners leaves out the Gateway's own conditions and addresses, which depend on where Gateways live.
func listeners(g gateway.Gateway) []string {
	lines := []string{}
	for _, listener := range g.Status.Listeners {
		lines = append(lines, fmt.Sprintf("%s: %d routes, %s", listener.Name, listener.AttachedRoutes, spell(listener.Conditions)))
	}
	slices.Sort(lines)
	return lines
}

func spell(conditions []v1.Condition) string {
	lines := []string{}
	for _, c := range conditions {
		lines = append(lines, fmt.Sprintf("%s=%s/%s@%d", c.Type, c.Status, c.Reason, c.ObservedGeneration))
	}
	slices.Sort(lines)
	return strings.Join(lines, " ")
}

// rejected is what a connection finds that is accepted and reset.
const rejected = "rejected"

// answers are those that connections to a listener get, one or the other.
func (m *maze) answers(plan listenerPlan) map[string]bool {
	answers := map[string]bool{}
	if plan.Routing.Single != nil {
		for _, share := range plan.Routing.Single.Shares {
			switch {
			case share.Weight == 0:
			case len(share.Target.Backend.Endpoints) == 0:
				answers[rejected] = true
			default:
				for _, endpoint := range share.Target.Backend.Endpoints {
					answers[m.nameOf(endpoint.Address)] = true
				}
			}
		}
	}
	if len(answers) == 0 {
		answers[rejected] = true
	}
	return answers
}

func (m *maze) nameOf(endpoint netip.AddrPort) string {
	for _, backend := range append(m.backends, m.one) {
		if backend.Port == endpoint.Port() {
			return backend.Name
		}
	}
	return endpoint.String()
}

// expectTraffic asks that connections get the answers that the plan says: all of them, and no others.
func (m *maze) expectTraffic(t *testing.T, translation fresh) {
	t.Helper()
	dialled := 0
	for i, g := range m.gateways {
		for j, listener := range g.Spec.Listeners {
			plan, isOpen := translation.plan[here+"/"+g.Name+"/"+string(listener.Name)]
			if !isOpen {
				continue
			}
			address := m.address(t, i, j)
			expected := slices.Sorted(maps.Keys(m.answers(plan)))
			harness.Eventually(t, 10*time.Second, address+" answers as the plan says", func(ctx context.Context) error {
				got := map[string]bool{}
				// Shares are exact, and weights sum up to 12 at most in each of the two replicas.
				for range 60 {
					dialled++
					connection, err := traffic.Dial(ctx, address)
					if err != nil {
						got[rejected] = true
						continue
					}
					connection.Close()
					got[connection.Backend] = true
				}
				if answers := slices.Sorted(maps.Keys(got)); !slices.Equal(answers, expected) {
					return fmt.Errorf("got %v, expected %v", answers, expected)
				}
				return nil
			})
		}
	}
	t.Logf("%d connections got the answers that a fresh translation says", dialled)
}
