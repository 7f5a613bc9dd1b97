package harness

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/wait"
)

// Eventually asks until the answer is no error any more. What was wrong last is what the failure says.
func Eventually(t *testing.T, within time.Duration, what string, ask func(context.Context) error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, within, true,
		func(ctx context.Context) (bool, error) {
			// The last answer is of more use than that time ran out while waiting for another.
			if answer := ask(ctx); answer == nil || ctx.Err() == nil {
				last = answer
			}
			return last == nil, nil
		})
	require.NoErrorf(t, err, "%s: not within %v, at last: %v", what, within, last)
}

// Always asks for a while, and no answer may be an error.
func Always(t *testing.T, during time.Duration, what string, ask func(context.Context) error) {
	t.Helper()
	for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		require.NoError(t, ask(t.Context()), what)
	}
}
