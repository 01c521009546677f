//go:build linux

package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ownFiles gives this process, in a mount namespace of its own, an /etc and
// a /var that are the machine's with changes kept in memory, a /run, /tmp and
// /dev of its own, and the rest read-only: nothing that a daemon does reaches
// the machine's own files. Below a root of its own all of that is kept in
// memory already.
func ownFiles(ownRoot bool) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	for _, m := range []struct{ fstype, on, data string }{
		{"proc", "/proc", ""},
		{"tmpfs", "/run", "mode=755"},
	} {
		if err := syscall.Mount(m.fstype, m.on, m.fstype, 0, m.data); err != nil {
			return fmt.Errorf("mounting %s on %q: %w", m.fstype, m.on, err)
		}
	}
	tops := []string{"etc", "var"}
	if ownRoot {
		tops = nil
	}
	if err := mkdirs("/run/lock"); err != nil {
		return err
	}
	for _, top := range tops {
		upper, work := "/run/.e2e/"+top, "/run/.e2e/"+top+".work"
		if err := mkdirs(upper, work); err != nil {
			return err
		}
		data := fmt.Sprintf("lowerdir=/%s,upperdir=%s,workdir=%s", top, upper, work)
		if err := syscall.Mount("overlay", "/"+top, "overlay", 0, data); err != nil {
			return fmt.Errorf("mounting an overlay on /%s: %w", top, err)
		}
	}
	if err := ownDevices(); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777"); err != nil {
		return fmt.Errorf("mounting tmpfs on /tmp: %w", err)
	}
	if ownRoot {
		return nil
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("making / read-only: %w", err)
	}
	return nil
}

// ownDevices makes a /dev with a log socket that is not the machine's.
func ownDevices() error {
	const dev = "/run/.dev"
	if err := mkdirs(dev); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", dev, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mounting tmpfs on %q: %w", dev, err)
	}
	if err := mkdirs(dev+"/pts", dev+"/shm"); err != nil {
		return err
	}
	if err := os.Chmod(dev+"/shm", 0o1777); err != nil {
		return err
	}
	for _, node := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		on := filepath.Join(dev, node)
		if err := os.WriteFile(on, nil, 0o666); err != nil {
			return err
		}
		if err := syscall.Mount("/dev/"+node, on, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("binding /dev/%s: %w", node, err)
		}
	}
	for link, to := range map[string]string{"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"} {
		if err := os.Symlink(to, filepath.Join(dev, link)); err != nil {
			return err
		}
	}
	if err := syscall.Mount(dev, "/dev", "", syscall.MS_MOVE, ""); err != nil {
		return fmt.Errorf("moving %q to /dev: %w", dev, err)
	}
	return nil
}

func mkdirs(names ...string) error {
	for _, name := range names {
		if err := os.MkdirAll(name, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// certificate makes a self-signed certificate and its key, both as PEM.
func certificate(name string) (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return "", "", err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	var c, k bytes.Buffer
	if err := pem.Encode(&c, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		return "", "", err
	}
	err = pem.Encode(&k, &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	return c.String(), k.String(), err
}
