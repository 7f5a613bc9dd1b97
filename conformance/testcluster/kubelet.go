package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// kubelet runs the pods of all nodes, and schedules them.
type kubelet struct {
	client  kubernetes.Interface
	network *network
	images  imageTable
	dir     string

	mu   sync.Mutex
	pods map[types.UID]*pod
}

// startKubelet registers the nodes, and runs all pods that it observes.
func startKubelet(ctx context.Context, client kubernetes.Interface, network *network, dir string, images imageTable) (*kubelet, error) {
	k := &kubelet{client: client, network: network, images: images, dir: dir, pods: map[types.UID]*pod{}}
	for i := range nodes {
		if err := nodes[i].register(ctx, client); err != nil {
			return nil, fmt.Errorf("node %s could not be registered: %w", nodes[i].name, err)
		}
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) { k.seen(ctx, object.(*corev1.Pod)) },
		UpdateFunc: func(old, new any) {
			// A pod that replaces one of the same name may arrive as an update of it.
			if old.(*corev1.Pod).UID != new.(*corev1.Pod).UID {
				k.vanished(old.(*corev1.Pod).UID)
			}
			k.seen(ctx, new.(*corev1.Pod))
		},
		DeleteFunc: func(object any) {
			if unseen, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = unseen.Obj
			}
			k.vanished(object.(*corev1.Pod).UID)
		},
	})
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	return k, err
}

func (k *kubelet) seen(ctx context.Context, object *corev1.Pod) {
	k.mu.Lock()
	p, known := k.pods[object.UID]
	if !known {
		p = newPod(ctx, k, object)
		k.pods[object.UID] = p
		go func() {
			p.run(ctx)
			k.mu.Lock()
			delete(k.pods, object.UID)
			k.mu.Unlock()
		}()
	}
	k.mu.Unlock()
	if object.DeletionTimestamp != nil {
		p.end(object.DeletionTimestamp.Time)
	}
}

func (k *kubelet) vanished(uid types.UID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p, known := k.pods[uid]; known {
		p.kill()
	}
}

// find returns the pod of this name that is not terminating, or any of this name.
func (k *kubelet) find(namespace, name string) *pod {
	k.mu.Lock()
	defer k.mu.Unlock()
	var found *pod
	for _, p := range k.pods {
		if p.object.Namespace == namespace && p.object.Name == name && (found == nil || p.stopping.Err() == nil) {
			found = p
		}
	}
	return found
}

func (k *kubelet) podDir(object *corev1.Pod) string {
	return filepath.Join(k.dir, "pods", string(object.UID))
}

func (k *kubelet) podLog(object *corev1.Pod) string {
	return filepath.Join(k.dir, "logs", "pods", object.Namespace+"_"+object.Name+".log")
}
