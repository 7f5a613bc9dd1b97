// Command testcluster is a Kubernetes cluster on one machine, without containers: the real API
// server and controllers, nodes that run pods as processes in namespaces of their own, and a load
// balancer for Services. It runs in the network namespace in which it is started.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	if len(os.Args) == 3 && os.Args[1] == "inside" {
		log.Fatalf("the container could not be started: %v", enter(os.Args[2]))
	}
	if len(os.Args) < 2 || os.Args[1] != "run" {
		fmt.Fprintln(os.Stderr, "usage: testcluster run --dir DIR [--image PREFIX=BINARY]...")
		os.Exit(2)
	}
	flags := flag.NewFlagSet("testcluster run", flag.ExitOnError)
	dir := flags.String("dir", "", "where the state of the cluster is kept; it is made anew")
	images := imageTable{}
	flags.Var(&images, "image", "`PREFIX=BINARY`: what an image that begins with PREFIX runs; the first that fits counts")
	flags.Parse(os.Args[2:])
	if *dir == "" {
		log.Fatal("testcluster: --dir is missing")
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, *dir, images); err != nil {
		log.Fatalf("testcluster: %v", err)
	}
	// Every process of the cluster asked the kernel to be killed when this one ends.
}

// run brings the cluster up and keeps it until ctx ends. The control socket appears last, so that
// who finds it finds a cluster that is ready.
func run(ctx context.Context, dir string, images imageTable) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	for _, name := range []string{"etcd", "pods", "logs"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"etcd", "pods", "logs/pods"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	network, err := newNetwork()
	if err != nil {
		return fmt.Errorf("the cluster's network could not be set up: %w", err)
	}
	control, err := startControlPlane(ctx, dir)
	if err != nil {
		return err
	}
	proxy, err := startAPIProxy()
	if err != nil {
		return err
	}
	kubelet, err := startKubelet(ctx, control.client, network, dir, images)
	if err != nil {
		return err
	}
	balancer := startLoadBalancer(ctx, control.client)
	if err := serveControl(dir, control, kubelet, balancer, proxy); err != nil {
		return err
	}
	log.Printf("the cluster is ready")
	<-ctx.Done()
	return nil
}

// imageTable says which binary stands for which images.
type imageTable []image

type image struct{ prefix, binary string }

func (t *imageTable) String() string { return "" }

func (t *imageTable) Set(value string) error {
	prefix, binary, found := strings.Cut(value, "=")
	if !found || prefix == "" || binary == "" {
		return fmt.Errorf("%q is not of the form PREFIX=BINARY", value)
	}
	binary, err := filepath.Abs(binary)
	*t = append(*t, image{prefix, binary})
	return err
}

// binary is what the image runs; empty for an image that runs as nothing.
func (t imageTable) binary(name string) string {
	for _, image := range t {
		if strings.HasPrefix(name, image.prefix) {
			return image.binary
		}
	}
	return ""
}
