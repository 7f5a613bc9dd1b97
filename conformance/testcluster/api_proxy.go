package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/netip"
	"sync"
)

// apiProxy forwards the connections of pods to the API server, as kube-proxy does for the Service
// `kubernetes`. A test can interrupt the connections of one pod.
type apiProxy struct {
	mu          sync.Mutex
	connections map[*apiConnection]struct{}
	silent      map[netip.Addr]bool // Pods whose new connections get no response after the TLS handshake.
}

// startAPIProxy listens at the address of the Service `kubernetes`.
func startAPIProxy() (*apiProxy, error) {
	// The client would receive keepalive probes, and its silenced connection would not time out.
	quiet := net.ListenConfig{KeepAlive: -1}
	listener, err := quiet.Listen(context.Background(), "tcp", net.JoinHostPort(apiAddress, "443"))
	if err != nil {
		return nil, fmt.Errorf("proxy to the API server: %w", err)
	}
	p := &apiProxy{connections: map[*apiConnection]struct{}{}, silent: map[netip.Addr]bool{}}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				log.Printf("proxy to the API server: %v", err)
				return
			}
			go p.forward(client.(*net.TCPConn))
		}
	}()
	return p, nil
}

// apply interrupts or restores the connections of the pod with this address:
//
//   - silence-open: packets of its open connections are dropped permanently, as after a failover of
//     the API server's load balancer;
//   - reset-open: its open connections are reset;
//   - silence-new: its new connections complete the TLS handshake and never get a response, as
//     if the API server stopped between a request and the response;
//   - restore: its new connections are forwarded again.
func (p *apiProxy) apply(address, action string) error {
	pod, err := netip.ParseAddr(address)
	if err != nil {
		return fmt.Errorf("the pod has no address yet")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch action {
	case "silence-new":
		p.silent[pod] = true
	case "restore":
		delete(p.silent, pod)
	case "silence-open", "reset-open":
		for c := range p.connections {
			if c.pod != pod {
				continue
			}
			if action == "reset-open" {
				c.reset()
			} else if err := c.silence(); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("unknown action %q; expected silence-open, reset-open, silence-new or restore", action)
	}
	return nil
}

func (p *apiProxy) forward(client *net.TCPConn) {
	server, err := net.Dial("tcp", apiServer())
	if err != nil {
		client.SetLinger(0) // A client without the proxy would get a RST too.
		client.Close()
		return
	}
	c := &apiConnection{
		client: client, server: server.(*net.TCPConn),
		pod: client.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap(),
	}
	p.mu.Lock()
	c.isMuted = p.silent[c.pod]
	p.connections[c] = struct{}{}
	p.mu.Unlock()
	c.run()
	p.mu.Lock()
	delete(p.connections, c)
	p.mu.Unlock()
}
