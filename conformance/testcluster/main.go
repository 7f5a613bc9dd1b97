package main

import (
	_ "github.com/vishvananda/netlink"
	_ "k8s.io/client-go/informers"
	_ "k8s.io/client-go/kubernetes"
)

func main() {}
