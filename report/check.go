package report

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/result"
)

var (
	hexID     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	uuid      = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	ruleID    = regexp.MustCompile(`^MXS[0-9]{4}$`)
	noticeID  = regexp.MustCompile(`^MXS9[0-9]{3}$`)
	shardName = regexp.MustCompile(`^[1-9][0-9]*/[1-9][0-9]*$`)
	localPath = regexp.MustCompile(`^/|\\|(^|/)\.\.(/|$)`)
)

// knownProtocols are those that the schema lists.
var knownProtocols = []string{"tcp", "udp"}

// badValue returns the error for a member that violates the schema.
func badValue(member string, value any, why string) error {
	text := fmt.Sprint(value)
	if s, ok := value.(string); ok {
		text = strconv.Quote(s)
	}
	return &valueError{member, sanitize.Text(text, 80), why}
}

// A versionError says that a saved run has the form of another version of mxsweep.
type versionError struct{ error }

// Unwrap returns what is wrong with the member.
func (e *versionError) Unwrap() error { return e.error }

// checkVersion checks the version of the schema.
func checkVersion(version string) error {
	if versionKnown(version) {
		return nil
	}
	err := badValue("schema_version", version, "this program reads 1.x")
	if major, _, ok := strings.Cut(version, "."); ok && major != "1" && isNumber(major) {
		return &versionError{err}
	}
	return err
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// oneOf checks that value is one of those the schema lists.
func oneOf(member, value string, known []string) error {
	if slices.Contains(known, value) {
		return nil
	}
	return badValue(member, value, "not a value of the schema")
}

// inTable checks that a word is in the table that parse uses, and replaces it by
// the entry of the table, because a large run repeats a few words very often.
func inTable[T ~string](member string, word *T, parse func(string) (T, bool)) error {
	known, ok := parse(string(*word))
	if !ok {
		return badValue(member, string(*word), "not a value of the schema")
	}
	*word = known
	return nil
}

// first returns the first error that is not nil.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkPlace(ip netip.Addr, port uint16, protocol string) error {
	switch {
	case !ip.IsValid():
		return badValue("ip", "", "not an IP address")
	case ip.Zone() != "":
		return badValue("ip", ip.String(), "not an IP address")
	case port == 0:
		return badValue("port", port, "not from 1 to 65535")
	}
	return oneOf("protocol", protocol, knownProtocols)
}

// share replaces a word by the equal entry of a list, for the same reason.
func share(word *string, known []string) {
	if i := slices.Index(known, *word); i >= 0 {
		*word = known[i]
	}
}

func checkPort(p *result.Port) error {
	if p.Timestamp.IsZero() {
		return badValue("timestamp", "", "missing")
	}
	if p.Attempts < 0 || p.RTT < 0 {
		return badValue("attempts", p.Attempts, "neither attempts nor rtt_ms can be negative")
	}
	knownWords(p)
	return first(
		checkPlace(p.IP, p.Port, p.Protocol),
		inTable("state", &p.State, result.ParseState),
		inTable("reachability", &p.Reachability, result.ParseReachability),
		checkAnchor(p.Anchor, "anchor"),
		checkListener(p.Listener),
		checkService(p.Service),
		checkBanner(p.Banner),
		checkTLS(p.TLS),
	)
}

// knownWords replaces a reason and a role that only a later minor version defines
// by unknown, so that its runs can be read.
func knownWords(p *result.Port) {
	share(&p.Protocol, knownProtocols)
	if known, ok := result.ParseReason(string(p.Reason)); ok {
		p.Reason = known
	} else if p.Reason != "" {
		p.Reason = result.ReasonUnknown
	}
	if s := p.Service; s != nil && s.Expected != nil {
		s.Expected.Role, _ = result.ParseRole(string(s.Expected.Role))
	}
	if s := p.Service; s != nil && s.Role != "" {
		known, ok := result.ParseRole(string(s.Role))
		if s.Role = known; !ok {
			s.Role = result.RoleUnknown
		}
	}
}

