package main

import (
	"context"
	"log"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// schedule returns the node of a new pod, as topology spread constraints would choose it: of the nodes
// that its nodeSelector matches, the one with the fewest pods of its owner, then with the fewest pods.
// Affinity has no effect. The caller holds the lock.
func (k *kubelet) schedule(object *corev1.Pod) *node {
	owned, all := map[*node]int{}, map[*node]int{}
	for _, p := range k.pods {
		if p.stopping.Err() != nil {
			continue
		}
		all[p.node]++
		if owner := metav1.GetControllerOfNoCopy(p.object); owner != nil && owner.UID == ownerOf(object) {
			owned[p.node]++
		}
	}
	var best *node
	selector := labels.SelectorFromSet(object.Spec.NodeSelector)
	for i := range nodes {
		n := &nodes[i]
		if n.name == object.Spec.NodeName {
			return n
		}
		if !selector.Matches(labels.Set(n.labels())) {
			continue
		}
		if best == nil || owned[n] < owned[best] || owned[n] == owned[best] && all[n] < all[best] {
			best = n
		}
	}
	if best == nil {
		log.Printf("pod %s/%s: no node matches its nodeSelector; running it on %s", object.Namespace, object.Name, nodes[0].name)
		return &nodes[0]
	}
	return best
}

func ownerOf(object *corev1.Pod) types.UID {
	if owner := metav1.GetControllerOfNoCopy(object); owner != nil {
		return owner.UID
	}
	return ""
}

// bind binds a pod to its node.
func (k *kubelet) bind(ctx context.Context, p *pod) error {
	if p.object.Spec.NodeName != "" {
		return nil
	}
	err := k.client.CoreV1().Pods(p.object.Namespace).Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: p.object.Name, UID: p.object.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: p.node.name},
	}, metav1.CreateOptions{})
	if apierrors.IsConflict(err) {
		return nil // It is bound already: the response to an earlier attempt was lost.
	}
	return err
}
