package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

const nodeName = "node"

// node is the only node of the cluster, and its scheduler: every pod is its own.
type node struct {
	client  kubernetes.Interface
	network *network
	images  imageTable
	dir     string

	mu   sync.Mutex
	pods map[types.UID]*pod
}

func startNode(ctx context.Context, client kubernetes.Interface, network *network, dir string, images imageTable) (*node, error) {
	n := &node{client: client, network: network, images: images, dir: dir, pods: map[types.UID]*pod{}}
	if err := n.register(ctx); err != nil {
		return nil, fmt.Errorf("the node could not be registered: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { n.seen(ctx, object.(*corev1.Pod)) },
		UpdateFunc: func(old, new any) {
			// Two pods of one name that follow each other may look like one that changed.
			if old.(*corev1.Pod).UID != new.(*corev1.Pod).UID {
				n.vanished(old.(*corev1.Pod).UID)
			}
			n.seen(ctx, new.(*corev1.Pod))
		},
		DeleteFunc: func(object any) {
			if unseen, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = unseen.Obj
			}
			n.vanished(object.(*corev1.Pod).UID)
		},
	})
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	return n, err
}

// register makes the Node. No controller watches over its health here, so that it is Ready for good.
func (n *node) register(ctx context.Context) error {
	plenty := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("64"),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse("1000"),
	}
	object := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: nodeName, Labels: map[string]string{
			corev1.LabelHostname: nodeName, corev1.LabelOSStable: "linux", corev1.LabelTopologyZone: "zone",
		}},
	}
	created, err := n.client.CoreV1().Nodes().Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	created.Spec.Taints = nil // Admission holds a new node to be unready.
	created, err = n.client.CoreV1().Nodes().Update(ctx, created, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	created.Status = corev1.NodeStatus{
		Capacity: plenty, Allocatable: plenty,
		Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: nodeAddress}, {Type: corev1.NodeHostName, Address: nodeName},
		},
		Conditions: []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady",
			LastTransitionTime: metav1.Now(), LastHeartbeatTime: metav1.Now(),
		}},
	}
	_, err = n.client.CoreV1().Nodes().UpdateStatus(ctx, created, metav1.UpdateOptions{})
	return err
}

func (n *node) seen(ctx context.Context, object *corev1.Pod) {
	n.mu.Lock()
	p, known := n.pods[object.UID]
	if !known {
		p = newPod(ctx, n, object)
		n.pods[object.UID] = p
		go func() {
			p.run(ctx)
			n.mu.Lock()
			delete(n.pods, object.UID)
			n.mu.Unlock()
		}()
	}
	n.mu.Unlock()
	if object.DeletionTimestamp != nil {
		p.end(object.DeletionTimestamp.Time)
	}
}

func (n *node) vanished(uid types.UID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if p, known := n.pods[uid]; known {
		p.kill()
	}
}

// bind is what a scheduler does.
func (n *node) bind(ctx context.Context, object *corev1.Pod) error {
	if object.Spec.NodeName != "" {
		return nil
	}
	err := n.client.CoreV1().Pods(object.Namespace).Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: object.Name, UID: object.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: nodeName},
	}, metav1.CreateOptions{})
	if apierrors.IsConflict(err) {
		return nil // It was bound already: the answer to an earlier try was lost.
	}
	return err
}

// find returns the pod of this name that is not going away, else any of this name.
func (n *node) find(namespace, name string) *pod {
	n.mu.Lock()
	defer n.mu.Unlock()
	var found *pod
	for _, p := range n.pods {
		if p.object.Namespace == namespace && p.object.Name == name && (found == nil || p.stopping.Err() == nil) {
			found = p
		}
	}
	return found
}

func (n *node) podDir(object *corev1.Pod) string {
	return filepath.Join(n.dir, "pods", string(object.UID))
}

func (n *node) podLog(object *corev1.Pod) string {
	return filepath.Join(n.dir, "logs", "pods", object.Namespace+"_"+object.Name+".log")
}
