package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// inside is what a container's process finds around itself.
type inside struct {
	Root         string // A directory to mount the container's root on.
	Hostname     string
	Joins        bool // Descriptor 3 is the network namespace of the pod.
	Binary       string
	Path         string // Where the binary is found inside.
	Args         []string
	Env          []string
	Dir          string
	Mounts       []mount
	ReadOnlyRoot bool
	Privileges   []string // Options of setpriv.
}

type mount struct {
	Source, Target string
	ReadOnly       bool
}

// command is the container's next process. It starts as this program, in namespaces of its own,
// which becomes the image's binary once it has furnished them.
func (c *container) command() (*exec.Cmd, error) {
	if _, err := os.Stat(c.binary); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("image %s: its binary %s does not exist; build it", c.spec.Image, c.binary)
	}
	spec, err := c.inside()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(c.pod.kubelet.podDir(c.pod.object), "containers", c.spec.Name)
	spec.Root = filepath.Join(dir, "root")
	if err := os.MkdirAll(spec.Root, 0o755); err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "inside.json")
	if err := os.WriteFile(file, encoded, 0o600); err != nil {
		return nil, err
	}
	output, err := os.OpenFile(c.pod.kubelet.podLog(c.pod.object), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	command := exec.Command("/proc/self/exe", "inside", file)
	command.Stdout, command.Stderr = output, output
	if spec.Joins {
		command.ExtraFiles = []*os.File{c.pod.network.namespace}
	}
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Setsid:     true, Pdeathsig: syscall.SIGKILL,
	}
	return command, nil
}

func (c *container) inside() (*inside, error) {
	values, err := c.environment(c.pod.stopping)
	if err != nil {
		return nil, err
	}
	expand := expansion.MappingFuncFor(values)
	spec := &inside{
		Hostname: c.pod.hostname(), Joins: c.pod.network.namespace != nil,
		Binary: c.binary, Path: "/" + filepath.Base(c.binary), Dir: c.spec.WorkingDir,
	}
	command := slices.Clone(c.spec.Command)
	// Whatever a command names, the image has one binary, and that is it.
	if len(command) > 0 {
		if filepath.IsAbs(command[0]) {
			spec.Path = command[0]
		}
		command = command[1:]
	}
	for _, each := range slices.Concat(command, c.spec.Args) {
		spec.Args = append(spec.Args, expansion.Expand(each, expand))
	}
	for name, value := range values {
		spec.Env = append(spec.Env, name+"="+value)
	}
	for _, each := range c.spec.VolumeMounts {
		spec.Mounts = append(spec.Mounts, mount{
			Source: filepath.Join(c.pod.volumeDir(each.Name), each.SubPath), Target: each.MountPath, ReadOnly: each.ReadOnly,
		})
	}
	slices.SortFunc(spec.Mounts, func(a, b mount) int { return strings.Compare(a.Target, b.Target) })
	c.secure(spec)
	return spec, nil
}

// secure does what the security contexts ask for; the container's goes before the pod's.
func (c *container) secure(spec *inside) {
	whole, own := c.pod.object.Spec.SecurityContext, c.spec.SecurityContext
	if whole == nil {
		whole = &corev1.PodSecurityContext{}
	}
	if own == nil {
		own = &corev1.SecurityContext{}
	}
	spec.ReadOnlyRoot = own.ReadOnlyRootFilesystem != nil && *own.ReadOnlyRootFilesystem
	// A change of the user takes back what the process asked for when it began.
	spec.Privileges = []string{"--pdeathsig", "KILL"}
	user, group := first(own.RunAsUser, whole.RunAsUser), first(own.RunAsGroup, whole.RunAsGroup)
	if user != nil {
		spec.Privileges = append(spec.Privileges, "--reuid", fmt.Sprint(*user))
		if group == nil {
			group = new(int64)
		}
	}
	if group != nil {
		groups := []string{fmt.Sprint(*group)}
		if whole.FSGroup != nil {
			groups = append(groups, fmt.Sprint(*whole.FSGroup))
		}
		spec.Privileges = append(spec.Privileges, "--regid", groups[0], "--groups", strings.Join(groups, ","))
	}
	if own.AllowPrivilegeEscalation != nil && !*own.AllowPrivilegeEscalation {
		spec.Privileges = append(spec.Privileges, "--no-new-privs")
	}
	if own.Capabilities != nil && slices.Contains(own.Capabilities.Drop, "ALL") {
		kept := "-all"
		for _, each := range own.Capabilities.Add {
			kept += ",+" + strings.ToLower(string(each))
		}
		spec.Privileges = append(spec.Privileges, "--inh-caps", "-all", "--bounding-set", kept)
	}
}

func first(own, whole *int64) *int64 {
	if own != nil {
		return own
	}
	return whole
}
