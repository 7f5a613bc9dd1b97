// Command nc stands in for netcat where there is none, for the one use that the walk-through makes
// of it: `nc -zv HOST PORT` connects, says whether that went well in netcat's words, and sends nothing.
package main

import (
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 4 || os.Args[1] != "-zv" {
		fmt.Fprintln(os.Stderr, "usage: nc -zv HOST PORT (a stand-in for netcat: it does nothing else)")
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
