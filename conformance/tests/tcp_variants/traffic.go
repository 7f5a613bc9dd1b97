package tcpvariants

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/gateway-api/conformance/utils/tcp"
	"sluicegate.dev/conformance/tests/harness"
)

// expectBackend waits until connections to an address reach a pod of this Deployment.
func expectBackend(t *testing.T, address, deployment string) {
	t.Helper()
	harness.Eventually(t, soon, address+" leads to "+deployment, func(ctx context.Context) error {
		pod, err := tcp.EchoSendOnce(ctx, address, 5*time.Second)
		if err == nil && !strings.HasPrefix(pod, deployment+"-") {
			err = fmt.Errorf("it leads to %s", pod)
		}
		return err
	})
}

// knock is a connection that waits for the echo server's greeting.
func knock(ctx context.Context, address string) fate {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err == nil {
		defer connection.Close()
		_ = connection.SetDeadline(time.Now().Add(5 * time.Second))
		_, err = connection.Read(make([]byte, 1))
	}
	switch {
	case err == nil:
		return served
	// A reset may come so soon that it is the dial that ends with it.
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return rejected
	case errors.Is(err, syscall.ECONNREFUSED):
		return closed
	default:
		return silent
	}
}

// fate is what becomes of a connection.
type fate string

const (
	closed   fate = "refused"
	rejected fate = "accepted and closed"
	silent   fate = "left hanging"
	served   fate = "served"
)

// expectFate waits until each of several connections in a row meets it.
func expectFate(t *testing.T, address string, expected fate) {
	t.Helper()
	harness.Eventually(t, soon, "a connection to "+address+" is "+string(expected), func(ctx context.Context) error {
		for range 10 {
			if got := knock(ctx, address); got != expected {
				return fmt.Errorf("it is %s", got)
			}
		}
		return nil
	})
}

// withPort is the address with another port.
func withPort(address string, port int) string {
	host, _, _ := net.SplitHostPort(address)
	return net.JoinHostPort(host, fmt.Sprint(port))
}
