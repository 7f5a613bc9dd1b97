package faults

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	events "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// QuotaExceeded creates a Gateway while a quota does not allow another Service. The status of the Gateway
// and an Event contain the reason; the Gateway gets its Service when the quota is gone.
func QuotaExceeded(t *testing.T, w *Fixture) {
	load := traffic.Start(t, w.steady(), usual)
	quota := &core.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: harness.Namespace, Name: "no-services"},
		Spec:       core.ResourceQuotaSpec{Hard: core.ResourceList{"count/services": resource.MustParse("0")}},
	}
	w.create(t, quota)
	w.deleteAfterwards(t, quota) // It would stop the tests after this one.
	harness.Eventually(t, time.Minute, "the quota is in force", func(ctx context.Context) error {
		err := w.Create(ctx, traffic.Service(harness.Namespace, "quota"), client.DryRunAll)
		if err == nil || !strings.Contains(err.Error(), "exceeded quota") {
			return fmt.Errorf("the answer is %v", err)
		}
		return nil
	})

	g := traffic.Gateway(Namespace, "quota", harness.Release, 9200)
	w.create(t, g)
	w.deleteAfterwards(t, g)
	harness.Eventually(t, 20*time.Second, "the status of the Gateway names the quota", func(ctx context.Context) error {
		now := gateway.Gateway{}
		if err := w.Get(ctx, client.ObjectKeyFromObject(g), &now); err != nil {
			return err
		}
		programmed := meta.FindStatusCondition(now.Status.Conditions, "Programmed")
		if programmed == nil || programmed.Status != metav1.ConditionFalse || !strings.Contains(programmed.Message, "exceeded quota") {
			return fmt.Errorf("Programmed is %+v", programmed)
		}
		t.Logf("Programmed: %s: %s", programmed.Reason, programmed.Message)
		return nil
	})
	harness.Eventually(t, 20*time.Second, "an Event names the quota", func(ctx context.Context) error {
		list := events.EventList{}
		if err := w.List(ctx, &list, client.InNamespace(Namespace)); err != nil {
			return err
		}
		for _, event := range list.Items {
			if event.Regarding.Name == g.Name && strings.Contains(event.Note, "exceeded quota") {
				t.Logf("%s: %s", event.Reason, event.Note)
				return nil
			}
		}
		return fmt.Errorf("none of %d Events names the quota", len(list.Items))
	})

	w.delete(t, quota)
	lifted := time.Now()
	harness.GatewayAddress(t, w, g, time.Minute)
	t.Logf("the Gateway is programmed %v after the quota is gone", since(lifted))
	w.delete(t, g)
	expectUnharmed(t, load)
}
