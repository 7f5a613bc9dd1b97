package traffic

import (
	"sync"
	"testing"
	"time"
)

// followLimit is the maximum time that FirstTo waits.
const followLimit = 10 * time.Second

// FirstTo dials each address, one connection after the other, until one reaches the backend. It returns
// for each address the time from the call to the beginning of that connection. The test ends if that
// takes too long.
func FirstTo(t *testing.T, addresses []string, to Backend) []time.Duration {
	t.Helper()
	from := time.Now()
	delays := make([]time.Duration, len(addresses))
	var group sync.WaitGroup
	for i, address := range addresses {
		group.Go(func() { delays[i] = firstTo(t, address, to, from) })
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return delays
}

func firstTo(t *testing.T, address string, to Backend, from time.Time) time.Duration {
	for {
		began := time.Now()
		connection, err := Dial(t.Context(), address)
		if err != nil {
			t.Errorf("a connection failed: %v", err)
			return began.Sub(from)
		}
		connection.Close()
		if connection.Backend == to.Name {
			return began.Sub(from)
		}
		if began.Sub(from) > followLimit {
			t.Errorf("after %v %s still leads to %s", followLimit, address, connection.Backend)
			return began.Sub(from)
		}
		// Dialing without pauses would use the CPU time that the replicas need to follow the change.
		time.Sleep(time.Millisecond)
	}
}
