package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// through returns the connection of a client that is forwarded to a TLS server, and the apiConnection
// that forwards it.
func through(t *testing.T, isMuted bool) (*net.TCPConn, *apiConnection) {
	t.Helper()
	api := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(api.Close)
	quiet := net.ListenConfig{KeepAlive: -1}
	listener, err := quiet.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	server, err := net.Dial("tcp", api.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := &apiConnection{client: accepted.(*net.TCPConn), server: server.(*net.TCPConn), isMuted: isMuted}
	go c.run()
	return client.(*net.TCPConn), c
}

// get sends a request over TLS and returns the error of reading the response.
func get(t *testing.T, client net.Conn) error {
	t.Helper()
	session := tls.Client(client, &tls.Config{InsecureSkipVerify: true})
	if err := session.Handshake(); err != nil {
		t.Fatalf("handshake: %v", err)
	}
	io.WriteString(session, "GET / HTTP/1.1\r\nHost: api\r\n\r\n")
	session.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	_, err := session.Read(make([]byte, 1))
	return err
}

func TestAPIConnectionForwards(t *testing.T) {
	client, _ := through(t, false)
	if err := get(t, client); err != nil {
		t.Fatalf("no response: %v", err)
	}
}

func TestMutedAPIConnectionEndsAfterHandshake(t *testing.T) {
	client, _ := through(t, true)
	if err := get(t, client); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("reading the response returned %v, expected no data before the deadline", err)
	}
}

func TestSilentAPIConnectionAcknowledgesNothing(t *testing.T) {
	client, c := through(t, false)
	if err := get(t, client); err != nil {
		t.Fatalf("no response: %v", err)
	}
	if err := c.silence(); err != nil {
		t.Fatal(err)
	}
	raw, _ := client.SyscallConn()
	raw.Control(func(descriptor uintptr) {
		unix.SetsockoptInt(int(descriptor), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 500)
	})
	io.WriteString(client, "data")
	client.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ETIMEDOUT) {
		t.Fatalf("reading returned %v, expected a timeout of unacknowledged data", err)
	}
}

func TestRecordReaderFindsApplicationDataInPieces(t *testing.T) {
	hello := []byte{22, 3, 1, 0, 2, 23, 23} // The payload looks like a header of application data.
	change := []byte{20, 3, 3, 0, 1, 1}
	finished := []byte{23, 3, 3, 0, 1, 9}
	for size := 1; size < 8; size++ {
		var r recordReader
		feed := func(data []byte) (found bool) {
			for len(data) > 0 {
				n := min(size, len(data))
				found = r.hasApplicationData(data[:n]) || found
				data = data[n:]
			}
			return found
		}
		if feed(hello) || feed(change) {
			t.Fatalf("in pieces of %d bytes, the handshake is taken for application data", size)
		}
		if !feed(finished) {
			t.Fatalf("in pieces of %d bytes, application data is not found", size)
		}
	}
}
