package traffic

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Shape is what a load is made of.
type Shape struct {
	// Opened is how many connections are opened each second, whatever becomes of those before.
	Opened int
	// Life is the longest that one of them lasts.
	Life time.Duration
	// Held is how many more are open from the beginning to the end.
	Held int
	// Backend is the name of the only backend that may answer. Empty means any.
	Backend string
}

// Load is traffic to one address.
type Load struct {
	address string
	shape   Shape
	held    []*Held
	stop    context.CancelFunc
	opening sync.WaitGroup

	lock sync.Mutex
	// The fields below count the opened connections.
	count    int
	bytes    int64
	slowest  time.Duration
	failures []Failure
}

// Start starts a load on an address.
func Start(t *testing.T, address string, shape Shape) *Load {
	t.Helper()
	held, err := HoldMany(t.Context(), address, shape.Held, 100*time.Millisecond)
	require.NoError(t, err, "the load on %s", address)
	ctx, stop := context.WithCancel(context.Background())
	l := &Load{address: address, shape: shape, held: held, stop: stop}
	t.Cleanup(stop)
	if shape.Opened > 0 {
		l.opening.Go(func() { l.open(ctx) })
	}
	return l
}

func (l *Load) open(ctx context.Context) {
	each := time.NewTicker(time.Second / time.Duration(l.shape.Opened))
	defer each.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-each.C:
			l.opening.Go(l.one)
		}
	}
}

// one runs one connection from dial to close.
func (l *Load) one() {
	began := time.Now()
	end := began.Add(rand.N(l.shape.Life))
	// The end of the load does not cancel the connection.
	connection, err := Dial(context.Background(), l.address)
	failure := Failure{At: time.Now(), Began: began, Err: err}
	took, bytes := time.Since(began), int64(0)
	if err == nil {
		failure.Replica = connection.Replica
		if name := l.shape.Backend; name != "" && name != connection.Backend {
			failure.Err = fmt.Errorf("backend %s answered instead of %s", connection.Backend, name)
		}
		for failure.Err == nil {
			length := 1 + rand.IntN(4<<10)
			if failure.Err = connection.Echo(length); failure.Err == nil {
				bytes += int64(length)
			}
			if !time.Now().Before(end) {
				break
			}
			time.Sleep(rand.N(200 * time.Millisecond))
		}
		if failure.Err == nil {
			failure.Err = connection.Finish()
		}
		failure.At = time.Now()
		connection.Close()
	}

	l.lock.Lock()
	defer l.lock.Unlock()
	l.count++
	l.bytes += bytes
	l.slowest = max(l.slowest, took)
	if failure.Err != nil {
		l.failures = append(l.failures, failure)
	}
}

// LoadResult contains the counts and failures of a load.
type LoadResult struct {
	Opened, Held int
	Bytes        int64
	// Slowest is the maximum time until a client received the greeting.
	Slowest  time.Duration
	Failures []Failure
}

// Stop ends the load, and waits until the open connections have finished.
func (l *Load) Stop() LoadResult {
	l.stop()
	l.opening.Wait()
	result := LoadResult{Opened: l.count, Held: len(l.held), Bytes: l.bytes, Slowest: l.slowest, Failures: l.failures}
	for _, h := range l.held {
		close(h.finish)
	}
	for _, h := range l.held {
		if failure := h.Ended(); failure != nil {
			result.Failures = append(result.Failures, *failure)
		}
		result.Bytes += h.bytes
	}
	return result
}

func (r LoadResult) String() string {
	return fmt.Sprintf("%d connections opened, the slowest in %v, %d held, %.1f MiB there and back, %d failed",
		r.Opened, r.Slowest.Round(time.Millisecond), r.Held, float64(r.Bytes)/(1<<20), len(r.Failures))
}

// Spell lists failures, the first few of them.
func Spell(failures []Failure) string {
	lines := []string{}
	for i, failure := range failures {
		if i == 20 {
			lines = append(lines, fmt.Sprintf("and %d more", len(failures)-i))
			break
		}
		lines = append(lines, failure.String())
	}
	return strings.Join(lines, "\n")
}
