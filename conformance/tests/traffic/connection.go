package traffic

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"
)

// How long anything that a connection waits for may take.
const patience = 10 * time.Second

// Connection is a client's, to a backend of this package.
type Connection struct {
	// Backend is the name of the one that answers.
	Backend string
	// Replica is the address of the gateway's pod that carries the connection.
	Replica netip.Addr

	socket *net.TCPConn
	from   *bufio.Reader
	random *rand.ChaCha8
	sent   []byte
	got    []byte
}

// Dial opens a connection and waits for the greeting.
func Dial(ctx context.Context, address string) (*Connection, error) {
	dialer := net.Dialer{Timeout: patience}
	socket, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c := &Connection{socket: socket.(*net.TCPConn), from: bufio.NewReader(socket)}
	if err := c.greeted(); err != nil {
		socket.Close()
		return nil, fmt.Errorf("no greeting from %s over %s: %w", address, socket.LocalAddr(), err)
	}
	return c, nil
}

func (c *Connection) greeted() error {
	c.wait()
	line, err := c.from.ReadString('\n')
	if err != nil {
		return err
	}
	var replica string
	if _, err := fmt.Sscan(line, &c.Backend, &replica); err != nil {
		return fmt.Errorf("%q is none: %w", line, err)
	}
	c.Replica, err = netip.ParseAddr(replica)
	c.random = rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32.32s", c.socket.LocalAddr()))))
	return err
}

// Echo sends bytes that are like no others and waits until they are back.
func (c *Connection) Echo(length int) error {
	c.wait()
	if cap(c.sent) < length {
		c.sent, c.got = make([]byte, length), make([]byte, length)
	}
	sent, got := c.sent[:length], c.got[:length]
	// It never fails.
	_, _ = c.random.Read(sent)
	if _, err := c.socket.Write(sent); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	if n, err := io.ReadFull(c.from, got); err != nil {
		return fmt.Errorf("echo, after %d of %d bytes: %w", n, length, err)
	}
	if !bytes.Equal(sent, got) {
		return fmt.Errorf("the echo of %d bytes is not what was sent", length)
	}
	return nil
}

// Finish says that there is no more to come, and waits until the backend says so too.
func (c *Connection) Finish() error {
	defer c.socket.Close()
	c.wait()
	if err := c.socket.CloseWrite(); err != nil {
		return fmt.Errorf("finishing: %w", err)
	}
	switch n, err := io.Copy(io.Discard, c.from); {
	case err != nil:
		return fmt.Errorf("the end: %w", err)
	case n > 0:
		return fmt.Errorf("the end: %d bytes that nobody sent", n)
	}
	return nil
}

// Close drops the connection without a word.
func (c *Connection) Close() { c.socket.Close() }

func (c *Connection) wait() { _ = c.socket.SetDeadline(time.Now().Add(patience)) }
