package configured

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/exposure/mailpath"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// An Audit judges what configuration files open.
type Audit struct {
	Rules    *exposure.RuleSet
	Ports    *signatures.Ports
	Policy   *policy.Policy  // nil if there is none
	Baseline *drift.Baseline // nil if there is none
	Gate     gate.Criteria   // its minimum coverage is not used
	Now      time.Time       // when accepted risks must be valid

	// MinDecided is the least fraction of what the files configure that they must decide, 0
	// to 1, for a run to be complete.
	MinDecided float64

	start time.Time
	tree  *source.Tree
	names []string // of the paths, in the tree
	found []config.Found
	read  listeners.Config

	edited int // bytes of the files for which edits were made
}

// Read reads the configuration files that the paths name and contain. The error is a usage
// error for a path that does not exist.
func (a *Audit) Read(paths []string) error {
	a.start = time.Now()
	tree, names, done, err := open(paths)
	if err != nil {
		return err
	}
	defer done()
	a.tree, a.names = tree, names
	a.read, a.found, err = config.Read(tree, names...)
	return err
}

// Listeners returns the listeners that the files open.
func (a *Audit) Listeners() []listeners.Listener { return a.read.Listeners }

// named returns the name in the tree of a file that reports show; "" if the tree cannot have it.
func (a *Audit) named(shown string) string {
	if a.tree.Shown == nil {
		return shown
	}
	name, ok := strings.CutPrefix(shown, fullName(a.tree.Dir)+"/")
	if !ok {
		return ""
	}
	return name
}

// Config returns what the files configure, which the caller must not change.
func (a *Audit) Config() *listeners.Config { return &a.read }

// Files returns the files that were read, as this machine names them.
func (a *Audit) Files() []string {
	var files []string
	for _, name := range a.tree.Files() {
		files = append(files, a.tree.Local(name))
	}
	return files
}

// An Outcome is the result of an audit.
type Outcome struct {
	Open     []exposure.Subject   // the listeners that others may connect to
	Findings []exposure.Violation // as assessed by the gate
	Paths    []result.Path        // how mail flows, as far as the files say
	Decision gate.Decision        // with the exit code and the notices
	Summary  result.Summary
}

// vantage is where an audit looks from: nowhere.
var vantage = exposure.Vantage{Class: exposure.ClassConfig}

// Conclude judges what was read.
func (a *Audit) Conclude() Outcome {
	var c Outcome
	j := a.judge()
	undecided := a.undecided()
	for i := range a.read.Listeners {
		l := &a.read.Listeners[i]
		if l.Loopback() || l.Through == listeners.ThroughContainer || l.Doubt != "" {
			continue
		}
		p := a.subject(l)
		found := j.Findings(p)
		if len(found) > 0 { // only then is it known how to fix it
			p.Fix = fixOf(l)
			p.Listener.Edit = a.edit(&p)
			found = j.Findings(p)
		}
		c.Open = append(c.Open, p)
		c.Findings = append(c.Findings, found...)
	}
	c.Paths = mailpath.OfFiles(&a.read, a.Ports)
	mailpath.Explain(c.Paths, c.Findings)
	undecided = append(undecided, a.judgeSettings(j, &c)...)
	c.Findings = exposure.JoinAddresses(c.Findings)
	facts, told := a.facts(undecided)
	if a.Baseline != nil {
		var drifted []result.Notice
		c.Findings, drifted = a.drift(c.Findings, undecided)
		told = append(told, drifted...)
	}
	criteria := a.Gate
	criteria.MinCoverage = 0 // facts has what is not decided
	c.Decision = gate.Decide(criteria, facts, c.Findings)
	c.Decision.Notices = append(c.Decision.Notices, told...)
	entries := a.Policy.FileNotices(c.Findings, c.Decision.Notices, a.Now)
	c.Decision.Notices = append(c.Decision.Notices, entries...)
	c.Summary = a.summary(&c.Decision, facts.Coverage)
	c.Summary.AcceptancesExpired, c.Summary.AcceptancesUnused = policy.Tally(entries)
	return c
}

// undecided returns what the files do not decide, as far as it matters to what hosts open.
func (a *Audit) undecided() []listeners.Doubt {
	j := a.judge()
	list := a.doubtsOfHosts()
	for i := range a.read.Listeners {
		l := &a.read.Listeners[i]
		if l.Doubt == "" || l.Loopback() || l.Through == listeners.ThroughContainer || len(j.Findings(a.subject(l))) == 0 {
			continue
		}
		list = append(list, listeners.Doubt{Problem: fmt.Sprintf("where %q listens on port %d is not certain: %s", l.Service, l.Port, l.Doubt), At: l.At})
	}
	return list
}

