package traffic

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Failure is what went wrong with a connection.
type Failure struct {
	At time.Time
	// Began is the time at which the client dialed. It is zero for a held connection.
	Began time.Time
	// Replica is the pod that carried it, where it was open already.
	Replica netip.Addr
	Err     error
}

func (f Failure) String() string {
	by := "nobody yet"
	if f.Replica.IsValid() {
		by = f.Replica.String()
	}
	return fmt.Sprintf("%s, carried by %s: %v", f.At.Format("15:04:05.000"), by, f.Err)
}

// Held is a connection that is kept busy until it is finished.
type Held struct {
	*Connection
	finish  chan struct{}
	done    chan struct{}
	bytes   int64
	failure *Failure
}

// Hold keeps a connection busy: up to 16 KiB there and back, a pause of half of `pause` to one and a
// half, and so on.
func Hold(c *Connection, pause time.Duration) *Held {
	h := &Held{Connection: c, finish: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(h.done)
		if err := h.carry(pause); err != nil {
			h.failure = &Failure{At: time.Now(), Replica: c.Replica, Err: err}
			c.Close()
		}
	}()
	return h
}

func (h *Held) carry(pause time.Duration) error {
	for {
		length := 1 + rand.IntN(16<<10)
		if err := h.Echo(length); err != nil {
			return err
		}
		h.bytes += int64(length)
		select {
		case <-h.finish:
			return h.Connection.Finish()
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
}

// Finish ends the connection as both sides do that have said all. What went wrong up to then, if anything.
func (h *Held) Finish() *Failure {
	close(h.finish)
	return h.Ended()
}

// Ended waits until the connection is over.
func (h *Held) Ended() *Failure {
	<-h.done
	return h.failure
}

// HoldMany opens connections, a few at a time, and holds them all.
func HoldMany(ctx context.Context, address string, count int, pause time.Duration) ([]*Held, error) {
	held, errs := make([]*Held, count), make([]error, count)
	var group sync.WaitGroup
	few := make(chan struct{}, 32)
	for i := range count {
		few <- struct{}{}
		group.Go(func() {
			defer func() { <-few }()
			connection, err := Dial(ctx, address)
			if err != nil {
				errs[i] = err
				return
			}
			held[i] = Hold(connection, pause)
		})
	}
	group.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("connection %d of %d: %w", i+1, count, err)
		}
	}
	return held, nil
}
