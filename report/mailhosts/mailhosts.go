// Package mailhosts writes down which hosts the mail of domains depends on: as text, JSON, a graph
// for Graphviz, and a scope file.
package mailhosts

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/report/sanitize"
)

// A Report is what was found.
type Report struct {
	Tool    string            `json:"tool"`
	Version string            `json:"version"`
	Domains []*domains.Domain `json:"domains"`
	// Complete is unset if the DNS did not say all, so that there may be further hosts.
	Complete bool `json:"complete"`
	// Scope is the scope file by which hosts are classified; "" if there is none.
	Scope string `json:"scope,omitempty"`
}

// writers are the formats.
var writers = map[string]func(*Report, io.Writer, int) error{
	"text": (*Report).text, "json": (*Report).json, "dot": (*Report).dot, "scope": (*Report).scope,
}

// Formats are the names of the formats, in the order in which help lists them.
func Formats() []string { return []string{"text", "json", "scope", "dot"} }

// New is the report of the domains, the texts of which it sanitizes.
func New(tool, version, scope string, found []*domains.Domain) *Report {
	r := &Report{Tool: tool, Version: version, Scope: sanitize.Text(scope, sanitize.MaxField), Domains: found, Complete: true}
	for _, d := range found {
		sanitize.Value(d)
		r.Complete = r.Complete && d.Complete()
	}
	return r
}

// Write writes the report in one of [Formats]. Text is as wide as width; 0 is no limit.
func (r *Report) Write(w io.Writer, format string, width int) error {
	write := writers[format]
	if write == nil {
		return fmt.Errorf("unknown format %q", format)
	}
	return write(r, w, width)
}

// json writes the report as one JSON document.
func (r *Report) json(w io.Writer, _ int) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// hostName is how a host is shown: its address if it has no name.
func hostName(h *domains.Host) string {
	if h.Name == "" {
		return h.Addresses[0].String()
	}
	return h.Name
}

// addressesOf are the addresses of a host, as one text.
func addressesOf(h *domains.Host) string {
	return strings.Join(texts(h.Addresses), ", ")
}

// byClass returns the hosts with the hosts of their own first, then those of providers, then those
// of third parties, else in the order of the records.
func byClass(d *domains.Domain) []*domains.Host {
	hosts := slices.Clone(d.Hosts)
	slices.SortStableFunc(hosts, func(a, b *domains.Host) int { return rank[a.Class] - rank[b.Class] })
	return hosts
}

// rank is the order of the classes.
var rank = map[domains.Class]int{domains.Own: 0, domains.Provider: 1, domains.ThirdParty: 2}
