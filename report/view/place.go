package view

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// Place returns "192.0.2.1:25" or "[2001:db8::1]:25".
func Place(addr netip.Addr, port uint16) string { return netip.AddrPortFrom(addr, port).String() }

// FindingPlace returns where a finding is: address and port, or for one of a file
// "postfix/master.cf: 10025 inet".
func FindingPlace(f *result.Finding) string { return placeOf(f.IP, f.Port, f.Host, f.Listener) }

// Endpoint returns the address, port and protocol of a finding as text; "" for those that it has not,
// as one about the records of a domain.
func Endpoint(f *result.Finding) (ip, port, protocol string) {
	if f.OfRecords() {
		return "", "", ""
	}
	if f.IP.IsValid() { // not of the run itself
		ip = f.IP.String()
	}
	return ip, strconv.Itoa(int(f.Port)), f.Protocol
}

// PortPlace returns where a port is, in the form of FindingPlace.
func PortPlace(p *result.Port) string { return placeOf(p.IP, p.Port, p.Host, p.Listener) }

func placeOf(addr netip.Addr, port uint16, file string, l *result.Configured) string {
	if l == nil {
		return Place(addr, port)
	}
	return file + ": " + l.Name
}

// OfSockets reports whether a run listed what listens on one machine and probed no port.
func OfSockets(r *result.Run) bool { return r.Vantage == exposure.NameSockets }

// OfFiles reports whether a run read configuration files and contacted nothing.
func OfFiles(r *result.Run) bool { return r.Vantage == string(exposure.ClassConfig) }

// fileOf returns the file of a listener, "" for a port that was scanned.
func fileOf(file string, l *result.Configured) string {
	if l == nil {
		return ""
	}
	return file
}

// nameOf returns the name of a listener, "" for a port that was scanned.
func nameOf(l *result.Configured) string {
	if l == nil {
		return ""
	}
	return l.Name
}

// lineOf returns the line of a listener, 0 for a port that was scanned.
func lineOf(l *result.Configured, a *result.Anchor) int {
	if l == nil || a == nil {
		return 0
	}
	return a.Line
}

// OfSockets reports whether a run looked at the sockets of a machine and contacted
// nothing.
func (v *View) OfSockets() bool {
	return slices.ContainsFunc(v.Hosts, func(h HostEntry) bool {
		return slices.ContainsFunc(h.Ports, func(p PortEntry) bool { return p.Port != nil && p.Port.Socket != nil })
	})
}

// HasFindings reports whether a port of the entry has a finding that is shown.
func (h *HostEntry) HasFindings() bool {
	return slices.ContainsFunc(h.Ports, func(p PortEntry) bool { return len(p.Findings) > 0 })
}
