package traffic

import (
	"context"
	"fmt"
	"testing"
	"time"

	"sluicegate.dev/conformance/tests/harness"
)

// ExpectBackend waits until five connections in a row reach a backend: every replica gets some of them.
func ExpectBackend(t *testing.T, address string, backend Backend, within time.Duration) {
	t.Helper()
	harness.Eventually(t, within, address+" leads to "+backend.Name, func(ctx context.Context) error {
		for range 5 {
			connection, err := Dial(ctx, address)
			if err != nil {
				return err
			}
			connection.Close()
			if connection.Backend != backend.Name {
				return fmt.Errorf("it leads to %s", connection.Backend)
			}
		}
		return nil
	})
}
