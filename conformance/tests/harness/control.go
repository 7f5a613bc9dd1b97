package harness

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Control speaks to the test cluster itself, about what is no business of Kubernetes.
type Control struct{ client *http.Client }

// Process is what a pod runs as.
type Process struct {
	PID int        `json:"pid"`
	IP  netip.Addr `json:"ip"`
}

// Control is that of the cluster which is up.
func (e Environment) Control() Control {
	socket := filepath.Join(e.Cluster, "control.sock")
	return Control{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
}

// StopComponent stops etcd, kube-apiserver or kube-controller-manager.
func (c Control) StopComponent(t *testing.T, name string) {
	t.Helper()
	c.ask(t, http.MethodPost, "/components/"+name+"/stop")
}

// StartComponent starts it again.
func (c Control) StartComponent(t *testing.T, name string) {
	t.Helper()
	c.ask(t, http.MethodPost, "/components/"+name+"/start")
}

// Kill kills the process of a pod; the node starts it again.
func (c Control) Kill(t *testing.T, namespace, pod string) {
	t.Helper()
	c.ask(t, http.MethodPost, "/pods/"+namespace+"/"+pod+"/kill")
}

// APIFault is a fault of the connections of one pod to the API server.
type APIFault string

// The faults that the proxy between the pods and the API server can cause.
const (
	// SilenceOpen drops the packets of the open connections permanently.
	SilenceOpen APIFault = "silence-open"
	// ResetOpen resets the open connections.
	ResetOpen APIFault = "reset-open"
	// SilenceNew lets new connections complete the TLS handshake, and then never responds.
	SilenceNew APIFault = "silence-new"
	// RestoreNew forwards new connections again.
	RestoreNew APIFault = "restore"
)

// Interrupt causes or ends a fault of the connections of a pod to the API server.
func (c Control) Interrupt(t *testing.T, namespace, pod string, fault APIFault) {
	t.Helper()
	c.ask(t, http.MethodPost, "/pods/"+namespace+"/"+pod+"/api/"+string(fault))
}

// Process is that of a pod.
func (c Control) Process(t *testing.T, namespace, pod string) Process {
	t.Helper()
	process := Process{}
	answer := c.ask(t, http.MethodGet, "/pods/"+namespace+"/"+pod)
	require.NoError(t, json.Unmarshal(answer, &process), "%s", answer)
	return process
}

func (c Control) ask(t *testing.T, method, path string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://cluster"+path, nil)
	require.NoError(t, err)
	response, err := c.client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Truef(t, response.StatusCode < 300, "%s %s: %s: %s", method, path, response.Status, body)
	return body
}
