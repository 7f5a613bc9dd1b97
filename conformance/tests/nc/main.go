// Command nc replaces netcat if it is not installed, for the only use in the walk-through:
// `nc -zv HOST PORT` connects, reports the result in the format of netcat, and sends nothing.
package main

import (
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 4 || os.Args[1] != "-zv" {
		fmt.Fprintln(os.Stderr, "usage: nc -zv HOST PORT (a replacement for netcat, which supports only this use)")
		os.Exit(2)
	}
	host, port := os.Args[2], os.Args[3]
	connection, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), 10*time.Second)
	if err != nil {
		fmt.Fprintf(os.Stderr, "nc: connect to %s port %s (tcp) failed: %v\n", host, port, err)
		os.Exit(1)
	}
	connection.Close()
	fmt.Fprintf(os.Stderr, "Connection to %s %s port [tcp/*] succeeded!\n", host, port)
}
