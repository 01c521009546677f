//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// layers holds what install.sh made for hosts whose packages conflict with
// those of this machine: one folder a host, with the files that installing its
// packages, their scripts included, put above the machine's own.
const layers = "/var/cache/mxsweep-e2e"

// layer is the folder of the files of a host with a root of its own.
func (s *spec) layer() string { return filepath.Join(layers, s.name) }

// ownRoot makes the machine's files with those of the layer above them the
// root of this process. Changes stay in memory. It must run in a mount
// namespace of its own.
func (s *spec) ownRoot() error {
	const base = "/run/.root"
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := mkdirs(base); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", base, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mounting tmpfs on %q: %w", base, err)
	}
	root := base + "/root"
	if err := mkdirs(base+"/upper", base+"/work", root); err != nil {
		return err
	}
	// A layer that lies below "/" cannot be a lower layer beside "/"
	// (overlapping layers), so it is copied to be the upper one. cp(1) keeps the
	// devices and attributes by which it says what is not there any more.
	if out, err := exec.Command("cp", "-a", s.layer()+"/.", base+"/upper").CombinedOutput(); err != nil {
		return fmt.Errorf("copying %q: %w: %s", s.layer(), err, out)
	}
	data := fmt.Sprintf("lowerdir=/,upperdir=%s/upper,workdir=%s/work", base, base)
	if err := syscall.Mount("overlay", root, "overlay", 0, data); err != nil {
		return fmt.Errorf("mounting an overlay on %q: %w", root, err)
	}
	for _, top := range []string{"/dev", "/sys"} {
		if err := syscall.Mount(top, root+top, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
			return fmt.Errorf("binding %q: %w", top, err)
		}
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	// pivot_root(2): the old root lies on the new one and is taken off again.
	if err := syscall.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("making %q the root: %w", root, err)
	}
	if err := syscall.Unmount(".", syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("taking off the old root: %w", err)
	}
	return os.Chdir("/")
}

// prerequisites reports which of its programs and packages a host lacks; for
// those of a layer install.sh has to be run with "fixes".
func (s *spec) prerequisites() error {
	if !s.ownPackages {
		return nil
	}
	if _, err := os.Stat(s.layer() + "/.complete"); err != nil {
		return fmt.Errorf("the packages of host %q are not installed (internal/e2e/install.sh fixes does it)", s.name)
	}
	return nil
}

// packageVersion is the version of an installed package of the host, without
// what the distribution added.
func (s *spec) packageVersion(pkg string) (string, error) {
	argv := []string{"-W", "-f", "${db:Status-Status} ${Version}", pkg}
	if s.ownPackages {
		argv = append([]string{"--admindir=" + s.layer() + "/var/lib/dpkg"}, argv...)
	}
	out, err := exec.Command("dpkg-query", argv...).Output()
	v, installed := strings.CutPrefix(string(out), "installed ")
	if err != nil || !installed {
		return "", fmt.Errorf("package %s is not installed (internal/e2e/install.sh does it)", pkg)
	}
	return upstreamVersion(v), nil
}

// upstreamVersion is a version of a package without what the distribution
// added: "1:2.3.19.1+dfsg1-2" is 2.3.19.1.
func upstreamVersion(v string) string {
	if _, after, ok := strings.Cut(v, ":"); ok {
		v = after
	}
	for _, sep := range []string{"-", "+", "~"} {
		v, _, _ = strings.Cut(v, sep)
	}
	return v
}
