package main

import (
	"context"
	"encoding/json"
	"log"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// report writes the pod's status whenever it changed, and again until it could be written.
func (p *pod) report(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		}
		err := p.writeStatus(ctx)
		if err == nil || ctx.Err() != nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			continue // Gone, or another of the same name: a deletion will be seen soon.
		}
		log.Printf("pod %s/%s: its status could not be written: %v", p.object.Namespace, p.object.Name, err)
		p.touch()
		time.Sleep(500 * time.Millisecond)
	}
}

func (p *pod) writeStatus(ctx context.Context) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": p.object.UID},
		"status":   p.status(),
	})
	if err != nil {
		return err
	}
	_, err = p.kubelet.client.CoreV1().Pods(p.object.Namespace).
		Patch(ctx, p.object.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

func (p *pod) status() corev1.PodStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := corev1.PodStatus{
		Phase: corev1.PodRunning, StartTime: &p.startTime,
		HostIP: p.node.address, HostIPs: []corev1.HostIP{{IP: p.node.address}},
	}
	if p.network != nil {
		status.PodIP, status.PodIPs = p.network.address, []corev1.PodIP{{IP: p.network.address}}
	}
	ready := true
	finished, failed := 0, 0
	for _, c := range p.containers {
		container := c.status()
		if c.isFinished() {
			finished++
			if container.State.Terminated.ExitCode != 0 {
				failed++
			}
		}
		if container.State.Waiting != nil && container.RestartCount == 0 {
			status.Phase = corev1.PodPending
			if p.waiting != "" {
				container.State.Waiting.Message = p.waiting
			}
		}
		ready = ready && container.Ready
		status.ContainerStatuses = append(status.ContainerStatuses, container)
	}
	if finished == len(p.containers) {
		status.Phase = corev1.PodSucceeded
		if failed > 0 {
			status.Phase = corev1.PodFailed
		}
	}
	p.setCondition(corev1.PodScheduled, true)
	p.setCondition(corev1.PodInitialized, true)
	p.setCondition(corev1.ContainersReady, ready)
	p.setCondition(corev1.PodReady, ready)
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		status.Conditions = append(status.Conditions, p.conditions[kind])
	}
	return status
}

func (p *pod) setCondition(kind corev1.PodConditionType, holds bool) {
	condition := corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}
	if !holds {
		condition.Status, condition.Reason = corev1.ConditionFalse, "ContainersNotReady"
	}
	if p.conditions[kind].Status != condition.Status {
		p.conditions[kind] = condition
	}
}
