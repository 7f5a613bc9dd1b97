// Package traffic contains both ends of the connections that tests send through a gateway: backends
// that send their name and echo, and clients that verify every byte.
package traffic

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// Backend is an application in the test's own process. It greets with a line, its name and who called,
// and echoes from then on. Who calls is a pod of the gateway, so that a client learns which of them serves it.
type Backend struct {
	Name string
	Port uint16
}

// Serve starts a backend. It ends with the test.
func Serve(t *testing.T, name string) Backend {
	t.Helper()
	listener, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go echo(connection.(*net.TCPConn), name)
		}
	}()
	return Backend{Name: name, Port: listener.Addr().(*net.TCPAddr).AddrPort().Port()}
}

func echo(connection *net.TCPConn, name string) {
	defer connection.Close()
	caller := connection.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
	if _, err := fmt.Fprintf(connection, "%s %s\n", name, caller); err != nil {
		return
	}
	// What goes wrong here the client sees as well.
	if _, err := io.Copy(connection, connection); err == nil {
		_ = connection.CloseWrite()
	}
}

// OwnAddress is the address at which the test's own process can be reached from somewhere.
func OwnAddress(t *testing.T, from netip.Addr) netip.Addr {
	t.Helper()
	// Nothing is sent; this is how to ask the system which way it would go.
	way, err := net.Dial("udp", netip.AddrPortFrom(from, 9).String())
	require.NoError(t, err)
	defer way.Close()
	return way.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}
