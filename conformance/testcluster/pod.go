package main

import (
	"context"
	"log"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pod is one pod of the node, from when it is seen until it is gone.
type pod struct {
	kubelet *kubelet
	object  *corev1.Pod // As first observed. The fields that the kubelet uses do not change.
	node    *node       // Chosen by the scheduler.

	stopping  context.Context // Over when the pod is to end.
	stop      context.CancelFunc
	killed    context.Context // Over when its grace is.
	kill      context.CancelFunc
	changed   chan struct{} // Holds a token when the status is to be reported.
	startTime metav1.Time

	mu         sync.Mutex
	network    *podNetwork
	conditions map[corev1.PodConditionType]corev1.PodCondition
	waiting    string // Why the containers are not started yet.
	containers []*container
}

func newPod(ctx context.Context, k *kubelet, object *corev1.Pod) *pod {
	p := &pod{
		kubelet: k, object: object, node: k.schedule(object), startTime: metav1.Now(), changed: make(chan struct{}, 1),
		conditions: map[corev1.PodConditionType]corev1.PodCondition{},
	}
	p.killed, p.kill = context.WithCancel(ctx)
	p.stopping, p.stop = context.WithCancel(p.killed)
	for i := range object.Spec.Containers {
		p.containers = append(p.containers, newContainer(p, &object.Spec.Containers[i]))
	}
	return p
}

// end lets the pod end, and kills it at the deadline.
func (p *pod) end(deadline time.Time) {
	p.stop()
	time.AfterFunc(time.Until(deadline), p.kill)
}

// run returns when the pod's processes have ended and its object is gone.
func (p *pod) run(ctx context.Context) {
	defer p.kill()
	defer os.RemoveAll(p.kubelet.podDir(p.object))

	p.insist("bind", func() error { return p.kubelet.bind(p.stopping, p) })
	p.insist("network", p.join)
	if p.network != nil && p.network.namespace != nil {
		defer p.kubelet.network.leave(p.network)
	}
	var reporting sync.WaitGroup
	reports, enough := context.WithCancel(p.killed)
	reporting.Go(func() { p.report(reports) })
	p.touch()
	p.insist("volumes", func() error { return p.fillVolumes(p.stopping) })
	go p.renewTokens(reports)

	var running sync.WaitGroup
	for _, c := range p.containers {
		running.Go(c.run)
	}
	running.Wait()
	// The pod of a Job is kept, with its phase, until it is deleted.
	<-p.stopping.Done()
	enough()
	reporting.Wait()
	p.remove(ctx)
}

// insist tries until it succeeds or the pod is to end.
func (p *pod) insist(what string, try func() error) {
	for p.stopping.Err() == nil {
		err := try()
		if err == nil {
			p.setWaiting("")
			return
		}
		if p.setWaiting(what + ": " + err.Error()) {
			log.Printf("pod %s/%s waits: %s: %v", p.object.Namespace, p.object.Name, what, err)
		}
		select {
		case <-p.stopping.Done():
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func (p *pod) setWaiting(reason string) (news bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	news = p.waiting != reason
	p.waiting = reason
	if news {
		p.touch()
	}
	return news
}

func (p *pod) join() error {
	joined := &podNetwork{address: p.node.address}
	if !p.object.Spec.HostNetwork {
		var err error
		if joined, err = p.kubelet.network.join(); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.network = joined
	return nil
}

// touch has the status reported.
func (p *pod) touch() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// remove deletes the object without a grace period, after the processes have ended.
func (p *pod) remove(ctx context.Context) {
	none := int64(0)
	options := metav1.DeleteOptions{GracePeriodSeconds: &none, Preconditions: metav1.NewUIDPreconditions(string(p.object.UID))}
	for ctx.Err() == nil {
		err := p.kubelet.client.CoreV1().Pods(p.object.Namespace).Delete(ctx, p.object.Name, options)
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return
		}
		time.Sleep(250 * time.Millisecond)
	}
}