// shardExists reports whether shard has the form "I/N" with 1 <= I <= N.
func shardExists(shard string) bool {
	i, n, _ := strings.Cut(shard, "/")
	part, err := strconv.ParseUint(i, 10, 64)
	parts, errParts := strconv.ParseUint(n, 10, 64)
	return err == nil && errParts == nil && part >= 1 && part <= parts
}

func checkService(s *result.Service) error {
	if s == nil {
		return nil
	}
	if s.Confidence < 0 || s.Confidence > 10 {
		return badValue("confidence", s.Confidence, "not from 0 to 10")
	}
	return first(inTable("tunnel", &s.Tunnel, result.ParseTunnel), inTable("method", &s.Method, result.ParseMethod))
}

func checkBanner(b *result.Banner) error {
	if b == nil {
		return nil
	}
	if _, err := base64.StdEncoding.DecodeString(b.Base64); err != nil {
		return badValue("base64", b.Base64, "not base64")
	}
	return checkHash("sha256", b.SHA256)
}

func checkTLS(t *result.TLS) error {
	if t == nil {
		return nil
	}
	if t.KeyBits < 0 {
		return badValue("key_bits", t.KeyBits, "negative")
	}
	for _, c := range t.Chain {
		if err := first(checkHash("cert_sha256", c.CertSHA256), checkHash("key_sha256", c.KeySHA256), checkLongHash("cert_sha512", c.CertSHA512), checkLongHash("key_sha512", c.KeySHA512)); err != nil {
			return err
		}
	}
	return checkHash("cert_sha256", t.CertSHA256)
}

// checkHash accepts a SHA-256 in hex, or "".
func checkHash(member, value string) error {
	if value == "" || hexID.MatchString(value) {
		return nil
	}
	return badValue(member, value, "not 64 lower-case hex digits")
}

// checkState accepts a state, or "".
func checkState(s *result.State) error {
	if *s == "" {
		return nil
	}
	return inTable("state", s, result.ParseState)
}

// checkLongHash accepts a SHA-512 in hex.
func checkLongHash(member, value string) error {
	if b, err := hex.DecodeString(value); err != nil || len(b) != 64 || value != strings.ToLower(value) {
		return badValue(member, value, "not 128 lower-case hex digits")
	}
	return nil
}

func checkFinding(f *result.Finding) error {
	switch {
	case !hexID.MatchString(f.ID):
		return badValue("id", f.ID, "not 64 lower-case hex digits")
	case !ruleID.MatchString(f.Rule):
		return badValue("rule", f.Rule, "not of the form MXSnnnn")
	case !f.Severity.Valid():
		return badValue("severity", f.Severity.String(), "not a value of the schema")
	case !(f.Score >= 0 && f.Score <= 10):
		return badValue("score", f.Score, "not from 0 to 10")
	case f.Confidence < 0 || f.Confidence > 10:
		return badValue("confidence", f.Confidence, "not from 0 to 10")
	case f.Certainty != nil && (*f.Certainty < 0 || *f.Certainty > 10):
		return badValue("certainty", *f.Certainty, "not from 0 to 10")
	case f.GroupID != "" && !hexID.MatchString(f.GroupID):
		return badValue("group_id", f.GroupID, "not 64 lower-case hex digits")
	}
	for _, ip := range f.Addresses {
		if err := checkPlace(ip, f.Port, f.Protocol); err != nil {
			return badValue("addresses", ip.String(), "not an IP address")
		}
	}
	for _, ref := range f.References {
		if u, err := url.Parse(ref); err != nil || !u.IsAbs() {
			return badValue("references", ref, "not a URI")
		}
	}
	return first(
		checkPlace(f.IP, f.Port, f.Protocol),
		inTable("status", &f.Status, result.ParseStatus),
		checkState(&f.State),
		inTable("drift", &f.Drift, result.ParseDrift),
		inTable("reachability", &f.Reachability, result.ParseReachability),
		inTable("verdict", &f.Verdict, result.ParseVerdict),
		checkAnchor(f.Anchor, "anchor"),
		checkListener(f.Listener),
		checkListener(f.OpenedBy),
		checkAnchor(f.PolicyAnchor, "policy_anchor"),
		checkAcceptance(f.Acceptance),
	)
}

