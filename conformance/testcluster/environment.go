package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/fieldpath"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// environment is what the container's process finds in its environment. Arguments may refer to it.
func (c *container) environment(ctx context.Context) (map[string]string, error) {
	values := map[string]string{
		"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/", "HOSTNAME": c.pod.hostname(),
		"KUBERNETES_SERVICE_HOST": apiAddress, "KUBERNETES_SERVICE_PORT": "443", "KUBERNETES_SERVICE_PORT_HTTPS": "443",
	}
	for _, from := range c.spec.EnvFrom {
		more, err := c.pod.keys(ctx, from)
		if err != nil {
			return nil, err
		}
		for name, value := range more {
			values[from.Prefix+name] = value
		}
	}
	expand := expansion.MappingFuncFor(values)
	for _, variable := range c.spec.Env {
		if variable.ValueFrom == nil {
			values[variable.Name] = expansion.Expand(variable.Value, expand)
			continue
		}
		value, found, err := c.pod.valueFrom(ctx, variable.ValueFrom)
		if err != nil {
			return nil, fmt.Errorf("environment variable %s: %w", variable.Name, err)
		}
		if found {
			values[variable.Name] = value
		}
	}
	return values, nil
}

func (p *pod) keys(ctx context.Context, from corev1.EnvFromSource) (map[string]string, error) {
	core := p.kubelet.client.CoreV1()
	switch {
	case from.ConfigMapRef != nil:
		config, err := core.ConfigMaps(p.object.Namespace).Get(ctx, from.ConfigMapRef.Name, metav1.GetOptions{})
		if err != nil {
			return nil, unlessOptional(err, from.ConfigMapRef.Optional)
		}
		return config.Data, nil
	case from.SecretRef != nil:
		secret, err := core.Secrets(p.object.Namespace).Get(ctx, from.SecretRef.Name, metav1.GetOptions{})
		if err != nil {
			return nil, unlessOptional(err, from.SecretRef.Optional)
		}
		values := map[string]string{}
		for name, value := range secret.Data {
			values[name] = string(value)
		}
		return values, nil
	}
	return nil, nil
}

func (p *pod) valueFrom(ctx context.Context, source *corev1.EnvVarSource) (value string, found bool, err error) {
	var from corev1.EnvFromSource
	var key string
	var optional *bool
	switch {
	case source.FieldRef != nil:
		value, err := p.field(source.FieldRef.FieldPath)
		return value, true, err
	case source.ConfigMapKeyRef != nil:
		key, optional = source.ConfigMapKeyRef.Key, source.ConfigMapKeyRef.Optional
		from.ConfigMapRef = &corev1.ConfigMapEnvSource{LocalObjectReference: source.ConfigMapKeyRef.LocalObjectReference, Optional: optional}
	case source.SecretKeyRef != nil:
		key, optional = source.SecretKeyRef.Key, source.SecretKeyRef.Optional
		from.SecretRef = &corev1.SecretEnvSource{LocalObjectReference: source.SecretKeyRef.LocalObjectReference, Optional: optional}
	default:
		return "", false, fmt.Errorf("where it comes from is not known here")
	}
	values, err := p.keys(ctx, from)
	if err != nil {
		return "", false, err
	}
	value, found = values[key]
	if !found && (optional == nil || !*optional) {
		return "", false, fmt.Errorf("there is no key %q", key)
	}
	return value, found, nil
}

// field is the value of a field of the pod. Some of them only the node knows.
func (p *pod) field(path string) (string, error) {
	switch path {
	case "spec.nodeName":
		return p.node.name, nil
	case "spec.serviceAccountName":
		return p.object.Spec.ServiceAccountName, nil
	case "status.hostIP", "status.hostIPs":
		return p.node.address, nil
	case "status.podIP", "status.podIPs":
		return p.network.address, nil
	}
	return fieldpath.ExtractFieldPathAsString(p.object, path)
}

func (p *pod) hostname() string {
	if p.object.Spec.HostNetwork {
		return p.node.name
	}
	if p.object.Spec.Hostname != "" {
		return p.object.Spec.Hostname
	}
	return p.object.Name
}
