//go:build linux

package nameservers

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// records are the records of zones, in files in the syntax of RFC 1035, Section 5.1.
//
//go:embed testdata/zones
var records embed.FS

// A signing is who signs a zone.
type signing int

const (
	unsigned signing = iota
	signed           // by dnssec-signzone
	online           // by the server, with keys of keymgr
	altered          // by dnssec-signzone; a record is changed thereafter
	expired          // by dnssec-signzone, with signatures that are no longer valid
)

// A zone is one zone below test.
type zone struct {
	name    string
	server  string // its address
	signing signing
	// fault is why no server answers for the zone; "" if one does, or should.
	fault string
	// records makes the records; nil takes those of a file below testdata/zones, if there is one.
	records func() string
}

// parent is the zone that delegates all others; the resolvers know its key.
const parent = "test"

var zones = []zone{
	{name: "bind." + parent, server: bindAddress, signing: signed},
	{name: "knot." + parent, server: knotAddress, signing: online},
	{name: "nsd." + parent, server: nsdAddress, signing: signed},
	{name: "broken." + parent, server: bindAddress, signing: signed},
	{name: "unsigned." + parent, server: nsdAddress},
	{name: "altered." + parent, server: nsdAddress, signing: altered, fault: "a record differs from its signature"},
	{name: "expired." + parent, server: bindAddress, signing: expired, fault: "its signatures are no longer valid"},
	{name: "random." + parent, server: bindAddress, signing: signed, records: randomRecords},
	{name: "many." + parent, server: knotAddress, signing: online, records: manyRecords},
	{name: "servfail." + parent, server: bindAddress, fault: "the zone file has a syntax error"},
	{name: "lame." + parent, server: nsdAddress, fault: "the server does not serve it"},
	{name: "dead." + parent, server: deadAddress, fault: "no server is there"},
	{name: "silent." + parent, server: silentAddress, fault: "the server does not reply"},
	{name: parent, server: bindAddress, signing: signed}, // the last one, as it has the keys of the others
}

// served returns the zones that a server is configured for.
func served(server string) []zone {
	return slices.DeleteFunc(slices.Clone(zones), func(z zone) bool { return z.server != server || z.name == "lame."+parent })
}

// file is the file that the server of the zone reads.
func (z *zone) file(dir string) string {
	suffix := ".zone"
	if z.signing != unsigned && z.signing != online {
		suffix += ".signed"
	}
	return filepath.Join(dir, "zones", z.name+suffix)
}

// zones writes and signs the files of all zones, and the trust anchor.
func (r *running) zones() error {
	for _, folder := range []string{"zones", "knot"} {
		if err := os.MkdirAll(filepath.Join(r.dir, folder), 0o755); err != nil {
			return err
		}
	}
	delegations := ""
	for _, z := range zones {
		text, err := z.text()
		if err != nil {
			return err
		}
		if z.name == parent {
			text += delegations
		}
		if err := os.WriteFile(filepath.Join(r.dir, "zones", z.name+".zone"), []byte(text), 0o644); err != nil {
			return err
		}
		ds, err := r.sign(z)
		if err != nil {
			return err
		}
		label := strings.TrimSuffix(z.name, "."+parent)
		delegations += fmt.Sprintf("%s NS ns.%s\nns.%s A %s\n%s", label, label, label, z.server, ds)
		if z.name == parent {
			return os.WriteFile(filepath.Join(r.dir, "anchor"), []byte(ds), 0o644)
		}
	}
	return nil
}

// text is the zone file without signatures.
func (z *zone) text() (string, error) {
	text := fmt.Sprintf("$ORIGIN %s.\n$TTL 300\n@ SOA ns hostmaster 1 7200 3600 1209600 300\n@ NS ns\nns A %s\n", z.name, z.server)
	if z.records != nil {
		return text + z.records(), nil
	}
	own, err := records.ReadFile("testdata/zones/" + strings.TrimSuffix(z.name, "."+parent) + ".zone")
	if os.IsNotExist(err) {
		return text, nil
	}
	return text + string(own), err
}

// sign signs a zone, and returns the DS records for its parent.
func (r *running) sign(z zone) (string, error) {
	switch z.signing {
	case unsigned:
		return "", nil
	case online:
		return r.knotKeys(z)
	}
	for _, kind := range []string{"ZSK", "KSK"} {
		args := []string{"-q", "-a", "ECDSAP256SHA256", z.name}
		if kind == "KSK" {
			args = append([]string{"-f", "KSK"}, args...)
		}
		if err := r.run("zones", "dnssec-keygen", args...); err != nil {
			return "", err
		}
	}
	args := []string{"-S", "-o", z.name}
	if z.signing == expired {
		args = append(args, "-P", "-s", "20200101000000", "-e", "20200201000000")
	}
	if err := r.run("zones", "dnssec-signzone", append(args, z.name+".zone")...); err != nil {
		return "", err
	}
	if z.signing == altered {
		if err := alter(z.file(r.dir)); err != nil {
			return "", err
		}
	}
	ds, err := os.ReadFile(filepath.Join(r.dir, "zones", "dsset-"+z.name+"."))
	return string(ds), err
}

// alter changes an address of a signed zone.
func alter(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	changed := strings.ReplaceAll(string(text), "192.0.2.66", "192.0.2.67")
	if changed == string(text) {
		return fmt.Errorf("%s: nothing to alter", file)
	}
	return os.WriteFile(file, []byte(changed), 0o644)
}

// knotKeys makes the keys of a zone that Knot DNS signs.
func (r *running) knotKeys(z zone) (string, error) {
	if err := os.WriteFile(filepath.Join(r.dir, "knot", "conf"), []byte(knotConf(r.dir)), 0o644); err != nil {
		return "", err
	}
	for _, kind := range []string{"zsk=yes", "ksk=yes"} {
		if err := r.run("knot", "keymgr", "-c", "conf", z.name, "generate", "algorithm=ECDSAP256SHA256", kind); err != nil {
			return "", err
		}
	}
	return r.output("knot", "keymgr", "-c", "conf", z.name, "ds")
}
