package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sluicegate.dev/conformance/tests/harness"
)

// TestWalkthrough types what README.md tells its reader to type, word for word, and looks at what
// comes of it. Only the Gateway API's CRDs come from the module cache instead of the network.
func TestWalkthrough(t *testing.T) {
	here := harness.Here(t)
	page, err := os.ReadFile(filepath.Join(here.Repository, "README.md"))
	require.NoError(t, err)
	commands, err := harness.Commands(string(page), "In a cluster")
	require.NoError(t, err)
	session := harness.NewSession(t, here.Repository)

	asked := map[string]int{}
	for _, command := range commands {
		command := strings.ReplaceAll(command, released("experimental"), "-k "+here.CRDs("experimental"))
		if strings.HasPrefix(command, "nc ") && asked["nc"] == 0 {
			waitForAnswers(t, session)
		}
		out, said := session.Type(t, command)
		switch word := strings.Fields(command)[0]; word {
		case "nc":
			asked[word]++
			require.Contains(t, said, "succeeded!")
		case "curl":
			asked[word]++
			// The first is for one application, the second for the other.
			service := []string{"foo", "bar"}[asked[word]-1]
			url := session.Expand(t, command[strings.LastIndex(command, " ")+1:])
			pod := podOf(t, map[string]string{"foo": "backend-1", "bar": "backend-2"}[service])
			expectEcho(t, out, service, strings.TrimPrefix(url, "http://"), "3000", pod)
		}
	}
	require.Equal(t, map[string]int{"nc": 2, "curl": 2}, asked, "what the section of the README asks for")
}

// waitForAnswers waits until both applications answer through the Gateway. The Deployments are
// available a moment before the gateway receives their endpoints, and it resets connections until
// then. A client can see the reset while it connects.
func waitForAnswers(t *testing.T, session *harness.Session) {
	t.Helper()
	host := session.Expand(t, "$GATEWAY_HOST")
	for _, port := range []string{"8088", "8089"} {
		harness.Eventually(t, time.Minute, "port "+port+" answers", func(ctx context.Context) error {
			_, err := get(ctx, net.JoinHostPort(host, port))
			return err
		})
	}
}

// released is how kubectl is told to apply the Gateway API as it is released.
func released(channel string) string {
	return "-f https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.6.3/" + channel + "-install.yaml"
}

// echo is what the application answers with, to the field.
type echo struct {
	Path      string              `json:"path"`
	Host      string              `json:"host"`
	Method    string              `json:"method"`
	Proto     string              `json:"proto"`
	Headers   map[string][]string `json:"headers"`
	HTTPPort  string              `json:"httpPort"`
	Namespace string              `json:"namespace"`
	Ingress   string              `json:"ingress"`
	Service   string              `json:"service"`
	Pod       string              `json:"pod"`
}

// expectEcho asks that curl's output is the answer of the one pod behind a Service, to curl's request.
func expectEcho(t *testing.T, out, service, host, port, pod string) {
	t.Helper()
	head, body, found := strings.Cut(strings.ReplaceAll(out, "\r\n", "\n"), "\n\n")
	require.True(t, found, "curl -i prints headers, an empty line and a body")
	require.Equal(t, "HTTP/1.1 200 OK", strings.Split(head, "\n")[0])
	require.Contains(t, head, "\nContent-Type: application/json")
	require.Contains(t, head, "\nX-Content-Type-Options: nosniff")

	got := echo{}
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&got), body)
	require.Equal(t, echo{
		Path:   "/",
		Host:   host,
		Method: "GET",
		Proto:  "HTTP/1.1",
		Headers: map[string][]string{
			"Accept":     {"*/*"},
			"User-Agent": {"curl/" + curlVersion(t)},
		},
		HTTPPort:  port,
		Namespace: "default",
		Ingress:   "",
		Service:   service,
		Pod:       pod,
	}, got)
}

// podOf is the name of the one pod with this label.
func podOf(t *testing.T, app string) string {
	t.Helper()
	names := strings.Fields(harness.Command(t, "kubectl", "get", "pods", "-l", "app="+app, "-o", "jsonpath={.items[*].metadata.name}"))
	require.Len(t, names, 1, fmt.Sprintf("pods of app %s", app))
	return names[0]
}

func curlVersion(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("curl", "--version").Output()
	require.NoError(t, err)
	return strings.Fields(string(out))[1]
}
