// Package config finds the configuration files of mail daemons and of what starts
// them, and reads which listeners they open.
package config

import (
	"path"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/daemons"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// A kind is a kind of configuration file.
type kind struct {
	name string // for people

	// is reports whether a file is of the kind. head is its beginning, at most 4 KiB.
	is func(name, head string) bool

	// read reads a file. It returns no error: what it cannot read is a Doubt.
	read func(t *source.Tree, f *source.File) listeners.Config

	// part is set if another file usually includes it: it is read by itself only if no
	// other file did.
	part bool
}

// kinds are all kinds; the first that fits a file is its kind.
var kinds = []kind{
	{name: "DKIMproxy", is: named("dkimproxy_in.conf", "dkimproxy_out.conf", "dkimproxy.conf"), read: daemons.DKIMproxy},
	{name: "OpenDKIM", is: named("opendkim.conf"), read: daemons.OpenDKIM},
	{name: "OpenDMARC", is: named("opendmarc.conf"), read: daemons.OpenDMARC},
	{name: "ClamAV clamd", is: named("clamd.conf"), read: daemons.Clamd},
}

// kindOf returns the kind of a file, nil if it has none.
func kindOf(t *source.Tree, name string) *kind {
	head := t.Head(name)
	for i := range kinds {
		if kinds[i].is(name, head) {
			return &kinds[i]
		}
	}
	return nil
}

// named returns the test of a kind whose files have one of these names. "postfix/x" is
// the name x in a folder postfix; * is any text without a slash.
func named(patterns ...string) func(name, head string) bool {
	return func(name, _ string) bool {
		parts := strings.Split(name, "/")
		for _, p := range patterns {
			n := strings.Count(p, "/") + 1
			if len(parts) < n {
				continue
			}
			if ok, _ := path.Match(p, path.Join(parts[len(parts)-n:]...)); ok {
				return true
			}
		}
		return false
	}
}
