package harness

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// atOnce is the number of requests that CreateAll sends at the same time.
const atOnce = 32

// CreateAll creates objects, many at a time, so that the first ones are created before the last ones.
func CreateAll(t *testing.T, c client.Client, count int, object func(int) client.Object) {
	t.Helper()
	var group sync.WaitGroup
	var once sync.Once
	var failed error
	turns := make(chan int)
	for range atOnce {
		group.Go(func() {
			for i := range turns {
				if err := c.Create(t.Context(), object(i)); err != nil {
					once.Do(func() { failed = err })
				}
			}
		})
	}
	for i := range count {
		turns <- i
	}
	close(turns)
	group.Wait()
	require.NoError(t, failed)
}
