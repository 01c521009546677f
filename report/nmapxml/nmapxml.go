// Package nmapxml writes a run in nmap's XML format, for tools that read it.
package nmapxml

import (
	"bufio"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// nmapWriter writes what tools that read nmap's XML expect. The attribute scanner
// is "nmap" because the DTD allows nothing else; args has mxsweep.
type nmapWriter struct {
	view.Collector
	w io.Writer
}

// New returns a Writer that writes a run to w in nmap's XML format.
func New(w io.Writer, _ format.Options) format.Writer { return &nmapWriter{w: w} }

// End implements [format.Writer].
func (n *nmapWriter) End(r result.Run, s result.Summary) error {
	if view.OfFiles(&r) {
		return errors.New("the run read configuration files: nmap's XML has no place for them")
	}
	if view.OfSockets(&r) {
		return errors.New("the run is of mxsweep host: nmap's XML has hosts that were scanned, by their addresses")
	}
	n.Finish(r)
	w := bufio.NewWriter(n.w)
	n.head(w)
	enc := xml.NewEncoder(w)
	findings := n.FindingsByPlace()
	up, down := 0, 0
	for ports := range view.HostPorts(n.Ports) {
		h := nmapHostOf(ports, findings)
		if h.Status.State == "up" {
			up++
		} else {
			down++
		}
		if err := enc.Encode(h); err != nil {
			return fmt.Errorf("encoding nmap XML: %w", err)
		}
		w.WriteByte('\n')
	}
	n.tail(w, s, up, down)
	return w.Flush()
}

func (n *nmapWriter) head(w *bufio.Writer) {
	kind := cmp.Or(n.Run.Mode, "connect")
	if kind != "syn" {
		kind = "connect"
	}
	// Without a reference to the DTD: a validating parser would look for a file,
	// or fetch it from the network.
	fmt.Fprintf(w, "%s<!DOCTYPE nmaprun>\n", xml.Header)
	fmt.Fprintf(w, `<nmaprun scanner="nmap" args=%s start="%d" startstr=%s version="7.99" xmloutputversion="1.05">`+"\n",
		xmlAttr(cmp.Or(words.CommandLine(n.Run.Args), "mxsweep")), n.Run.StartTime.Unix(), xmlAttr(n.Run.StartTime.String()))
	fmt.Fprintf(w, `<scaninfo type="%s" protocol="tcp" numservices="%d" services=%s/>`+"\n",
		kind, view.CountPorts(n.Run.Scope.Ports), xmlAttr(n.Run.Scope.Ports))
	fmt.Fprint(w, "<verbose level=\"0\"/>\n<debugging level=\"0\"/>\n")
}

func (n *nmapWriter) tail(w *bufio.Writer, s result.Summary, up, down int) {
	end := n.Run.EndTime
	if end.IsZero() {
		end = n.Run.StartTime
	}
	exit := `exit="success"`
	if s.Partial() {
		exit = `exit="error" errormsg=` + xmlAttr(string(s.Gate)+": the coverage of the run is incomplete")
	}
	up = max(up, s.Coverage.HostsUp)
	down = max(down, s.Coverage.HostsSilent)
	v := n.Brief(s)
	fmt.Fprintf(w, `<runstats><finished time="%d" timestr=%s elapsed="%.3f" summary=%s %s/>`+"\n",
		end.Unix(), xmlAttr(end.String()), end.Sub(n.Run.StartTime.Time).Seconds(), xmlAttr("mxsweep: "+v.Verdict()), exit)
	fmt.Fprintf(w, `<hosts up="%d" down="%d" total="%d"/>`+"\n</runstats>\n</nmaprun>\n", up, down, up+down)
}

// nmapHostOf returns one host with its ports: open ones individually, others
// counted by state and reason.
func nmapHostOf(ports []result.Port, findings map[string][]*result.Finding) nmapHost {
	first := &ports[0]
	h := nmapHost{
		Start:   first.Timestamp.Unix(),
		Status:  nmapStatus{State: "down", Reason: string(result.ReasonNoResponse)},
		Address: nmapAddress{Addr: first.IP.String(), Type: "ipv4"},
	}
	if first.IP.Is6() {
		h.Address.Type = "ipv6"
	}
	extra := make(map[[2]string][]uint16)
	var rtt float64
	for i := range ports {
		p := &ports[i]
		h.Start, h.End = min(h.Start, p.Timestamp.Unix()), max(h.End, p.Timestamp.Unix())
		if p.Host != "" && len(h.Hostnames.Names) == 0 {
			for _, name := range append([]string{p.Host}, p.Aliases...) {
				h.Hostnames.Names = append(h.Hostnames.Names, nmapHostname{name, "user"})
			}
		}
		reason := string(cmp.Or(p.Reason, result.ReasonUnknown))
		if p.State == result.StateOpen || p.State == result.StateClosed {
			if h.Status.State == "down" {
				h.Status.State, h.Status.Reason = "up", reason
			}
			rtt = max(rtt, p.RTT)
		}
		if p.State != result.StateOpen {
			key := [2]string{string(p.State), reason}
			extra[key] = append(extra[key], p.Port)
			continue
		}
		h.Ports.Ports = append(h.Ports.Ports, nmapPortOf(p, findings[view.PortPlace(p)]))
	}
	h.Ports.Extra = nmapExtras(extra)
	if rtt > 0 {
		us := int64(rtt * 1000)
		h.Times = &nmapTimes{SRTT: us, RTTVar: us / 2, To: max(3*us, 100_000)}
	}
	return h
}

func nmapExtras(extra map[[2]string][]uint16) []nmapExtra {
	var list []nmapExtra
	for key, ports := range extra {
		slices.Sort(ports)
		r := nmapExtraReason{Reason: key[1], Count: len(ports), Proto: "tcp", Ports: portRanges(ports)}
		i := slices.IndexFunc(list, func(e nmapExtra) bool { return e.State == key[0] })
		if i < 0 {
			i = len(list)
			list = append(list, nmapExtra{State: key[0]})
		}
		list[i].Count += len(ports)
		list[i].Reasons = append(list[i].Reasons, r)
	}
	slices.SortFunc(list, func(a, b nmapExtra) int { return strings.Compare(a.State, b.State) })
	for _, e := range list {
		slices.SortFunc(e.Reasons, func(a, b nmapExtraReason) int { return strings.Compare(a.Reason, b.Reason) })
	}
	return list
}

func nmapPortOf(p *result.Port, findings []*result.Finding) nmapPort {
	w := nmapPort{
		Protocol: p.Protocol, ID: p.Port,
		State:   nmapStatus{State: string(p.State), Reason: string(cmp.Or(p.Reason, result.ReasonUnknown))},
		Service: nmapServiceOf(p.Service),
	}
	w.Scripts = nmapScripts(p, findings)
	return w
}

// nmapScripts returns at most one script, because ndiff 7.93 cannot read two on
// one port: the findings, otherwise the banner.
func nmapScripts(p *result.Port, findings []*result.Finding) []nmapScript {
	if len(findings) == 0 {
		if p.Banner == nil {
			return nil
		}
		return []nmapScript{{ID: "banner", Output: p.Banner.Text}}
	}
	s := nmapScript{ID: "mxsweep"}
	var lines []string
	for _, f := range findings {
		lines = append(lines, fmt.Sprintf("%s %s (%s)", f.Rule, f.Title, cmp.Or(resolvedWord(f), view.SeverityLabel(f))))
		s.Elems = append(s.Elems, nmapElem{"rule", f.Rule})
	}
	if p.Banner != nil {
		s.Elems = append(s.Elems, nmapElem{"banner", p.Banner.Text})
	}
	s.Output = strings.Join(lines, "\n")
	return []nmapScript{s}
}

// resolvedWord returns "high, accepted" for an accepted or expected finding,
// otherwise "".
func resolvedWord(f *result.Finding) string {
	if f.Status == result.StatusOpen {
		return ""
	}
	return f.Severity.String() + ", " + string(f.Status)
}

func nmapServiceOf(s *result.Service) *nmapService {
	if s == nil {
		return nil
	}
	w := &nmapService{
		Name: cmp.Or(s.Name, "unknown"), Product: s.Product, Version: s.Version, Hostname: s.Hostname,
		OSType: s.OSType, Method: string(cmp.Or(s.Method, result.MethodProbed)), Conf: s.Confidence,
	}
	if s.ByNumber() && s.Expected != nil {
		w.Name = cmp.Or(s.Expected.Name, w.Name) // what nmap means by the method table
	}
	var extra []string
	if s.SelfNamed {
		extra = append(extra, "says of itself")
	}
	if s.ExtraInfo != "" {
		extra = append(extra, s.ExtraInfo)
	}
	if s.Role != "" && s.Role != "unknown" {
		extra = append(extra, string(s.Role))
	}
	if s.Behind != nil {
		extra = append(extra, "in front of "+strings.TrimSpace(s.Behind.Product+" "+s.Behind.Version))
	}
	if why := view.Inconclusive(s); why != "" {
		extra = append(extra, why)
	}
	w.ExtraInfo = strings.Join(extra, "; ")
	if s.Tunnel == "ssl" {
		w.Tunnel = "ssl"
	}
	for _, c := range s.CPEs {
		if uri := cpeURI(c); uri != "" {
			w.CPEs = append(w.CPEs, uri)
		}
	}
	return w
}

// cpeURI converts a CPE 2.3 formatted string to the URI binding of CPE 2.2, which
// nmap uses (NISTIR 7695, Section 6.1); "" if s is not one.
func cpeURI(s string) string {
	rest, ok := strings.CutPrefix(s, "cpe:2.3:")
	if !ok {
		return ""
	}
	parts := strings.Split(rest, ":")
	parts = parts[:min(len(parts), 4)] // part, vendor, product, version
	for i, p := range parts {
		p = strings.ReplaceAll(p, `\`, "")
		if p == "*" || p == "-" {
			p = ""
		}
		parts[i] = p
	}
	return "cpe:/" + strings.TrimRight(strings.Join(parts, ":"), ":")
}

// portRanges returns sorted ports as "25,10024-10031".
func portRanges(ports []uint16) string {
	var b strings.Builder
	for i := 0; i < len(ports); {
		j := i
		for j+1 < len(ports) && ports[j+1] <= ports[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(ports[i])))
		if ports[j] != ports[i] {
			b.WriteString("-" + strconv.Itoa(int(ports[j])))
		}
		i = j + 1
	}
	return b.String()
}

// xmlAttr returns s as an attribute value, with quotes.
func xmlAttr(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder never returns an error
	b.WriteByte('"')
	return b.String()
}
