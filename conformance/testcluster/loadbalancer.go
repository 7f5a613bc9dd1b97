package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"
)

// loadBalancer gives Services of type LoadBalancer their addresses, and forwards what arrives at a
// Service to its endpoints: at its cluster address, its node ports and its balancer address.
type loadBalancer struct {
	client    kubernetes.Interface
	again     chan struct{} // Asks for new watches.
	services  corelisters.ServiceLister
	slices    discoverylisters.EndpointSliceLister
	addresses *pool
	given     map[types.UID]string     // The address each Service has.
	proxies   map[string]*serviceProxy // By the address and port they listen on.
}

func startLoadBalancer(ctx context.Context, client kubernetes.Interface) *loadBalancer {
	b := &loadBalancer{
		client: client, again: make(chan struct{}, 1),
		addresses: newPool(balancerRange), given: map[types.UID]string{}, proxies: map[string]*serviceProxy{},
	}
	go func() {
		for ctx.Err() == nil {
			if err := b.follow(ctx); err != nil {
				log.Printf("load balancer: %v", err)
				time.Sleep(time.Second)
			}
		}
	}()
	return b
}

// watchAgain begins with new watches. Those that failed during an outage of the API server wait for
// up to a minute before the next attempt, which would make the load balancer late after each outage.
func (b *loadBalancer) watchAgain() {
	select {
	case b.again <- struct{}{}:
	default:
	}
}

// follow follows the Services and EndpointSlices until new watches are asked for.
func (b *loadBalancer) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	factory := informers.NewSharedInformerFactory(b.client, 0)
	b.services, b.slices = factory.Core().V1().Services().Lister(), factory.Discovery().V1().EndpointSlices().Lister()
	changed := make(chan struct{}, 1)
	touch := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	events := cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { touch() }, UpdateFunc: func(any, any) { touch() }, DeleteFunc: func(any) { touch() },
	}
	for _, informer := range []cache.SharedIndexInformer{
		factory.Core().V1().Services().Informer(), factory.Discovery().V1().EndpointSlices().Informer(),
	} {
		if _, err := informer.AddEventHandler(events); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-b.again:
			return nil
		case <-changed:
		}
		if err := b.adjust(ctx); err != nil {
			log.Printf("load balancer: %v", err)
			time.AfterFunc(time.Second, touch)
		}
	}
}

// adjust brings addresses and listeners to what the Services and EndpointSlices say now.
func (b *loadBalancer) adjust(ctx context.Context) error {
	services, err := b.services.List(labels.Everything())
	if err != nil {
		return err
	}
	slices, err := b.slices.List(labels.Everything())
	if err != nil {
		return err
	}
	b.takeBack(services)
	var failed error
	wanted := map[string][]string{}
	endpoints := readyEndpoints(slices)
	for _, service := range services {
		if err := b.give(ctx, service); err != nil {
			failed = fmt.Errorf("Service %s/%s: %w", service.Namespace, service.Name, err)
		}
		for _, port := range service.Spec.Ports {
			// Nothing listens for a port without endpoints: its clients are refused.
			ready := endpoints[portKey{service.Namespace, service.Name, port.Name}]
			if port.Protocol != corev1.ProtocolTCP || len(ready) == 0 {
				continue
			}
			for _, place := range b.places(service, port) {
				wanted[place] = ready
			}
		}
	}
	for place, proxy := range b.proxies {
		if _, still := wanted[place]; !still {
			proxy.listener.Close()
			delete(b.proxies, place)
		}
	}
	for place, ready := range wanted {
		if b.proxies[place] == nil {
			if b.proxies[place], err = newServiceProxy(place); err != nil {
				delete(b.proxies, place)
				failed = err
				continue
			}
		}
		b.proxies[place].endpoints.Store(&ready)
	}
	return failed
}

// takeBack frees the addresses of Services that may not keep them.
func (b *loadBalancer) takeBack(services []*corev1.Service) {
	kept := map[types.UID]bool{}
	for _, service := range services {
		asked := service.Spec.LoadBalancerIP
		kept[service.UID] = service.Spec.Type == corev1.ServiceTypeLoadBalancer && service.Spec.LoadBalancerClass == nil &&
			(asked == "" || asked == b.given[service.UID])
	}
	for uid, address := range b.given {
		if !kept[uid] {
			b.addresses.release(address)
			delete(b.given, uid)
		}
	}
}

// give sees to it that a Service that asks for an address has one, and says so in its status. An
// address that is not free, or not ours, is not given; another is not either.
func (b *loadBalancer) give(ctx context.Context, service *corev1.Service) error {
	ours := service.Spec.Type == corev1.ServiceTypeLoadBalancer && service.Spec.LoadBalancerClass == nil
	address, has := b.given[service.UID]
	if ours && !has {
		if address = service.Spec.LoadBalancerIP; address != "" {
			has = b.addresses.take(address)
		} else {
			address, has = b.addresses.next()
		}
		if has {
			b.given[service.UID] = address
		}
	}
	vip := corev1.LoadBalancerIPModeVIP
	status := corev1.LoadBalancerStatus{}
	if has {
		status.Ingress = []corev1.LoadBalancerIngress{{IP: address, IPMode: &vip}}
	}
	if equality.Semantic.DeepEqual(service.Status.LoadBalancer, status) {
		return nil
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": service.UID},
		"status":   map[string]any{"loadBalancer": map[string]any{"ingress": status.Ingress}},
	})
	if err != nil {
		return err
	}
	_, err = b.client.CoreV1().Services(service.Namespace).
		Patch(ctx, service.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// places are the addresses and ports at which the Service's port is reached.
func (b *loadBalancer) places(service *corev1.Service, port corev1.ServicePort) []string {
	var places []string
	add := func(address string, port int32) {
		places = append(places, net.JoinHostPort(address, strconv.Itoa(int(port))))
	}
	if cluster := service.Spec.ClusterIP; cluster != "" && cluster != corev1.ClusterIPNone && cluster != apiAddress {
		add(cluster, port.Port)
	}
	if port.NodePort != 0 {
		add(nodeAddress, port.NodePort)
	}
	if address, has := b.given[service.UID]; has {
		add(address, port.Port)
	}
	return places
}

type portKey struct{ namespace, service, port string }

// readyEndpoints are the places new connections to each port of each Service may go to.
func readyEndpoints(slices []*discoveryv1.EndpointSlice) map[portKey][]string {
	ready := map[portKey][]string{}
	for _, slice := range slices {
		service := slice.Labels[discoveryv1.LabelServiceName]
		if service == "" || slice.AddressType != discoveryv1.AddressTypeIPv4 {
			continue
		}
		for _, port := range slice.Ports {
			if port.Port == nil {
				continue
			}
			key := portKey{slice.Namespace, service, ""}
			if port.Name != nil {
				key.port = *port.Name
			}
			for _, endpoint := range slice.Endpoints {
				if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
					ready[key] = append(ready[key], net.JoinHostPort(endpoint.Addresses[0], strconv.Itoa(int(*port.Port))))
				}
			}
		}
	}
	return ready
}
