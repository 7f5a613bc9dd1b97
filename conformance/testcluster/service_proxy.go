package main

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// serviceProxy listens on one address and port of a Service and forwards each connection to one of its
// endpoints. Connections stay open when their endpoint is no longer ready, and when the proxy is closed.
type serviceProxy struct {
	listener  net.Listener
	endpoints atomic.Pointer[[]string]
	turn      atomic.Uint64
}

func newServiceProxy(place string) (*serviceProxy, error) {
	listener, err := net.Listen("tcp", place)
	if err != nil {
		return nil, err
	}
	f := &serviceProxy{listener: listener}
	f.endpoints.Store(&[]string{})
	go f.accept()
	return f, nil
}

func (f *serviceProxy) accept() {
	for {
		client, err := f.listener.Accept()
		if err != nil {
			return
		}
		go f.forward(client.(*net.TCPConn))
	}
}

func (f *serviceProxy) forward(client *net.TCPConn) {
	defer client.Close()
	endpoints := *f.endpoints.Load()
	if len(endpoints) == 0 {
		client.SetLinger(0)
		return
	}
	endpoint := endpoints[f.turn.Add(1)%uint64(len(endpoints))]
	dialed, err := net.DialTimeout("tcp", endpoint, 5*time.Second)
	if err != nil {
		client.SetLinger(0) // As near as can be to the refusal the client would meet without us.
		return
	}
	server := dialed.(*net.TCPConn)
	defer server.Close()
	done := make(chan struct{})
	go func() {
		relay(server, client)
		close(done)
	}()
	relay(client, server)
	<-done
}

// relay copies one direction to its end, and passes on how it ended: with the data or with a reset.
func relay(to, from *net.TCPConn) {
	if _, err := io.Copy(to, from); err != nil {
		for _, connection := range []*net.TCPConn{to, from} {
			connection.SetLinger(0)
			connection.Close()
		}
		return
	}
	to.CloseWrite()
}
