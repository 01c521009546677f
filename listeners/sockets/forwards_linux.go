package sockets

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// maxChains is the maximum number of chains of rules that are read: a node of a cluster
// has some for each of its services.
const maxChains = 4096

// listForwards lists the ports that address translation or docker-proxy passes on.
func (l *lister) listForwards() {
	l.Forwards = l.proxied()
	if l.Root == "" {
		l.listTranslated()
	} else {
		l.gap(GapForwards, 0, nil, "the rules of address translation of the system at %s", l.Root)
	}
	slices.SortFunc(l.Forwards, compareForwards)
	l.Forwards = slices.Compact(l.Forwards)
	for i := range l.Forwards {
		f := &l.Forwards[i]
		for _, ns := range l.namespaces {
			if ns.Has(f.To.Addr()) {
				f.Namespace = ns
				break
			}
		}
	}
}

// listTranslated adds what the rules of nftables, and of iptables as far as it uses
// nftables, pass on.
func (l *lister) listTranslated() {
	found, undecided, err := translated()
	l.Forwards = append(l.Forwards, found...)
	switch {
	case errors.Is(err, os.ErrPermission):
		l.gap(GapForwards, 0, err, "the rules of address translation, which need the capability CAP_NET_ADMIN")
	case err != nil:
		l.gap(GapForwards, 0, err, "the rules of address translation")
	case undecided > 0:
		l.gap(GapForwards, undecided, nil, "the ports of %d rules of address translation", undecided)
	}
	if names := readHead(filepath.Join(l.proc(), "net/ip_tables_names"), 4096) +
		readHead(filepath.Join(l.proc(), "net/ip6_tables_names"), 4096); slices.Contains(strings.Fields(names), "nat") {
		l.gap(GapForwards, 0, nil, "the rules of address translation of iptables-legacy, which only iptables-legacy-save shows")
	}
}

// translated returns the ports that rules of nftables in the namespace of this thread
// pass on, and the number of rules that pass on ports that cannot be read.
func translated() (list []Forward, undecided int, err error) {
	conn, err := nftables.New()
	if err != nil {
		return nil, 0, fmt.Errorf("opening a netlink socket: %w", err)
	}
	chains, err := conn.ListChains()
	if err != nil {
		return nil, 0, fmt.Errorf("listing the chains of rules: %w", err)
	}
	if len(chains) > maxChains {
		return nil, 0, fmt.Errorf("%d chains of rules, more than %d", len(chains), maxChains)
	}
	type table struct {
		name   string
		family nftables.TableFamily
	}
	translates := map[table]bool{} // tables with a chain that may translate
	for _, c := range chains {
		if c.Type == nftables.ChainTypeNAT && c.Table != nil {
			translates[table{c.Table.Name, c.Table.Family}] = true
		}
	}
	for _, c := range chains {
		if c.Table == nil || !translates[table{c.Table.Name, c.Table.Family}] {
			continue
		}
		rules, err := conn.GetRules(c.Table, c)
		if err != nil {
			return list, undecided, fmt.Errorf("reading the rules of %s %s: %w", c.Table.Name, c.Name, err)
		}
		for _, rule := range rules {
			found, ok := readRule(rule.Exprs, func(name string, id uint32) ([]nftables.SetElement, error) {
				return conn.GetSetElements(&nftables.Set{Table: c.Table, Name: name, ID: id})
			})
			list = append(list, found...)
			if !ok {
				undecided++
			}
		}
	}
	return list, undecided, nil
}

// proxied returns the ports that docker-proxy passes on, from its command lines.
func (l *lister) proxied() []Forward {
	var list []Forward
	for i := range l.Sockets {
		s := &l.Sockets[i]
		for _, p := range s.Owners {
			if p.Name != "docker-proxy" {
				continue
			}
			to, ok := proxyTarget(p.Command)
			if !ok {
				continue
			}
			f := Forward{Port: s.Port, To: to}
			if !s.All() {
				f.Address = s.Address.Unmap()
			}
			list = append(list, f)
		}
	}
	return list
}

// proxyTarget returns where a docker-proxy with that command line passes connections.
func proxyTarget(command []string) (netip.AddrPort, bool) {
	value := func(flag string) string {
		if i := slices.Index(command, flag); i >= 0 && i+1 < len(command) {
			return command[i+1]
		}
		return ""
	}
	address, err := netip.ParseAddr(value("-container-ip"))
	port, portErr := strconv.ParseUint(value("-container-port"), 10, 16)
	return netip.AddrPortFrom(address, uint16(port)), err == nil && portErr == nil && port > 0
}

// readRule returns the TCP ports that a rule passes on. It reports false if the rule
// passes on something of which not all ports can be read or listed. elements returns the elements
// of a set.
func readRule(rule []expr.Any, elements func(name string, id uint32) ([]nftables.SetElement, error)) ([]Forward, bool) {
	r := ruleReader{elements: elements, registers: map[uint32]register{}}
	for _, e := range rule {
		r.read(e)
	}
	if !r.passes || r.notTCP {
		return nil, true
	}
	return r.forwards, len(r.forwards) > 0 && !r.more
}
