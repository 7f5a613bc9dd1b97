package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// watch probes the container until ctx ends. It tells when the container is to be restarted.
func (c *container) watch(ctx context.Context) (unhealthy <-chan string) {
	reasons := make(chan string, 1)
	fail := func(kind string, err error) {
		select {
		case reasons <- fmt.Sprintf("its %s probe fails: %v", kind, err):
		default:
		}
	}
	go func() {
		if c.spec.StartupProbe != nil {
			up, cancel := context.WithCancel(ctx)
			c.probe(up, c.spec.StartupProbe, func(err error) {
				if err != nil {
					fail("startup", err)
				}
				cancel()
			})
			cancel()
			if len(reasons) > 0 || ctx.Err() != nil {
				return
			}
		}
		c.set(func() { c.started, c.ready = true, c.spec.ReadinessProbe == nil })
		if c.spec.ReadinessProbe != nil {
			go c.probe(ctx, c.spec.ReadinessProbe, func(err error) {
				if ctx.Err() == nil {
					c.set(func() { c.ready = err == nil })
				}
			})
		}
		if c.spec.LivenessProbe != nil {
			c.probe(ctx, c.spec.LivenessProbe, func(err error) {
				if err != nil {
					fail("liveness", err)
				}
			})
		}
	}()
	return reasons
}

// probe calls back whenever the probe's thresholds are reached.
func (c *container) probe(ctx context.Context, probe *corev1.Probe, reached func(error)) {
	wait := func(seconds int32) {
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(seconds) * time.Second):
		}
	}
	successes, failures := int32(0), int32(0)
	for wait(probe.InitialDelaySeconds); ctx.Err() == nil; wait(max(probe.PeriodSeconds, 1)) {
		if err := c.check(ctx, probe); err == nil {
			failures = 0
			if successes++; successes == max(probe.SuccessThreshold, 1) {
				reached(nil)
			}
		} else {
			successes = 0
			if failures++; failures == max(probe.FailureThreshold, 1) {
				reached(err)
			}
		}
	}
}

// check probes once, from where a kubelet would. A kind of probe that is not known succeeds.
func (c *container) check(ctx context.Context, probe *corev1.Probe) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(max(probe.TimeoutSeconds, 1))*time.Second)
	defer cancel()
	switch {
	case probe.HTTPGet != nil:
		return c.get(ctx, probe.HTTPGet)
	case probe.TCPSocket != nil:
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", c.endpoint(probe.TCPSocket.Host, probe.TCPSocket.Port))
		if err == nil {
			connection.Close()
		}
		return err
	}
	return nil
}

func (c *container) get(ctx context.Context, action *corev1.HTTPGetAction) error {
	scheme := "http"
	if action.Scheme == corev1.URISchemeHTTPS {
		scheme = "https"
	}
	url := scheme + "://" + c.endpoint(action.Host, action.Port) + action.Path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	for _, header := range action.HTTPHeaders {
		request.Header.Add(header.Name, header.Value)
	}
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode < 200 || answer.StatusCode >= 400 {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}

// endpoint resolves a port that may be a name, at the pod's address unless another is given.
func (c *container) endpoint(host string, port intstr.IntOrString) string {
	if host == "" {
		host = c.pod.network.address
	}
	number := port.IntValue()
	for _, each := range c.spec.Ports {
		if port.Type == intstr.String && each.Name == port.StrVal {
			number = int(each.ContainerPort)
		}
	}
	return net.JoinHostPort(host, strconv.Itoa(number))
}