// doubtsOfHosts returns the doubts about files on which depends what hosts open.
func (a *Audit) doubtsOfHosts() []listeners.Doubt {
	return slices.DeleteFunc(slices.Clone(a.read.Doubts), func(d listeners.Doubt) bool {
		_, contained := a.read.InContainer(d.At.File)
		return d.OfEdge || contained
	})
}

// Undecided returns a notice, of level error, for each problem of a file because of which it is
// not known what a host opens. It needs no rules.
func (a *Audit) Undecided() []result.Notice {
	var list []result.Notice
	for _, d := range together(a.doubtsOfHosts()) {
		list = append(list, doubtNotice(&d))
	}
	return list
}

// doubtNotice returns the notice about a doubt.
func doubtNotice(d *listeners.Doubt) result.Notice {
	at := d.At
	return exposure.NewNotice(exposure.NoticeUndecided, at.File, &at, "The files do not decide it: %s.", d.Problem)
}

// judge returns the judge for files.
func (a *Audit) judge() *exposure.Judge {
	profiles := a.Ports.ProfilePorts()
	j := &exposure.Judge{Rules: a.Rules, Vantage: vantage, Now: a.Now, Knowledge: exposure.NewPortSets(profiles["internal"], profiles["public"])}
	if a.Policy != nil {
		j.Policy = a.Policy
	}
	return j
}

// ofFile stands for the fix whose file has the name of the listener's and whose product is
// that of the listener.
const ofFile = "*"

// ofTable stands for the fix that the table of the files of names and values has.
const ofTable = "="

// fixes are the ids of the fixes that bind a listener of a kind of file; kinds without one
// have the advice of the rule.
var fixes = map[string]string{
	"Docker Compose override": "container-port",
	"Docker Compose":          "container-port",
	"Dockerfile":              "",
	"Postfix master.cf":       "postfix-bind",
	"Postfix main.cf":         "",
	"Dovecot":                 "dovecot23-bind",
	"Dovecot part":            "dovecot23-bind",
	"DKIMproxy":               "dkimproxy-bind",
	"OpenDKIM":                "opendkim-bind",
	"OpenDMARC":               "opendmarc-bind",
	"HAProxy":                 "haproxy-bind",
	"nginx":                   "nginx-bind",
	"nginx include":           "nginx-bind",
	"ClamAV clamd":            "clamd-bind",
	"amavisd":                 "amavis-bind",
	"policyd-weight":          "policyd-weight-bind",
	"Kubernetes":              "kubernetes-port",
	"systemd service":         "",
	"systemd service drop-in": "",
	"systemd socket":          "",
	"systemd socket drop-in":  "",
	"Podman quadlet":          "",
	"Podman quadlet drop-in":  "",
	"options of a daemon":     ofFile,
	"Rspamd":                  ofFile,
	"Rspamd worker":           ofFile,
	"Rspamd part":             "",
	"Cyrus IMAP":              "cyrus-bind",
	"OpenSMTPD":               "opensmtpd-bind",
	"sendmail.mc":             "sendmail-daemon",
	"sendmail.cf":             "", // it is made of sendmail.mc
	"Exim":                    "exim-interfaces",
	"iptables":                "",
	"nftables":                "",
	"Exim part":               "exim-interfaces",
	"Exim options":            "", // it opens nothing
	"Courier":                 ofFile,
	"Redis":                   "redis-bind",
	"memcached":               "memcached-bind",
	"MySQL":                   "mariadb-bind",
	"OpenLDAP":                "slapd-bind",
	"clamsmtp":                ofTable,
	"SQLgrey":                 ofTable,
	"PostSRSd":                ofTable,

	"postfix-mta-sts-resolver": ofTable,
	"postfix-tlspol":           ofTable,
	"milter-greylist":          ofTable,
	"Mailman":                  ofTable,
	"Cluebringer":              ofTable,
	"gross":                    ofTable,
	"clamav-milter":            ofTable,
}

// fixOf returns the id of the fix that binds a listener of a file, "" if there is none.
func fixOf(l *listeners.Listener) string {
	id := fixes[l.Kind]
	switch {
	case id == ofFile:
		return fixOfFile(l)
	case id == ofTable:
		return config.FixOf(l)
	case id == fixes["Docker Compose"] && l.Through != listeners.ThroughPublished: // a command
		return ""
	}
	if _, new24 := l.Setting("dovecot_config_version"); new24 && id == "dovecot23-bind" {
		return "dovecot24-bind"
	}
	return id
}

