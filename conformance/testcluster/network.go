package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

const (
	podRange      = "10.244.0.0/16"
	serviceRange  = "10.96.0.0/16"
	apiAddress    = "10.96.0.1" // The first of serviceRange, as in every cluster.
	balancerRange = "10.250.0.0/16"
)

// network is the bridge the pods are joined to.
type network struct {
	bridge    netlink.Link
	addresses *pool
}

// podNetwork is the network of one pod. For a pod in the node's own it is only the address.
type podNetwork struct {
	address   string
	namespace *os.File
	link      string
}

// newNetwork sets up the network namespace of the cluster, which is that of this process.
func newNetwork() (*network, error) {
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return nil, err
	}
	if err := netlink.LinkSetUp(loopback); err != nil {
		return nil, err
	}
	// Whole ranges are local: who listens on an address of them need not add it first.
	for _, each := range []string{serviceRange, balancerRange} {
		_, destination, err := net.ParseCIDR(each)
		if err != nil {
			return nil, err
		}
		if err := netlink.RouteReplace(&netlink.Route{
			LinkIndex: loopback.Attrs().Index, Dst: destination,
			Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: unix.RT_SCOPE_HOST,
		}); err != nil {
			return nil, fmt.Errorf("route to %s: %w", each, err)
		}
	}
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{
		Name: "pods", HardwareAddr: net.HardwareAddr{0x0a, 0x58, 10, 244, 0, 1},
	}}
	if err := netlink.LinkAdd(bridge); err != nil {
		return nil, fmt.Errorf("bridge: %w", err)
	}
	addresses := newPool(podRange)
	for _, node := range nodes {
		if err := setAddress(netlink.AddrAdd, bridge, node.address); err != nil {
			return nil, err
		}
		addresses.take(node.address)
	}
	if err := netlink.LinkSetUp(bridge); err != nil {
		return nil, err
	}
	return &network{bridge: bridge, addresses: addresses}, openPorts()
}

// join makes a network namespace with an address in it. Only this process holds the namespace, so
// that none is left behind however it ends.
func (n *network) join() (*podNetwork, error) {
	address, ok := n.addresses.next()
	if !ok {
		return nil, fmt.Errorf("no address is free in %s", podRange)
	}
	p := &podNetwork{address: address}
	if err := n.connect(p); err != nil {
		n.leave(p)
		return nil, fmt.Errorf("network of %s: %w", address, err)
	}
	return p, nil
}

func (n *network) connect(p *podNetwork) error {
	namespace, err := newNamespace()
	if err != nil {
		return err
	}
	p.namespace = os.NewFile(uintptr(namespace), "netns")
	bytes := netip.MustParseAddr(p.address).As4()
	p.link = fmt.Sprintf("pod-%d-%d", bytes[2], bytes[3])
	if err := netlink.LinkAdd(&netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: p.link, MasterIndex: n.bridge.Attrs().Index},
		PeerName:  "eth0", PeerNamespace: netlink.NsFd(namespace),
	}); err != nil {
		return err
	}
	outer, err := netlink.LinkByName(p.link)
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(outer); err != nil {
		return err
	}
	inside, err := netlink.NewHandleAt(namespace)
	if err != nil {
		return err
	}
	defer inside.Close()
	for _, name := range []string{"lo", "eth0"} {
		link, err := inside.LinkByName(name)
		if err != nil {
			return err
		}
		if name == "eth0" {
			if err := setAddress(inside.AddrAdd, link, p.address); err != nil {
				return err
			}
		}
		if err := inside.LinkSetUp(link); err != nil {
			return err
		}
	}
	return inside.RouteAdd(&netlink.Route{Gw: net.ParseIP(nodes[0].address)})
}

// leave removes what join made.
func (n *network) leave(p *podNetwork) {
	if link, err := netlink.LinkByName(p.link); err == nil {
		netlink.LinkDel(link)
	}
	if p.namespace != nil {
		p.namespace.Close()
	}
	n.addresses.release(p.address)
}

func newNamespace() (netns.NsHandle, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	outer, err := netns.Get()
	if err != nil {
		return netns.None(), err
	}
	defer outer.Close()
	namespace, err := netns.New()
	if err != nil {
		return netns.None(), err
	}
	err = openPorts()
	if back := netns.Set(outer); back != nil {
		panic(back) // The thread would go on with another's work in the wrong namespace.
	}
	return namespace, err
}

// openPorts lets everyone bind the ports below 1024, as container runtimes do.
func openPorts() error {
	return os.WriteFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", []byte("0"), 0)
}

func setAddress(add func(netlink.Link, *netlink.Addr) error, link netlink.Link, address string) error {
	return add(link, &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(address), Mask: net.CIDRMask(16, 32)}})
}
