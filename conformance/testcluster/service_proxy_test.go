package main

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
)

// connect returns the two ends of a connection through a serviceProxy.
func connect(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	f, err := newServiceProxy("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer f.listener.Close()
	f.routes.Store(&[][]string{{backend.Addr().String()}})
	one, err := net.Dial("tcp", f.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	two, err := backend.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { one.Close(); two.Close() })
	return one.(*net.TCPConn), two.(*net.TCPConn)
}

func TestServiceProxyForwardsHalfClose(t *testing.T) {
	client, server := connect(t)
	io.WriteString(client, "question")
	client.CloseWrite()
	if question, err := io.ReadAll(server); err != nil || string(question) != "question" {
		t.Fatalf("the server read %q, %v", question, err)
	}
	io.WriteString(server, "answer")
	server.Close()
	if answer, err := io.ReadAll(client); err != nil || string(answer) != "answer" {
		t.Fatalf("the client read %q, %v", answer, err)
	}
}

func TestServiceProxyForwardsReset(t *testing.T) {
	client, server := connect(t)
	server.SetLinger(0)
	server.Close()
	if _, err := io.ReadAll(client); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("the client read %v, not a reset", err)
	}
}