// fixOfFile returns the id of the fix of a file that many daemons have under their own
// names, such as /etc/default/postgrey; "" if there is none.
func fixOfFile(l *listeners.Listener) string {
	for _, f := range fix.Builtin().All() {
		if path.Base(f.File) == path.Base(l.At.File) && f.Binds() && slices.ContainsFunc(f.Products, func(p string) bool { return exposure.HasProduct(l.Product, p) }) {
			return f.ID
		}
	}
	return ""
}

// subject returns what is judged of a listener.
func (a *Audit) subject(l *listeners.Listener) exposure.Subject {
	at := l.At
	addr := l.Address
	if !addr.IsValid() {
		addr = netip.IPv4Unspecified() // and each IPv6 address
	}
	p := exposure.Subject{
		Result:   scan.Result{Target: netip.AddrPortFrom(addr.WithZone(""), l.Port), State: result.StateOpen, Time: a.start},
		Host:     at.File,
		Root:     a.Root(),
		Anchor:   &at,
		Service:  a.Identify(l),
		Listener: &result.Configured{Name: sanitize.Text(l.Name(), sanitize.MaxField), Kind: l.Kind, Through: string(l.Through)},
	}
	for _, c := range l.Causes {
		p.Listener.Causes = append(p.Listener.Causes, result.Widening{Why: c.Why, Anchor: c.At})
	}
	return p
}

// Line returns what the file says of a listener, with the edit that binds it to loopback, and
// the id of the fix that makes the edit, "" if there is none.
func (a *Audit) Line(l *listeners.Listener) (*result.Configured, string) {
	p := a.subject(l)
	p.Fix = fixOf(l)
	p.Listener.Edit = a.edit(&p)
	return p.Listener, p.Fix
}

// facts returns what the gate needs to know, and the notices about what is accepted.
func (a *Audit) facts(undecided []listeners.Doubt) (gate.RunFacts, []result.Notice) {
	f := gate.RunFacts{Coverage: gate.PairCounts{HostsUp: uint64(len(a.found)), Open: uint64(len(a.found) + len(a.read.Listeners))}}
	var told, open []result.Notice
	for _, d := range together(undecided) {
		n := doubtNotice(&d)
		if accepted := a.Policy.AcceptsNotice(n.Code, netip.Addr{}, []string{d.At.File}, a.Now); accepted != nil {
			told = append(told, exposure.AcceptNotice(n, accepted))
			f.Coverage.Accepted++
			continue
		}
		open = append(open, n)
	}
	if len(a.found) == 0 {
		n := exposure.NewNotice(exposure.NoticeNoConfiguration, "", nil, "No configuration file of a known kind: %s.", strings.Join(a.shown(), ", "))
		f.Nothing, f.Incomplete = &n, open
		return f, told
	}
	f.Coverage.Planned = f.Coverage.Open + uint64(len(open))
	if f.Coverage.Ratio() < a.MinDecided {
		f.Incomplete = open
		return f, told
	}
	for _, n := range open {
		n.Level = result.LevelWarning
		told = append(told, n)
	}
	return f, told
}

// summary returns the summary of the audit.
func (a *Audit) summary(v *gate.Decision, c gate.PairCounts) result.Summary {
	return result.Summary{
		Complete: v.Complete, Incomplete: v.Incomplete, ExitCode: int(v.Code), Gate: v.Gate, FailOn: a.Gate.FailOn.String(), Reason: v.Reason,
		Coverage: result.Coverage{Planned: c.Planned, Answered: c.Conclusive(), Ratio: c.Ratio(), HostsUp: int(c.HostsUp), CoverageCounts: counts(c)},
	}
}

// shown returns the names of the paths for messages: of the folder of the tree its own.
func (a *Audit) shown() []string {
	list := slices.Clone(a.names)
	for i := range list {
		if list[i] == "." {
			list[i] = filepath.Base(a.tree.Dir)
		}
	}
	return list
}

// scopeSHA256 returns the hash of the paths: the scope of an audit.
func (a *Audit) scopeSHA256() string {
	var names []string
	for _, name := range a.names {
		names = append(names, a.tree.ShownName(name))
	}
	slices.Sort(names)
	sum := sha256.Sum256([]byte(strings.Join(slices.Compact(names), "\n")))
	return hex.EncodeToString(sum[:])
}

// together returns doubts with one for each problem of a file, at its first place, with
// the number of further places.
func together(doubts []listeners.Doubt) []listeners.Doubt {
	var list []listeners.Doubt
	at, more := map[string]int{}, map[int]int{}
	for _, d := range doubts {
		key := d.At.File + "\x00" + d.Problem
		i, ok := at[key]
		if !ok {
			at[key] = len(list)
			list = append(list, d)
			continue
		}
		more[i]++
	}
	for i, n := range more {
		list[i].Problem += ", here and in " + wording.Plural(n, "further place")
	}
	return list
}