func checkAcceptance(a *result.Acceptance) error {
	if a == nil {
		return nil
	}
	if a.Expires.IsZero() {
		return badValue("expires", "", "not a date (2006-01-02)")
	}
	if utf8.RuneCountInString(a.Reason) < 10 {
		return badValue("reason", a.Reason, "shorter than 10 characters")
	}
	return nil
}

// checkListener checks a listener of a file. An edit that is not safe is left out when it
// is sanitized.
func checkListener(l *result.Configured) error {
	if l == nil {
		return nil
	}
	if l.Name == "" {
		return badValue("name", l.Name, "a listener has a name")
	}
	for _, c := range l.Causes {
		if err := checkAnchor(c.Anchor, "anchor"); err != nil {
			return err
		}
	}
	return nil
}

func checkAnchor(a *result.Anchor, member string) error {
	switch {
	case a == nil:
		return nil
	case a.File == "" || localPath.MatchString(a.File):
		return badValue(member, a.File, "not a relative path with slashes")
	case a.Line < 1:
		return badValue(member, a.Line, "lines count from 1")
	case a.EndColumn < 0 || a.EndColumn == 1:
		return badValue(member, a.EndColumn, "it must be at least 2")
	case a.Column < 0 || a.Column > 0 && a.Column > a.EndColumn:
		return badValue(member, a.Column, "it must be between 1 and end_column")
	}
	return nil
}

func checkNotice(n *result.Notice) error {
	if !noticeID.MatchString(n.Code) {
		return badValue("code", n.Code, "not of the form MXS9nnn")
	}
	return first(inTable("level", &n.Level, result.ParseLevel), checkAnchor(n.Anchor, "anchor"), checkAcceptance(n.Acceptance))
}

func checkRun(r *result.Run) error {
	switch {
	case !uuid.MatchString(r.ID):
		return badValue("run_id", r.ID, "not a UUID in lower case")
	case r.StartTime.IsZero():
		return badValue("start_time", "", "missing")
	case !hexID.MatchString(r.Scope.SHA256):
		return badValue("sha256", r.Scope.SHA256, "not 64 lower-case hex digits")
	case r.Shard != "" && !shardName.MatchString(r.Shard):
		return badValue("shard", r.Shard, "not of the form I/N")
	case r.Shard != "" && !shardExists(r.Shard):
		return badValue("shard", r.Shard, "there is no such shard")
	case r.Baseline != nil && !hexID.MatchString(r.Baseline.SHA256):
		return badValue("sha256", r.Baseline.SHA256, "not 64 lower-case hex digits")
	}
	if err := checkHash("targets_sha256", r.Scope.TargetsSHA256); err != nil {
		return err
	}
	for _, id := range r.Merged {
		if !uuid.MatchString(id) {
			return badValue("merged", id, "not a UUID in lower case")
		}
	}
	for i := range r.Rules {
		if !ruleID.MatchString(r.Rules[i].ID) {
			return badValue("id", r.Rules[i].ID, "not of the form MXSnnnn")
		}
		if !r.Rules[i].Severity.Valid() {
			return badValue("severity", r.Rules[i].Severity.String(), "not a value of the schema")
		}
	}
	return first(checkPaths(r.Paths), checkJoined(r.Joined))
}

func checkTool(t *result.Tool) error {
	if t.Name != "mxsweep" {
		return badValue("name", t.Name, `not "mxsweep"`)
	}
	return nil
}

// vet sanitizes and checks a record of the schema that was read; v is a pointer
// to it.
func vet(v any) error {
	sanitize.Value(v)
	return check(v)
}

// check checks a record against the schema.
func check(v any) error {
	switch v := v.(type) {
	case *result.Tool:
		return checkTool(v)
	case *result.Run:
		return checkRun(v)
	case *result.Port:
		return checkPort(v)
	case *result.Finding:
		return checkFinding(v)
	case *result.Notice:
		return checkNotice(v)
	case *result.Summary:
		return checkSummary(v)
	}
	return fmt.Errorf("a %T is no record of the schema", v)
}
