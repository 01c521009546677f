//go:build !linux

package e2e

import "testing"

func TestRealDaemons(t *testing.T) {
	t.Skip("the real daemons run in Linux namespaces: not on this system")
}
