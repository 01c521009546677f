package mailhosts

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/report/words"
)

// text writes the report for people.
func (r *Report) text(w io.Writer, width int) error {
	t := &textWriter{width: width}
	for i, d := range r.Domains {
		if i > 0 {
			t.b.WriteByte('\n')
		}
		t.domain(d)
	}
	t.askFor(r)
	_, err := io.WriteString(w, t.b.String())
	return err
}

// A textWriter collects the text.
type textWriter struct {
	b     strings.Builder
	width int
}

// line writes a line, and indents what does not fit into it.
func (t *textWriter) line(indent int, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if t.width <= 0 {
		fmt.Fprintf(&t.b, "%*s%s\n", indent, "", text)
		return
	}
	for i, l := range words.Wrap(text, t.width-indent, t.width-indent-2) {
		if i > 0 {
			l = "  " + l
		}
		fmt.Fprintf(&t.b, "%*s%s\n", indent, "", l)
	}
}

// mailStates are the sentences about how a domain receives mail.
var mailStates = map[domains.MailState]string{
	domains.MailMX:       "receives mail at the hosts of its MX records",
	domains.MailImplicit: "has no MX record: mail goes to its own addresses",
	domains.MailNull:     "accepts no mail (null MX)",
	domains.MailNone:     "receives no mail: it has no MX record and no address",
	domains.MailUnknown:  "the DNS did not say where its mail goes",
}

// domain writes one domain.
func (t *textWriter) domain(d *domains.Domain) {
	t.line(0, "%s: %s", d.Name, mailStates[d.Mail])
	if d.Questions > 0 && d.Questions == unanswered(d) {
		t.line(2, "incomplete: the DNS server answered none of %d questions: %s", d.Questions, d.Gaps[0].Cause)
		return
	}
	for _, g := range d.Gaps {
		detail := ""
		if g.Detail != "" {
			detail = " (" + g.Detail + ")"
		}
		t.line(2, "incomplete: no answer for %s %s, needed for %s: %s%s", g.Type, g.Name, g.For, g.Cause, detail)
	}
	for _, n := range d.Faults {
		t.line(2, "warning: %s", n.Text)
	}
	t.hosts(d)
	t.records(d)
}

// unanswered is how many questions had no answer, for one cause.
func unanswered(d *domains.Domain) int {
	asked := map[[2]string]bool{}
	for _, g := range d.Gaps {
		if g.Cause != d.Gaps[0].Cause {
			return 0
		}
		asked[[2]string{g.Name, g.Type}] = true
	}
	return len(asked)
}

// hosts writes the table of hosts and networks.
func (t *textWriter) hosts(d *domains.Domain) {
	if len(d.Hosts)+len(d.Networks) == 0 {
		return
	}
	t.b.WriteByte('\n')
	w := tabwriter.NewWriter(&t.b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  HOST\tADDRESS\tPORTS\tCLASS\tNAMED BY")
	for _, h := range byClass(d) {
		rows(w, []string{cmp.Or(h.Name, "-")}, texts(h.Addresses), []string{ports(h)}, h.Class, h.Paths)
	}
	for _, n := range d.Networks {
		rows(w, []string{"network, not scanned"}, []string{n.Prefix.String()}, []string{"-"}, n.Class, n.Paths)
	}
	_ = w.Flush() // to a strings.Builder, which does not fail
	t.b.WriteByte('\n')
}

// rows writes the rows of one host: one for each of its paths, or of its addresses if these are more.
func rows(w io.Writer, name, addresses, ports []string, class domains.Class, paths []domains.Way) {
	if len(addresses) == 0 {
		addresses = []string{"no address"}
	}
	classes := []string{string(class)}
	for i := range max(len(addresses), len(paths)) {
		way := ""
		if i < len(paths) {
			way = paths[i].Text
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", at(name, i), at(addresses, i), at(ports, i), at(classes, i), way)
	}
}

// at returns the i-th text of a list, "" after its end.
func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// texts are addresses as texts.
func texts(addrs []netip.Addr) []string {
	var all []string
	for _, a := range addrs {
		all = append(all, a.String())
	}
	return all
}

// ports are the ports of a host as a list, "-" if the records name none.
func ports(h *domains.Host) string {
	return cmp.Or(strings.Trim(strings.ReplaceAll(fmt.Sprint(h.Ports), " ", ","), "[]"), "-")
}

// records writes what the records say beyond hosts.
func (t *textWriter) records(d *domains.Domain) {
	if s := d.SPF; s != nil {
		fault := ""
		if s.Fault != "" {
			fault = ", receivers stop with " + s.Fault
		}
		t.line(2, "SPF: %d of at most 10 DNS lookups%s", s.Lookups, fault)
		for _, term := range s.Open {
			t.line(4, "not enumerable: %s", term)
		}
	}
	if m := d.MTASTS; m != nil {
		state := m.State
		if m.Policy != nil {
			state = fmt.Sprintf("mode %s for %s", m.Policy.Mode, strings.Join(m.Policy.MX, ", "))
		}
		t.line(2, "MTA-STS: %s", state)
	}
	if d.TLSRPT != "" {
		t.line(2, "TLS-RPT: %s", d.TLSRPT)
	}
	if d.DMARC != "" {
		t.line(2, "DMARC: %s", d.DMARC)
	}
}

// askFor lists the addresses that mail depends on and that the scope does not contain.
func (t *textWriter) askFor(r *Report) {
	if r.Scope == "" {
		return
	}
	first := true
	for _, d := range r.Domains {
		for _, h := range d.Hosts {
			if h.Class == domains.Own || len(h.Addresses) == 0 {
				continue
			}
			if first {
				t.b.WriteByte('\n')
				t.line(0, "Not in the scope %s; ask for authorization before you scan them:", r.Scope)
				first = false
			}
			t.line(2, "%s  %s  (%s)", hostName(h), addressesOf(h), h.Paths[0].Text)
		}
	}
}
