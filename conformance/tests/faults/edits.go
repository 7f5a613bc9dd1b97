package faults

import (
	"context"
	"fmt"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sluicegate.dev/conformance/tests/harness"
	"sluicegate.dev/conformance/tests/traffic"
)

// edit is one kind of edit of an attacker.
type edit struct {
	name string
	do   func(context.Context) error
}

// edits returns all kinds of edits.
func (a *attack) edits() []edit {
	return []edit{
		{"ports of own Services", a.takePodPorts},
		{"a Service like the victim's", a.copyService},
		{"the victim's Service", a.editVictimService},
		{"listeners of the own Gateway", a.editListeners},
		{"infrastructure of the own Gateway", a.editInfrastructure},
		{"addresses of the own Gateway", a.editAddresses},
		{"other Gateways", a.moreGateways},
		{"routes to the victim", a.routeToVictim},
		{"a pod like the replicas", a.copyPod},
	}
}

// takePodPorts makes every Service of the attacker target the pod ports of the victim.
func (a *attack) takePodPorts(ctx context.Context) error {
	services := core.ServiceList{}
	if err := a.as.List(ctx, &services, client.InNamespace(attackerNamespace)); err != nil {
		return err
	}
	for i := range services.Items {
		service := &services.Items[i]
		for j := range service.Spec.Ports {
			service.Spec.Ports[j].TargetPort = a.victimService.Spec.Ports[0].TargetPort
		}
		if err := a.as.Update(ctx, service); err != nil {
			return err
		}
	}
	return nil
}

// copyService creates or replaces a Service with the labels and ports of the victim's, or with parts
// of them.
func (a *attack) copyService(ctx context.Context) error {
	name := []string{a.victimService.Name, "copy", "g", attackerNamespace + "-g"}[a.random.IntN(4)]
	service := &core.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: attackerNamespace, Name: name, Labels: a.victimLabels(), Annotations: a.victimService.Annotations},
		Spec:       core.ServiceSpec{Selector: a.victimService.Spec.Selector, LoadBalancerIP: a.victimService.Spec.LoadBalancerIP},
	}
	if a.random.IntN(2) == 0 {
		service.Labels[harness.GatewayNamespaceLabel] = attackerNamespace
		service.Labels["sluicegate.dev/gateway-uid"] = string(a.own.UID)
	}
	for _, port := range a.victimService.Spec.Ports {
		service.Spec.Ports = append(service.Spec.Ports, core.ServicePort{Name: port.Name, Port: port.Port, TargetPort: port.TargetPort})
	}
	if err := client.IgnoreNotFound(a.as.Delete(ctx, service)); err != nil {
		return err
	}
	service.ResourceVersion = ""
	return a.as.Create(ctx, service)
}

// editVictimService edits an object that the attacker may not edit.
func (a *attack) editVictimService(ctx context.Context) error {
	service := a.victimService.DeepCopy()
	before := service.DeepCopy()
	service.Spec.Ports[0].TargetPort = intstr.FromInt32(attackerPort)
	return a.as.Patch(ctx, service, client.MergeFrom(before))
}

// editOwn changes the attacker's Gateway.
func (a *attack) editOwn(ctx context.Context, change func(*gateway.Gateway)) error {
	now := gateway.Gateway{}
	if err := a.as.Get(ctx, client.ObjectKeyFromObject(a.own), &now); err != nil {
		return err
	}
	change(&now)
	return a.as.Update(ctx, &now)
}

// editListeners uses the port and the names of the victim's listeners, and ports of the pods.
func (a *attack) editListeners(ctx context.Context) error {
	return a.editOwn(ctx, func(g *gateway.Gateway) {
		ports := []int{attackerPort, victimPort, a.victimService.Spec.Ports[0].TargetPort.IntValue(), 20000 + a.random.IntN(10000)}
		a.random.Shuffle(len(ports), func(i, j int) { ports[i], ports[j] = ports[j], ports[i] })
		g.Spec.Listeners = traffic.Gateway("", "", "", ports[:1+a.random.IntN(len(ports))]...).Spec.Listeners
	})
}

