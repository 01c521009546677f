package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// contained runs the command of an image with the image as its root directory.
func contained(t *testing.T, image string) {
	if os.Getuid() != 0 {
		t.Skip("only root may change the root directory")
	}
	// The folders above are accessible only to the test's user.
	for dir := image; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command("/mxsweep")
	c.Dir, c.Env = "/work", []string{}
	c.SysProcAttr = &syscall.SysProcAttr{Chroot: image, Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if err := os.Chmod(filepath.Join(image, "work"), 0o777); err != nil {
		t.Fatal(err)
	}
	scannedInside(t, c)
	if _, err := os.Stat(filepath.Join(image, "work", "run.json")); err != nil {
		t.Error(err)
	}
}
