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
	listener net.Listener
	// The endpoints for each node to which connections are sent, in turn. A connection to a node
	// without endpoints is reset, while kube-proxy would drop it.
	routes atomic.Pointer[[][]string]
	turn   atomic.Uint64
}

func newServiceProxy(place string) (*serviceProxy, error) {
	listener, err := net.Listen("tcp", place)
	if err != nil {
		return nil, err
	}
	f := &serviceProxy{listener: listener}
	f.routes.Store(&[][]string{})
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
	endpoint, found := pick(*f.routes.Load(), f.turn.Add(1))
	if !found {
		client.SetLinger(0)
		return
	}
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

// pick returns the endpoint of a node whose turn it is.
func pick(routes [][]string, turn uint64) (endpoint string, found bool) {
	nodes := uint64(len(routes))
	if nodes == 0 || len(routes[turn%nodes]) == 0 {
		return "", false
	}
	endpoints := routes[turn%nodes]
	return endpoints[(turn/nodes+turn%nodes)%uint64(len(endpoints))], true
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
