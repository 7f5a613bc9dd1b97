package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sluicegate.dev/conformance/tests/harness"
)

// apiAddress is the address of the API by default.
const apiAddress = "127.0.0.1:6080"

// apiProcess is a gateway that serves the API.
type apiProcess struct{ command *exec.Cmd }

// startAPI starts a gateway and waits until its API accepts connections. It is killed at the end of the
// test if it still runs then. Its log is in the output directory.
func startAPI(t *testing.T, here harness.Environment, name string, args ...string) apiProcess {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(here.Output, "api-"+name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	defer log.Close()
	command := exec.Command(name, args...)
	command.Dir, command.Stdout, command.Stderr = here.Repository, log, log
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		if command.ProcessState == nil {
			_ = command.Process.Kill()
			_ = command.Wait()
		}
	})
	harness.Eventually(t, time.Minute, name+" serves the API", func(ctx context.Context) error {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", apiAddress)
		if err != nil {
			return err
		}
		return connection.Close()
	})
	return apiProcess{command}
}

// stop stops the gateway as a service manager does.
func (p apiProcess) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.command.Wait())
}

// get returns the service that answers a request over a new connection.
func get(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address, nil)
	if err != nil {
		return "", err
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	answer := echo{}
	return answer.Service, json.Unmarshal(body, &answer)
}

// expectShares waits until eight connections to port 8088 are shared among the services like this.
func expectShares(t *testing.T, session *harness.Session, expected map[string]int) {
	t.Helper()
	address := net.JoinHostPort(session.Expand(t, "$GATEWAY_HOST"), "8088")
	harness.Eventually(t, time.Minute, fmt.Sprintf("connections are shared as %v", expected), func(ctx context.Context) error {
		shares := map[string]int{}
		for range 8 {
			service, err := get(ctx, address)
			if err != nil {
				return err
			}
			shares[service]++
		}
		if !maps.Equal(shares, expected) {
			return fmt.Errorf("they are shared as %v", shares)
		}
		return nil
	})
}
