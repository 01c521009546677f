package postfix

import (
	"maps"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
)

// readTables adds an edge for each table in the settings that is asked over a port:
// "socketmap:inet:host:port:name" (socketmap_table(5)) and "tcp:host:port"
// (tcp_table(5)).
func (s sender) readTables(set settings) {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if strings.HasPrefix(name, "proxy_") || !strings.Contains(set[name].value.s, ":") && !strings.Contains(set[name].value.s, "$") {
			continue // proxy_read_maps repeats other settings
		}
		v := s.scope.value(name)
		for _, w := range words(v.text, commaBlanks+"{}", false) {
			s.readTable(name, w)
		}
	}
}

// readTable adds an edge for a table.
func (s sender) readTable(name string, w text) {
	if rest, ok := strings.CutPrefix(w.s, "proxy:"); ok {
		w = w.cut(len(w.s)-len(rest), len(w.s))
	}
	protocol := "tcp-table"
	from := len("tcp:")
	switch {
	case strings.HasPrefix(w.s, "socketmap:inet:"):
		protocol, from = "socketmap", len("socketmap:inet:")
	case !strings.HasPrefix(w.s, "tcp:") || notTables(name):
		return
	}
	t := w.cut(from, len(w.s))
	if protocol == "socketmap" {
		end := strings.LastIndexByte(t.s, ':')
		t = t.cut(0, max(end, 0))
	}
	if d, ok, _ := s.destination(t, ""); ok {
		s.asked[d.port] = protocol
	}
	s.connect(name, t, "", listeners.EdgeLookup)
}

// notTables reports whether a parameter has transports or sockets, in which "tcp:" is
// no table.
func notTables(name string) bool {
	return strings.HasSuffix(name, "_transport") || strings.HasSuffix(name, "_milters") || slices.Contains([]string{"content_filter", "smtpd_proxy_filter"}, name)
}

// textTables are the types of tables whose source is a text file
// (DATABASE_README of Postfix).
var textTables = []string{"btree", "cdb", "cidr", "dbm", "hash", "lmdb", "pcre", "regexp", "sdbm", "texthash"}

// tableLines returns the logical lines of a table, "type:path", if it is among the
// files.
func (r *reading) tableLines(table string) []text {
	kind, name, ok := strings.Cut(strings.TrimPrefix(table, "proxy:"), ":")
	if !ok || !strings.HasPrefix(name, "/") || !slices.Contains(textTables, kind) {
		return nil
	}
	if lines, ok := r.tables[name]; ok {
		return lines
	}
	r.tables[name] = nil
	for _, found := range r.tree.Find(r.file.Name, name) {
		if f, err := r.tree.Read(found); err == nil {
			r.doubtLong(f)
			r.tables[name] = logicalLines(f)
			break
		}
	}
	return r.tables[name]
}

// readActions adds an edge for each action FILTER in a value, or in a table that it
// names (access(5), header_checks(5)).
func (s sender) readActions(name string, v *value) {
	list := words(v.text, commaBlanks+"{}", false)
	s.readFilters(name, list)
	for _, w := range list {
		for _, line := range s.tableLines(w.s) {
			if strings.Contains(line.s, "FILTER") && s.global.spend(len(line.s)) {
				s.readFilters(name, words(line, commaBlanks+"{}", false))
			}
		}
	}
}

// readFilters adds an edge for each FILTER and its "transport:destination" in words.
func (s sender) readFilters(name string, list []text) {
	for i, w := range list {
		if w.s == "FILTER" && i+1 < len(list) {
			s.connectBy(name, list[i+1], listeners.EdgeFilter)
		}
	}
}

// readMaps adds an edge for each "transport:destination" in a table of transports
// (transport(5)).
func (s sender) readMaps(name string) {
	v := s.value(name)
	for _, w := range words(v.text, commaBlanks, true) {
		for _, line := range s.tableLines(w.s) {
			if list := words(line, blanks, false); len(list) > 1 && s.global.spend(len(line.s)) {
				s.connectBy(name, list[len(list)-1], listeners.EdgeRelay)
			}
		}
	}
}
