package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// controllers are the parts of kube-controller-manager that something here depends on.
const controllers = "deployment-controller,replicaset-controller,endpointslice-controller,namespace-controller," +
	"garbage-collector-controller,serviceaccount-controller,root-ca-certificate-publisher-controller,disruption-controller," +
	"job-controller,resourcequota-controller,clusterrole-aggregation-controller"

// apiPort is the port of the API server on the first node. Pods reach it through apiProxy.
const apiPort = "6443"

// apiServer is the address and port of the API server.
func apiServer() string { return net.JoinHostPort(nodes[0].address, apiPort) }

// controlPlane is etcd, the API server and the controllers.
type controlPlane struct {
	client     kubernetes.Interface
	components map[string]*component
}

// startControlPlane returns when the API server is ready.
func startControlPlane(ctx context.Context, dir string) (*controlPlane, error) {
	if err := writeKeys(dir); err != nil {
		return nil, err
	}
	token := rand.Text()
	if err := os.WriteFile(filepath.Join(dir, "tokens.csv"), []byte(token+",admin,1,system:masters\n"), 0o600); err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := writeKubeconfig(kubeconfig, dir, token); err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // A node that is slow to report would be the tests' bottleneck.
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	components, err := newComponents(dir, kubeconfig)
	if err != nil {
		return nil, err
	}
	c := &controlPlane{client: client, components: components}
	for _, name := range []string{"etcd", "kube-apiserver"} {
		if err := c.components[name].start(); err != nil {
			return nil, err
		}
	}
	if err := c.waitReady(ctx); err != nil {
		return nil, err
	}
	return c, c.components["kube-controller-manager"].start()
}

func (c *controlPlane) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		_, err := c.client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server did not become ready: %w; its log is %s", err, c.components["kube-apiserver"].log)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func newComponents(dir, kubeconfig string) (map[string]*component, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	binary := filepath.Join(filepath.Dir(executable), "control-plane")
	file := func(name string) string { return filepath.Join(dir, name) }
	audit, err := writeAudit(file("audit.yaml"), file("logs/audit.log"))
	if err != nil {
		return nil, err
	}
	const store = "http://127.0.0.1:2379"
	components := map[string]*component{}
	for name, flags := range map[string][]string{
		"etcd": {
			"--data-dir=" + file("etcd"), "--listen-client-urls=" + store, "--advertise-client-urls=" + store,
			"--listen-peer-urls=http://127.0.0.1:2380", "--unsafe-no-fsync", "--log-level=warn",
		},
		"kube-apiserver": append([]string{
			"--etcd-servers=" + store, "--bind-address=" + nodes[0].address, "--secure-port=" + apiPort,
			"--tls-cert-file=" + file("api.crt"), "--tls-private-key-file=" + file("api.key"), "--cert-dir=" + dir,
			"--token-auth-file=" + file("tokens.csv"), "--authorization-mode=RBAC",
			"--service-account-key-file=" + file("sa.key"), "--service-account-signing-key-file=" + file("sa.key"),
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-cluster-ip-range=" + serviceRange, "--allow-privileged",
		}, audit...),
		"kube-controller-manager": {
			"--kubeconfig=" + kubeconfig, "--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
			"--service-account-private-key-file=" + file("sa.key"), "--root-ca-file=" + file("ca.crt"),
			"--use-service-account-credentials=false", "--secure-port=0", "--leader-elect=false", "--controllers=" + controllers,
			"--kube-api-qps=200", "--kube-api-burst=400",
		},
	} {
		components[name] = &component{
			name: name, command: append([]string{binary, name}, flags...), log: file("logs/" + name + ".log"),
		}
	}
	return components, nil
}

func writeKubeconfig(path, dir, token string) error {
	authority, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return err
	}
	config := api.NewConfig()
	config.Clusters["testcluster"] = &api.Cluster{Server: "https://" + apiServer(), CertificateAuthorityData: authority}
	config.AuthInfos["admin"] = &api.AuthInfo{Token: token}
	config.Contexts["testcluster"] = &api.Context{Cluster: "testcluster", AuthInfo: "admin"}
	config.CurrentContext = "testcluster"
	return clientcmd.WriteToFile(*config, path)
}
