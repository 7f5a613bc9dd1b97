package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fillVolumes writes the files of the pod's volumes. It fails while a Secret or ConfigMap is missing.
func (p *pod) fillVolumes(ctx context.Context) error {
	for i := range p.object.Spec.Volumes {
		volume := &p.object.Spec.Volumes[i]
		dir := p.volumeDir(volume.Name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		// A container's user is not the owner of what the node makes for it to write to.
		if volume.EmptyDir != nil {
			if err := os.Chmod(dir, 0o777); err != nil {
				return err
			}
		}
		for _, source := range sources(volume) {
			if err := p.fill(ctx, dir, source); err != nil {
				return fmt.Errorf("volume %s: %w", volume.Name, err)
			}
		}
	}
	return nil
}

func (p *pod) volumeDir(name string) string {
	return filepath.Join(p.kubelet.podDir(p.object), "volumes", name)
}

// sources sees every kind of volume with files of its own as a projected one.
func sources(volume *corev1.Volume) []corev1.VolumeProjection {
	switch {
	case volume.Projected != nil:
		return volume.Projected.Sources
	case volume.Secret != nil:
		return []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: volume.Secret.SecretName},
			Items:                volume.Secret.Items, Optional: volume.Secret.Optional,
		}}}
	case volume.ConfigMap != nil:
		return []corev1.VolumeProjection{{ConfigMap: &corev1.ConfigMapProjection{
			LocalObjectReference: volume.ConfigMap.LocalObjectReference,
			Items:                volume.ConfigMap.Items, Optional: volume.ConfigMap.Optional,
		}}}
	case volume.DownwardAPI != nil:
		return []corev1.VolumeProjection{{DownwardAPI: &corev1.DownwardAPIProjection{Items: volume.DownwardAPI.Items}}}
	}
	return nil
}

func (p *pod) fill(ctx context.Context, dir string, source corev1.VolumeProjection) error {
	core := p.kubelet.client.CoreV1()
	namespace := p.object.Namespace
	switch {
	case source.Secret != nil:
		secret, err := core.Secrets(namespace).Get(ctx, source.Secret.Name, metav1.GetOptions{})
		if err != nil {
			return unlessOptional(err, source.Secret.Optional)
		}
		return writeItems(dir, secret.Data, source.Secret.Items)
	case source.ConfigMap != nil:
		config, err := core.ConfigMaps(namespace).Get(ctx, source.ConfigMap.Name, metav1.GetOptions{})
		if err != nil {
			return unlessOptional(err, source.ConfigMap.Optional)
		}
		files := map[string][]byte{}
		for name, content := range config.Data {
			files[name] = []byte(content)
		}
		for name, content := range config.BinaryData {
			files[name] = content
		}
		return writeItems(dir, files, source.ConfigMap.Items)
	case source.DownwardAPI != nil:
		for _, item := range source.DownwardAPI.Items {
			if item.FieldRef == nil {
				continue // Resources are not limited here.
			}
			value, err := p.field(item.FieldRef.FieldPath)
			if err != nil {
				return err
			}
			if err := writeFile(filepath.Join(dir, item.Path), []byte(value)); err != nil {
				return err
			}
		}
	case source.ServiceAccountToken != nil:
		return p.writeToken(ctx, dir, source.ServiceAccountToken)
	}
	return nil
}

func (p *pod) writeToken(ctx context.Context, dir string, projection *corev1.ServiceAccountTokenProjection) error {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: projection.ExpirationSeconds,
		BoundObjectRef: &authenticationv1.BoundObjectReference{
			APIVersion: "v1", Kind: "Pod", Name: p.object.Name, UID: p.object.UID,
		},
	}}
	if projection.Audience != "" {
		request.Spec.Audiences = []string{projection.Audience}
	}
	token, err := p.kubelet.client.CoreV1().ServiceAccounts(p.object.Namespace).
		CreateToken(ctx, p.object.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, projection.Path), []byte(token.Status.Token))
}

// renewTokens replaces every token each time half of its life is over.
func (p *pod) renewTokens(ctx context.Context) {
	for i := range p.object.Spec.Volumes {
		volume := &p.object.Spec.Volumes[i]
		for _, source := range sources(volume) {
			if source.ServiceAccountToken == nil {
				continue
			}
			go func() {
				half := time.Duration(*source.ServiceAccountToken.ExpirationSeconds) * time.Second / 2
				for wait := half; ; {
					select {
					case <-ctx.Done():
						return
					case <-time.After(wait):
					}
					wait = half
					if err := p.writeToken(ctx, p.volumeDir(volume.Name), source.ServiceAccountToken); err != nil {
						log.Printf("pod %s/%s: its token could not be renewed: %v", p.object.Namespace, p.object.Name, err)
						wait = 10 * time.Second
					}
				}
			}()
		}
	}
}

func unlessOptional(err error, optional *bool) error {
	if apierrors.IsNotFound(err) && optional != nil && *optional {
		return nil
	}
	return err
}

// writeItems writes the files the items ask for; without items, all of them.
func writeItems(dir string, files map[string][]byte, items []corev1.KeyToPath) error {
	if len(items) == 0 {
		for name := range files {
			items = append(items, corev1.KeyToPath{Key: name, Path: name})
		}
	}
	for _, item := range items {
		content, found := files[item.Key]
		if !found {
			return fmt.Errorf("there is no key %q", item.Key)
		}
		if err := writeFile(filepath.Join(dir, item.Path), content); err != nil {
			return err
		}
	}
	return nil
}

// writeFile replaces the file at once: a reader must never see half a token.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", content, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
