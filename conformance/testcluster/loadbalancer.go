package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"slices"
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
	given     map[types.UID]string       // The address each Service has.
	proxies   map[string]*serviceProxy   // By the address and port they listen on.
	health    map[types.UID][]nodeHealth // Of the nodes, for Services with externalTrafficPolicy Local.
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
	// Headless Services are ignored, so that a test can change many of them often.
	ifService := func(object any) {
		if service, ok := object.(*corev1.Service); !ok || !isHeadless(service) {
			touch()
		}
	}
	ifSlice := func(object any) {
		if slice, ok := object.(*discoveryv1.EndpointSlice); ok {
			service, err := b.services.Services(slice.Namespace).Get(slice.Labels[discoveryv1.LabelServiceName])
			if err == nil && isHeadless(service) {
				return
			}
		}
		touch()
	}
	for informer, touch := range map[cache.SharedIndexInformer]func(any){
		factory.Core().V1().Services().Informer():            ifService,
		factory.Discovery().V1().EndpointSlices().Informer(): ifSlice,
	} {
		events := cache.ResourceEventHandlerFuncs{
			AddFunc: touch, UpdateFunc: func(old, new any) { touch(old); touch(new) }, DeleteFunc: touch,
		}
		if _, err := informer.AddEventHandler(events); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	probe := time.NewTicker(healthInterval)
	defer probe.Stop()
	for {
		isProbe := false
		select {
		case <-ctx.Done():
			return nil
		case <-b.again:
			return nil
		case <-changed:
		case <-probe.C:
			isProbe = true
			if len(b.health) == 0 {
				continue
			}
		}
		if err := b.adjust(ctx, isProbe); err != nil {
			log.Printf("load balancer: %v", err)
			time.AfterFunc(time.Second, touch)
		}
	}
}

// adjust opens and closes listeners as the Services and EndpointSlices require. With `isProbe`, it also
// runs a health check of the nodes.
func (b *loadBalancer) adjust(ctx context.Context, isProbe bool) error {
	services, err := b.services.List(labels.Everything())
	if err != nil {
		return err
	}
	endpointSlices, err := b.slices.List(labels.Everything())
	if err != nil {
		return err
	}
	b.takeBack(services)
	var failed error
	wanted := map[string][][]string{}
	endpoints := endpointsOf(endpointSlices)
	before := b.health
	b.health = map[types.UID][]nodeHealth{}
	for _, service := range services {
		if isHeadless(service) {
			continue
		}
		if err := b.give(ctx, service); err != nil {
			failed = fmt.Errorf("Service %s/%s: %w", service.Namespace, service.Name, err)
		}
		for i, port := range service.Spec.Ports {
			all := endpoints[portKey{service.Namespace, service.Name, port.Name}]
			if i == 0 && isLocal(service) {
				b.health[service.UID] = probeNodes(before[service.UID], all, isProbe)
			}
			if port.Protocol != corev1.ProtocolTCP {
				continue
			}
			for place, routes := range b.places(service, port, all) {
				// Nothing listens for a port without endpoints: its clients are refused.
				if slices.ContainsFunc(routes, func(node []string) bool { return len(node) > 0 }) {
					wanted[place] = routes
				}
			}
		}
	}
	for place, proxy := range b.proxies {
		if _, still := wanted[place]; !still {
			proxy.listener.Close()
			delete(b.proxies, place)
		}
	}
	for place, routes := range wanted {
		if b.proxies[place] == nil {
			if b.proxies[place], err = newServiceProxy(place); err != nil {
				delete(b.proxies, place)
				failed = err
				continue
			}
		}
		b.proxies[place].routes.Store(&routes)
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

// places returns the addresses and ports at which a port of a Service is reached, and the endpoints for
// each: a list for each node to which connections are sent.
func (b *loadBalancer) places(service *corev1.Service, port corev1.ServicePort, all []endpoint) map[string][][]string {
	places := map[string][][]string{}
	add := func(address string, port int32, routes ...[]string) {
		places[net.JoinHostPort(address, strconv.Itoa(int(port)))] = routes
	}
	if address := service.Spec.ClusterIP; address != apiAddress {
		add(address, port.Port, usable(all, &nodes[0], false))
	}
	balanced := [][]string{}
	for i := range nodes {
		external := usable(all, &nodes[i], isLocal(service))
		if port.NodePort != 0 {
			add(nodes[i].address, port.NodePort, external)
		}
		if !isLocal(service) || b.health[service.UID][i].isHealthy {
			balanced = append(balanced, external)
		}
	}
	if address, has := b.given[service.UID]; has {
		add(address, port.Port, balanced...)
	}
	return places
}

// isHeadless returns true if neither kube-proxy nor a load balancer forwards to a Service.
func isHeadless(service *corev1.Service) bool {
	return service.Spec.ClusterIP == "" || service.Spec.ClusterIP == corev1.ClusterIPNone
}

func isLocal(service *corev1.Service) bool {
	return service.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
}
