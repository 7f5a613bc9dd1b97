// Package churn creates Services and EndpointSlices that no route refers to, and changes them.
package churn

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// endpointsEach is the number of endpoints of an EndpointSlice, and workers the number of requests at
// the same time.
const (
	endpointsEach = 3
	workers       = 16
)

// Unrelated are Services with an EndpointSlice each that no route refers to.
type Unrelated struct {
	client    client.Client
	namespace string
	count     int
}

// Create creates that many Services and EndpointSlices in a namespace of their own.
func Create(t *testing.T, c client.Client, count int) *Unrelated {
	t.Helper()
	u := &Unrelated{client: c, namespace: "unrelated", count: count}
	require.NoError(t, c.Create(t.Context(), &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: u.namespace}}))
	harness.CreateAll(t, c, count, func(i int) client.Object { return u.service(i) })
	harness.CreateAll(t, c, count, func(i int) client.Object { return u.slice(i) })
	return u
}

// service is headless, so that the balancer of the test cluster has no work with it. Its metadata has
// the size that Services of charts usually have.
func (u *Unrelated) service(i int) *core.Service {
	s := traffic.Service(u.namespace, name(i))
	s.Labels = map[string]string{
		"app.kubernetes.io/name": "unrelated", "app.kubernetes.io/instance": name(i), "app.kubernetes.io/managed-by": "Helm",
	}
	s.Annotations = map[string]string{"meta.helm.sh/release-name": name(i), "meta.helm.sh/release-namespace": u.namespace}
	s.Spec.ClusterIP = core.ClusterIPNone
	return s
}

func (u *Unrelated) slice(i int) *discovery.EndpointSlice {
	slice := &discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: u.namespace, Name: name(i), Labels: map[string]string{discovery.LabelServiceName: name(i)},
		},
		AddressType: discovery.AddressTypeIPv4,
		Ports:       []discovery.EndpointPort{{Name: ptr.To("tcp"), Port: ptr.To(int32(3000))}},
	}
	for j := range endpointsEach {
		address := fmt.Sprintf("10.%d.%d.%d", 100+j, i/250%250, 1+i%250)
		slice.Endpoints = append(slice.Endpoints, discovery.Endpoint{
			Addresses: []string{address}, NodeName: ptr.To("node-1"),
			Conditions: discovery.EndpointConditions{Ready: ptr.To(true), Serving: ptr.To(true), Terminating: ptr.To(false)},
		})
	}
	return slice
}

func name(i int) string { return fmt.Sprintf("unrelated-%05d", i) }

// Change changes the readiness of endpoints that many times a second, until the returned function is
// called. That function returns the number of changes.
func (u *Unrelated) Change(t *testing.T, perSecond int) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	turns := make(chan int)
	var group sync.WaitGroup
	var changed, failed atomic.Int64
	for range workers {
		group.Go(func() {
			for turn := range turns {
				if err := u.change(ctx, turn); err != nil && ctx.Err() == nil {
					failed.Add(1)
				} else {
					changed.Add(1)
				}
			}
		})
	}
	group.Go(func() {
		defer close(turns)
		each := time.NewTicker(time.Second / time.Duration(perSecond))
		defer each.Stop()
		for turn := 0; ; turn++ {
			select {
			case <-ctx.Done():
				return
			case <-each.C:
			}
			select {
			case <-ctx.Done():
				return
			case turns <- turn:
			}
		}
	})
	return func() int {
		cancel()
		group.Wait()
		require.Zero(t, failed.Load(), "unrelated changes that failed")
		return int(changed.Load())
	}
}

// change flips the readiness of the first endpoint of a slice. Slices take turns.
func (u *Unrelated) change(ctx context.Context, turn int) error {
	slice := &discovery.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: u.namespace, Name: name(turn % u.count)}}
	patch := fmt.Sprintf(`[{"op":"replace","path":"/endpoints/0/conditions/ready","value":%t}]`, turn/u.count%2 == 1)
	return u.client.Patch(ctx, slice, client.RawPatch(types.JSONPatchType, []byte(patch)))
}
