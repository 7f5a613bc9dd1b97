package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// node is one node of the cluster. All nodes share the network namespace of the cluster, and each has
// an address in it.
type node struct{ name, address, zone string }

// nodes is the list of all nodes. The address of the first one is the gateway of the pods.
var nodes = []node{
	{"node-1", "10.244.0.1", "zone-a"},
	{"node-2", "10.244.0.2", "zone-b"},
	{"node-3", "10.244.0.3", "zone-a"},
}

func (n *node) labels() map[string]string {
	return map[string]string{
		corev1.LabelHostname: n.name, corev1.LabelOSStable: "linux", corev1.LabelTopologyZone: n.zone,
	}
}

// register creates the Node object. No controller checks its health, so it stays Ready.
func (n *node) register(ctx context.Context, client kubernetes.Interface) error {
	plenty := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("64"),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse("1000"),
	}
	object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.name, Labels: n.labels()}}
	created, err := client.CoreV1().Nodes().Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	created.Spec.Taints = nil // Admission adds the taint of a node that is not ready.
	created, err = client.CoreV1().Nodes().Update(ctx, created, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	created.Status = corev1.NodeStatus{
		Capacity: plenty, Allocatable: plenty,
		Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: n.address}, {Type: corev1.NodeHostName, Address: n.name},
		},
		Conditions: []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady",
			LastTransitionTime: metav1.Now(), LastHeartbeatTime: metav1.Now(),
		}},
	}
	_, err = client.CoreV1().Nodes().UpdateStatus(ctx, created, metav1.UpdateOptions{})
	return err
}
