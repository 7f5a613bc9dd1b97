package faults

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gateway "sigs.k8s.io/gateway-api/apis/v1"

	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// Uninstalled uninstalls a release that has a Gateway. The Service of the Gateway and the GatewayClass
// are deleted, although the Gateway has the class, and the other release is not affected.
func Uninstalled(t *testing.T, w *Fixture) {
	load := traffic.Start(t, w.steady(), usual)
	release, values := harness.SecondRelease("leaving")
	release.Install(t, w.Here, values...)
	g := traffic.Gateway(Namespace, "leaving", release.Name, 9110)
	w.create(t, g)
	w.deleteAfterwards(t, g)
	harness.GatewayAddress(t, w, g, time.Minute)
	services := func(ctx context.Context) (int, error) {
		list := core.ServiceList{}
		err := w.List(ctx, &list, client.InNamespace(release.Namespace), client.HasLabels{harness.GatewayNameLabel})
		return len(list.Items), err
	}
	count, err := services(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, count, "Services of the release")

	release.Uninstall(t)
	harness.Eventually(t, 10*time.Second, "the Service and the class are deleted", func(ctx context.Context) error {
		count, err := services(ctx)
		if err != nil {
			return err
		}
		if count > 0 {
			return fmt.Errorf("%d Services exist", count)
		}
		err = w.Get(ctx, client.ObjectKey{Name: release.Name}, &gateway.GatewayClass{})
		if err == nil {
			return fmt.Errorf("class %s exists", release.Name)
		}
		if !apierrors.IsNotFound(err) {
			return err
		}
		return nil
	})
	require.NoError(t, w.Get(t.Context(), client.ObjectKeyFromObject(g), g), "the Gateway stays")
	expectUnharmed(t, load)
}