// editInfrastructure sets labels and annotations that the Service of the victim's Gateway has.
func (a *attack) editInfrastructure(ctx context.Context) error {
	return a.editOwn(ctx, func(g *gateway.Gateway) {
		infrastructure := &gateway.GatewayInfrastructure{
			Labels: map[gateway.LabelKey]gateway.LabelValue{}, Annotations: map[gateway.AnnotationKey]gateway.AnnotationValue{},
		}
		for key, value := range a.victimLabels() {
			if len(infrastructure.Labels) < 8 {
				infrastructure.Labels[gateway.LabelKey(key)] = gateway.LabelValue(value)
			}
		}
		for key, value := range a.victimService.Annotations {
			if len(infrastructure.Annotations) < 8 {
				infrastructure.Annotations[gateway.AnnotationKey(key)] = gateway.AnnotationValue(value)
			}
		}
		g.Spec.Infrastructure = []*gateway.GatewayInfrastructure{infrastructure, nil}[a.random.IntN(2)]
	})
}

// editAddresses requests the addresses of the victim and of the cluster.
func (a *attack) editAddresses(ctx context.Context) error {
	return a.editOwn(ctx, func(g *gateway.Gateway) {
		addresses := []string{a.victimService.Spec.ClusterIP, "10.96.0.1", "127.0.0.1", "0.0.0.0", ""}
		for _, ingress := range a.victimService.Status.LoadBalancer.Ingress {
			addresses = append(addresses, ingress.IP)
		}
		g.Spec.Addresses = nil
		if value := addresses[a.random.IntN(len(addresses))]; value != "" {
			g.Spec.Addresses = []gateway.GatewaySpecAddress{{Type: ptr.To(gateway.IPAddressType), Value: value}}
		}
	})
}

// moreGateways creates and deletes Gateways whose names resemble that of the victim's Service.
func (a *attack) moreGateways(ctx context.Context) error {
	names := []string{"g-", victimNamespace + "-g", a.victimService.Name, "a"}
	name := names[a.random.IntN(len(names))]
	if name == "g-" {
		name = fmt.Sprintf("g-%d", a.random.IntN(10))
	}
	g := traffic.Gateway(attackerNamespace, name, harness.Release, victimPort, attackerPort)
	if err := a.as.Delete(ctx, g); client.IgnoreNotFound(err) != nil {
		return err
	}
	g.ResourceVersion = ""
	return a.as.Create(ctx, g)
}

// routeToVictim attaches a route to the victim's Gateway, or forwards to the victim's Service.
func (a *attack) routeToVictim(ctx context.Context) error {
	to, service := a.victim, "app"
	if a.random.IntN(2) == 0 {
		to = a.own
	}
	route := traffic.Route(attackerNamespace, fmt.Sprintf("route-%d", a.random.IntN(5)), to, int(to.Spec.Listeners[0].Port), service)
	if a.random.IntN(2) == 0 {
		route.Spec.Rules[0].BackendRefs[0].Namespace = ptr.To(gateway.Namespace(victimNamespace))
	}
	if err := client.IgnoreNotFound(a.as.Delete(ctx, route)); err != nil {
		return err
	}
	route.ResourceVersion = ""
	return a.as.Create(ctx, route)
}

// copyPod creates a pod with the labels of the replicas, in the attacker's namespace.
func (a *attack) copyPod(ctx context.Context) error {
	pod := &core.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: attackerNamespace, Name: "copy", Labels: map[string]string{
			"app.kubernetes.io/name": harness.Release, "app.kubernetes.io/instance": harness.Release,
		}},
		Spec: core.PodSpec{Containers: []core.Container{{Name: "copy", Image: "registry.example/copy"}}},
	}
	if a.random.IntN(4) == 0 {
		return a.as.Delete(ctx, pod, client.GracePeriodSeconds(0))
	}
	return a.as.Create(ctx, pod)
}
