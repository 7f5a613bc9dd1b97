package tests

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// TestAPI types the commands of README.md, section “With kubectl, without a cluster”, word for word,
// with kubectl of the version of the test cluster, and then changes what they have created. The API is
// that of the example and of the program, in a network namespace without a cluster.
func TestAPI(t *testing.T) {
	here := harness.Here(t)
	t.Run("Walkthrough", func(t *testing.T) { apiWalkthrough(t, here) })
	t.Run("Program", func(t *testing.T) { apiProgram(t, here) })
}

func apiWalkthrough(t *testing.T, here harness.Environment) {
	page, err := os.ReadFile(filepath.Join(here.Repository, "README.md"))
	require.NoError(t, err)
	commands, err := harness.Commands(string(page), "With kubectl, without a cluster")
	require.NoError(t, err)
	data := filepath.Join(t.TempDir(), "data")
	kubeconfig := filepath.Join(data, "kubeconfig")
	gateway := startAPI(t, here, "api_gateway", "--data", data)
	session := harness.NewSession(t, here.Repository)

	asked := map[string]int{}
	for _, command := range commands {
		switch word := strings.Fields(command)[0]; word {
		case "cargo":
			require.Equal(t, "cargo run --example api_gateway --features api", command)
		case "export":
			if name, _, _ := strings.Cut(command, "="); name == "export KUBECONFIG" {
				command = "export KUBECONFIG=" + kubeconfig
			}
			session.Type(t, command)
		case "nc":
			if asked[word] == 0 {
				waitForAnswers(t, session)
			}
			asked[word]++
			_, said := session.Type(t, command)
			require.Contains(t, said, "succeeded!")
		case "curl":
			asked[word]++
			out, _ := session.Type(t, command)
			service := []string{"foo", "bar"}[asked[word]-1]
			url := session.Expand(t, command[strings.LastIndex(command, " ")+1:])
			pod := map[string]string{"foo": "backend-1-0", "bar": "backend-2-0"}[service]
			// The echo server of the example has no port of its own to report.
			expectEcho(t, out, service, strings.TrimPrefix(url, "http://"), "", pod)
		default:
			session.Type(t, command)
		}
	}
	require.Equal(t, map[string]int{"nc": 2, "curl": 2}, asked, "what the section of the README asks for")

	expectShares(t, session, map[string]int{"foo": 8})
	session.Type(t, `kubectl patch tcproute tcp-app-1 --type=json -p '[{"op": "replace", "path": "/spec/rules/0/backendRefs", "value": [
  {"name": "foo", "port": 3001, "weight": 3}, {"name": "bar", "port": 3002, "weight": 1}]}]'`)
	expectShares(t, session, map[string]int{"foo": 6, "bar": 2})
	session.Type(t, `KUBE_EDITOR="sed -i s/weight:.3/weight:\ 1/" kubectl edit tcproute tcp-app-1`)
	expectShares(t, session, map[string]int{"foo": 4, "bar": 4})
	out, _ := session.Type(t, "kubectl describe gateway/tcp-gateway")
	require.Contains(t, out, "Programmed")
	require.Contains(t, out, "Events:")
	uid := `kubectl get tcproute,gateway,svc -o jsonpath='{range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.metadata.generation}{"\n"}{end}'`
	before, _ := session.Type(t, uid)

	gateway.stop(t)
	gateway = startAPI(t, here, "api_gateway", "--data", data)
	after, _ := session.Type(t, uid)
	require.Equal(t, before, after, "objects after a restart")
	session.Type(t, "kubectl wait --timeout=1m gateway/tcp-gateway --for=condition=Programmed")
	expectShares(t, session, map[string]int{"foo": 4, "bar": 4})

	session.Type(t, "kubectl delete tcproute tcp-app-1")
	host := session.Expand(t, "$GATEWAY_HOST")
	harness.Eventually(t, time.Minute, "the connections of port 8088 are reset", func(ctx context.Context) error {
		_, err := get(ctx, net.JoinHostPort(host, "8088"))
		if err == nil {
			return errors.New("a request was answered")
		}
		return nil
	})
	gateway.stop(t)
}

// apiProgram runs the program, which simulates no pods: the objects come from standard input, and the
// endpoints are those of a test server.
func apiProgram(t *testing.T, here harness.Environment) {
	data := filepath.Join(t.TempDir(), "data")
	program := startAPI(t, here, "sluicegate", "run", "--api", "--data", data)
	backend := traffic.Serve(t, "backend")
	session := harness.NewSession(t, t.TempDir())
	session.Type(t, fmt.Sprintf("sluicegate kubeconfig --data %s --output kubeconfig && export KUBECONFIG=$PWD/kubeconfig", data))
	mode, _ := session.Type(t, "stat -c %a kubeconfig")
	require.Equal(t, "600", strings.TrimSpace(mode))
	session.Type(t, `cat <<EOF | kubectl apply -f -
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: edge }
spec: { controllerName: example.com/edge }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge }
spec:
  gatewayClassName: edge
  listeners: [{ name: tcp, protocol: TCP, port: 9100 }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: { name: edge }
spec:
  parentRefs: [{ name: edge }]
  rules: [{ backendRefs: [{ name: backend, port: 80 }] }]
---
apiVersion: v1
kind: Service
metadata: { name: backend }
spec: { selector: { app: backend }, ports: [{ port: 80 }] }
EOF`)
	session.Type(t, "kubectl wait --timeout=1m gateway/edge --for=condition=Programmed")
	out, _ := session.Type(t, "kubectl get tcproute edge -o jsonpath='{.status.parents[0].conditions}'")
	require.Contains(t, out, "no EndpointSlice for Service default/backend")
	session.Type(t, fmt.Sprintf(`cat <<EOF | kubectl apply -f -
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: backend-1, labels: { kubernetes.io/service-name: backend } }
addressType: IPv4
ports: [{ port: %d }]
endpoints: [{ addresses: ["127.0.0.1"] }]
EOF`, backend.Port))
	traffic.ExpectBackend(t, "127.0.0.1:9100", backend, time.Minute)

	program.stop(t)
	program = startAPI(t, here, "sluicegate", "run", "--api", "--data", data)
	traffic.ExpectBackend(t, "127.0.0.1:9100", backend, time.Minute)
	session.Type(t, "kubectl get gateways,tcproutes,services,endpointslices")
	program.stop(t)
}
