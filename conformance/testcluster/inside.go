package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// borrowed is what a container shares with this machine. A binary of an image cannot be put where
// this machine has its own, but in /usr/local or anywhere else.
var borrowed = []string{
	"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/share",
	"/etc/ssl", "/etc/ld.so.cache", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf",
}

// enter furnishes the namespaces it was started in as the file describes, and becomes the
// container's process. It returns only when it fails.
func enter(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var spec inside
	if err := json.Unmarshal(content, &spec); err != nil {
		return err
	}
	runtime.LockOSThread() // Namespaces belong to a thread; what this one executes keeps them.
	if spec.Joins {
		if err := unix.Setns(3, unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("network namespace: %w", err)
		}
		unix.Close(3)
	}
	if err := unix.Sethostname([]byte(spec.Hostname)); err != nil {
		return fmt.Errorf("host name: %w", err)
	}
	if err := spec.furnish(); err != nil {
		return err
	}
	if err := unix.Chroot(spec.Root); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	if err := os.Chdir(filepath.Join("/", spec.Dir)); err != nil {
		return err
	}
	arguments := append(append([]string{"setpriv"}, spec.Privileges...), "--", spec.Path)
	return unix.Exec("/usr/bin/setpriv", append(arguments, spec.Args...), spec.Env)
}

// furnish mounts the container's file system: the image's binary, the volumes, and what of this
// machine a binary needs that was built on it.
func (s *inside) furnish() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := unix.Mount("tmpfs", s.Root, "tmpfs", unix.MS_NOSUID, "mode=755"); err != nil {
		return fmt.Errorf("root: %w", err)
	}
	for _, path := range borrowed {
		if err := s.borrow(path); err != nil {
			return err
		}
	}
	for name, mode := range map[string]os.FileMode{"proc": 0o755, "sys": 0o755, "dev": 0o755, "var/run": 0o755, "tmp": 0o777 | os.ModeSticky} {
		path := filepath.Join(s.Root, name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(path, mode); err != nil {
			return err
		}
	}
	hosts := fmt.Sprintf("127.0.0.1 localhost %s\n::1 localhost\n", s.Hostname)
	if err := os.WriteFile(filepath.Join(s.Root, "etc/hosts"), []byte(hosts), 0o644); err != nil {
		return err
	}
	if err := unix.Mount("proc", filepath.Join(s.Root, "proc"), "proc", 0, ""); err != nil {
		return fmt.Errorf("proc: %w", err)
	}
	if err := unix.Mount("sysfs", filepath.Join(s.Root, "sys"), "sysfs", unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("sys: %w", err)
	}
	if err := unix.Mount("/dev", filepath.Join(s.Root, "dev"), "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("dev: %w", err)
	}
	for _, each := range append([]mount{{Source: s.Binary, Target: s.Path, ReadOnly: true}}, s.Mounts...) {
		if err := s.bind(each); err != nil {
			return err
		}
	}
	if s.ReadOnlyRoot {
		return unix.Mount("", s.Root, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
	}
	return nil
}

// borrow makes what this machine has at the path visible inside, read-only.
func (s *inside) borrow(path string) error {
	found, err := os.Lstat(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if found.Mode()&os.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		inside := filepath.Join(s.Root, path)
		if err := os.MkdirAll(filepath.Dir(inside), 0o755); err != nil {
			return err
		}
		return os.Symlink(target, inside)
	}
	return s.bind(mount{Source: path, Target: path, ReadOnly: true})
}

func (s *inside) bind(m mount) error {
	source, err := os.Stat(m.Source)
	if err != nil {
		return err
	}
	target := filepath.Join(s.Root, m.Target)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	if source.IsDir() {
		err = os.MkdirAll(target, 0o755)
	} else if _, missing := os.Stat(target); missing != nil {
		err = os.WriteFile(target, nil, 0o755)
	}
	if err != nil {
		return fmt.Errorf("mount at %s: %w", m.Target, err)
	}
	if err := unix.Mount(m.Source, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount of %s at %s: %w", m.Source, m.Target, err)
	}
	if m.ReadOnly {
		if err := unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
			return fmt.Errorf("read-only mount at %s: %w", m.Target, err)
		}
	}
	return nil
}
