package harness

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// GatewayAddress waits until a Gateway is programmed, as it is now, and gives its first address.
func GatewayAddress(t *testing.T, c client.Client, g *gateway.Gateway, within time.Duration) netip.Addr {
	t.Helper()
	var address netip.Addr
	Eventually(t, within, "Gateway "+g.Name+" is programmed", func(ctx context.Context) (err error) {
		now := gateway.Gateway{}
		if err := c.Get(ctx, client.ObjectKeyFromObject(g), &now); err != nil {
			return err
		}
		programmed := meta.FindStatusCondition(now.Status.Conditions, "Programmed")
		switch {
		case programmed == nil || programmed.ObservedGeneration != now.Generation:
			return fmt.Errorf("nobody has said")
		case programmed.Status != "True" || len(now.Status.Addresses) == 0:
			return fmt.Errorf("%s: %s", programmed.Reason, programmed.Message)
		}
		address, err = netip.ParseAddr(now.Status.Addresses[0].Value)
		return err
	})
	return address
}

// IsServed says what is wrong with a route's status, if anything: it should be accepted by as many
// parents as it has, as it is now, and all its references resolved.
func IsServed(route *gateway.TCPRoute) error {
	if len(route.Status.Parents) != len(route.Spec.ParentRefs) {
		return fmt.Errorf("%d of %d parents have a status", len(route.Status.Parents), len(route.Spec.ParentRefs))
	}
	for _, parent := range route.Status.Parents {
		for _, kind := range []string{"Accepted", "ResolvedRefs"} {
			c := meta.FindStatusCondition(parent.Conditions, kind)
			if c == nil || c.Status != "True" || c.ObservedGeneration != route.Generation {
				return fmt.Errorf("condition %s of generation %d is %+v", kind, route.Generation, c)
			}
		}
	}
	return nil
}

// ExpectServed waits for IsServed.
func ExpectServed(t *testing.T, c client.Client, route *gateway.TCPRoute, within time.Duration) {
	t.Helper()
	Eventually(t, within, "the status of TCPRoute "+route.Name, func(ctx context.Context) error {
		now := gateway.TCPRoute{}
		if err := c.Get(ctx, client.ObjectKeyFromObject(route), &now); err != nil {
			return err
		}
		return IsServed(&now)
	})
}

// Join is an address with a port.
func Join(address netip.Addr, port int) string {
	return net.JoinHostPort(address.String(), strconv.Itoa(port))
}
