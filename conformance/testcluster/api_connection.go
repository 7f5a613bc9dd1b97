package main

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// apiConnection is a connection of a pod to the API server.
type apiConnection struct {
	client, server *net.TCPConn
	pod            netip.Addr
	isMuted        bool        // Responses are dropped after the TLS handshake.
	isSilent       atomic.Bool // Nothing is forwarded to the client any more.
}

// run forwards until both directions have ended. A silent connection ends when the client closes it.
// One whose packets are dropped stays open until the cluster stops, because closing it would send
// packets.
func (c *apiConnection) run() {
	var directions sync.WaitGroup
	directions.Go(c.toServer)
	directions.Go(c.toClient)
	directions.Wait()
	c.client.Close()
	c.server.Close()
}

func (c *apiConnection) toServer() {
	var records recordReader
	_, err := io.Copy(c.server, readerFunc(func(buffer []byte) (int, error) {
		n, err := c.client.Read(buffer)
		// In TLS 1.3, the last message of the handshake is the first record of application data.
		if c.isMuted && records.hasApplicationData(buffer[:n]) {
			c.isSilent.Store(true)
		}
		return n, err
	}))
	switch {
	case err == nil:
		c.server.CloseWrite()
	case c.isSilent.Load():
		io.Copy(io.Discard, c.client)
	default:
		c.reset()
	}
}

func (c *apiConnection) toClient() {
	_, err := io.Copy(writerFunc(func(data []byte) (int, error) {
		if c.isSilent.Load() {
			return len(data), nil
		}
		return c.client.Write(data)
	}), c.server)
	if c.isSilent.Load() {
		return
	}
	if err != nil {
		c.reset()
		return
	}
	c.client.CloseWrite()
}

// reset closes both sides with RST.
func (c *apiConnection) reset() {
	for _, each := range []*net.TCPConn{c.client, c.server} {
		each.SetLinger(0)
		each.Close()
	}
}

// silence makes the kernel drop all packets of the client, so that it gets neither data nor
// acknowledgements nor answers to keepalive probes.
func (c *apiConnection) silence() error {
	raw, err := c.client.SyscallConn()
	if err != nil {
		return err
	}
	drop := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	c.isSilent.Store(true)
	c.server.Close()
	var failed error
	err = raw.Control(func(descriptor uintptr) {
		failed = unix.SetsockoptSockFprog(int(descriptor), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(drop)), Filter: &drop[0]})
	})
	if err != nil {
		return err
	}
	return failed
}

// recordReader finds the headers of TLS records in a stream.
type recordReader struct {
	header  []byte
	payload int // Bytes left of the current record.
}

// hasApplicationData returns true if a record of application data begins in the data.
func (r *recordReader) hasApplicationData(data []byte) bool {
	const headerLength, applicationData = 5, 23
	found := false
	for len(data) > 0 {
		if r.payload > 0 {
			skipped := min(r.payload, len(data))
			r.payload, data = r.payload-skipped, data[skipped:]
			continue
		}
		needed := min(headerLength-len(r.header), len(data))
		r.header, data = append(r.header, data[:needed]...), data[needed:]
		if len(r.header) == headerLength {
			found = found || r.header[0] == applicationData
			r.payload = int(binary.BigEndian.Uint16(r.header[3:]))
			r.header = r.header[:0]
		}
	}
	return found
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(buffer []byte) (int, error) { return f(buffer) }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(data []byte) (int, error) { return f(data) }
