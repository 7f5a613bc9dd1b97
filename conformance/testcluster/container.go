package main

import (
	"context"
	"log"
	"os"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// container is one container of a pod: the process it is now, and those it was.
type container struct {
	pod    *pod
	spec   *corev1.Container
	binary string // What the image runs; empty for nothing.

	mu       sync.Mutex
	state    corev1.ContainerState
	last     corev1.ContainerState
	restarts int32
	started  bool // The startup probe, if any, has succeeded.
	ready    bool
	process  *os.Process
}

func newContainer(p *pod, spec *corev1.Container) *container {
	return &container{
		pod: p, spec: spec, binary: p.kubelet.images.binary(spec.Image),
		state: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}},
	}
}

// run keeps the container running until the pod terminates, or until its restartPolicy does not allow
// another start. The pauses before restarts double as a kubelet's do, but are shorter: 0, 1, 2, 4, 8
// and 10 seconds.
func (c *container) run() {
	pause := time.Duration(0)
	for c.pod.stopping.Err() == nil {
		began := time.Now()
		c.once()
		if c.isFinished() {
			return
		}
		if time.Since(began) > time.Minute {
			pause = 0
		}
		select {
		case <-c.pod.stopping.Done():
		case <-time.After(pause):
		}
		pause = min(max(2*pause, time.Second), 10*time.Second)
	}
}

// isFinished returns true if the process has ended and is not started again.
func (c *container) isFinished() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	ended := c.state.Terminated
	switch c.pod.object.Spec.RestartPolicy {
	case corev1.RestartPolicyNever:
		return ended != nil
	case corev1.RestartPolicyOnFailure:
		return ended != nil && ended.ExitCode == 0
	}
	return false
}

// once runs the container's process from its start to its end.
func (c *container) once() {
	if c.binary == "" {
		c.begin(nil)
		c.set(func() { c.started, c.ready = true, true })
		<-c.pod.stopping.Done()
		return
	}
	command, err := c.command()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		log.Printf("pod %s/%s: container %s: %v", c.pod.object.Namespace, c.pod.object.Name, c.spec.Name, err)
		c.set(func() {
			c.state = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CreateContainerError", Message: err.Error()}}
		})
		return
	}
	c.begin(command.Process)
	exited := make(chan struct{})
	go func() {
		command.Wait()
		close(exited)
	}()
	// Probes go on while the pod is ending: it is they that tell when it no longer serves.
	running, over := context.WithCancel(c.pod.killed)
	unhealthy := c.watch(running)

	select {
	case <-exited:
	case <-c.pod.stopping.Done():
		c.terminate(exited, c.pod.killed.Done())
	case reason := <-unhealthy:
		log.Printf("pod %s/%s: container %s is restarted: %s", c.pod.object.Namespace, c.pod.object.Name, c.spec.Name, reason)
		grace, cancel := context.WithTimeout(c.pod.killed, time.Duration(*c.pod.object.Spec.TerminationGracePeriodSeconds)*time.Second)
		c.terminate(exited, grace.Done())
		cancel()
	}
	over()
	c.finish(command.ProcessState)
}

// terminate asks the process to end, and kills it when it is not given more time.
func (c *container) terminate(exited, expired <-chan struct{}) {
	c.process.Signal(syscall.SIGTERM)
	select {
	case <-exited:
	case <-expired:
		c.process.Kill()
		<-exited
	}
}

func (c *container) begin(process *os.Process) {
	c.set(func() {
		if c.state.Terminated != nil {
			c.last = c.state
			c.restarts++
		}
		c.state = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
		c.process = process
	})
}

func (c *container) finish(ended *os.ProcessState) {
	c.set(func() {
		terminated := &corev1.ContainerStateTerminated{
			ExitCode: int32(ended.ExitCode()), Reason: "Completed",
			StartedAt: c.state.Running.StartedAt, FinishedAt: metav1.Now(),
		}
		if status := ended.Sys().(syscall.WaitStatus); status.Signaled() {
			terminated.ExitCode = 128 + int32(status.Signal())
		}
		if terminated.ExitCode != 0 {
			terminated.Reason = "Error"
		}
		c.state = corev1.ContainerState{Terminated: terminated}
		c.process, c.started, c.ready = nil, false, false
	})
}

func (c *container) set(change func()) {
	c.mu.Lock()
	change()
	c.mu.Unlock()
	c.pod.touch()
}

func (c *container) status() corev1.ContainerStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	started := c.started
	return corev1.ContainerStatus{
		Name: c.spec.Name, Image: c.spec.Image, ImageID: c.spec.Image, ContainerID: "process://" + string(c.pod.object.UID) + "/" + c.spec.Name,
		State: c.state, LastTerminationState: c.last, RestartCount: c.restarts, Started: &started, Ready: c.ready,
	}
}
