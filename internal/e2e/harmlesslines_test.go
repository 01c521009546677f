//go:build linux

package e2e

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// variable is what differs between two runs, and what it is replaced by.
var variable = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`^(?:<\d+>)?(?:(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} +\d+ [\d:.]+(?: \d{4}\b)?|\d{4}[-/]\d\d[-/]\d\d[T ][\d:.,+Z-]+|\[\d+/[A-Z][a-z]{2}/\d{4}:[\d:]+ [+-]\d+\])\s*(?:[\w.-]+ ([\w/-]+\[))?`), "$1"},
	{regexp.MustCompile(`(garbage: |garbage '|ATTRIBUTE LINE: |policy protocol: |match line ")<?(?:[^ ]*[^ -~].*|[^<GPIrs].*|r[^e].*|s[^e].*)`), "${1}BYTES"},
	{regexp.MustCompile(`(codec can't decode) .*`), "$1 BYTES"},
	{regexp.MustCompile(`(?:10\.7[79]\.0\.\d+|fd7[79]::[0-9a-f]+)`), "ADDRESS"},
	{regexp.MustCompile(`\b[0-9A-F]{10,}\b|\b[0-9a-f]{16}\b|<[A-Za-z0-9+/]{10,}>`), "ID"},
	{regexp.MustCompile(`^(#\d+\(\w+\)) <\w{6}>`), "$1 ID"},
	{regexp.MustCompile(`\d+`), "N"},
}

// ownWork is what a daemon logs of its own accord after it was started.
var ownWork = regexp.MustCompile(`^#N\(\w+\) .*(?:hyperscan|re_cache|maps\.rspamd\.com|rspamd_log_reset_repeated|rspamd_rs_compile)`)

// kindOf is a line of a log without what differs between two runs, "" for one that has
// nothing to do with them.
func kindOf(line string) string {
	for _, v := range variable {
		line = v.what.ReplaceAllString(strings.TrimRight(line, "\r\n"), v.by)
	}
	printable := func(r rune) rune {
		switch {
		case r == '`':
			return '\''
		case r < ' ' || r > '~':
			return '?'
		}
		return r
	}
	if ownWork.MatchString(line) {
		return ""
	}
	return strings.Trim(strings.Join(strings.Fields(strings.Map(printable, strings.TrimSpace(line))), " "), "? ")
}

// alarming begins a line of which an administrator would want to know the cause. amavisd
// marks what is serious with (!) and (!!).
var alarming = regexp.MustCompile(`(?i)panic|fatal|traceback|exception|segfault|pregreet|warning|error|trouble|\(!`)

// timing is what a daemon logs that answers after endTime of scan/hosts is over, on a host
// that is slow or stopped, or that depends on which of two ends a connection first: no run
// can tell beforehand.
var timing = []struct {
	log  string // whose lines, by the name of the file without .log; any if empty
	what *regexp.Regexp
	says string // in docs/harmless.md
}{
	{"amavis", regexp.MustCompile(`^/usr/sbin/amavisd\[N\]: .*(?:TROUBLE in process_request: .*(?:reset by peer|Broken pipe)|Requesting process rundown after fatal error)`),
		"amavisd: `(!!)TROUBLE in process_request: ... Connection reset by peer` and `(!)Requesting process rundown after fatal error`; the child is replaced"},
	{"policyd-rate-limit", regexp.MustCompile(`^Traceback: (?:ConnectionResetError|BrokenPipeError): `),
		"policyd-rate-limit: a traceback that ends in `ConnectionResetError` or `BrokenPipeError`"},
	{"", regexp.MustCompile(`^postfix/[a-z/]+\[N\]: warning: haproxy read: (?:EOF|timeout error|time limit exceeded)$`),
		"Postfix, where it waits for a PROXY header: `haproxy read: EOF`, or `timeout error` if its own time is over first"},
	{"", regexp.MustCompile(`^postfix/[a-z/]+\[N\]: (?:SSL_accept error from|warning: TLS library problem)`),
		"Postfix: `SSL_accept error`, where a TLS handshake was begun on a slow host and not completed"},
	{"", regexp.MustCompile(`^[a-z-]+(?:\(.*?\))?: Warning: Time moved (?:for|back)wards by N|^postfix/postscreen\[N\]: warning: .* average delay is N ms`), // of which no client is the cause
		"Dovecot: `Time moved forwards`, and postscreen: `average delay`, where the machine is busy or was stopped"},
}

// isTiming reports whether a line of a log is listed among those that are a matter of
// timing.
func isTiming(at, line string) bool {
	name := strings.TrimSuffix(path.Base(at), ".log")
	for _, l := range timing {
		if (l.log == "" || l.log == name) && l.what.MatchString(line) {
			return true
		}
	}
	return false
}

// entries returns the lines of a log; a traceback of Python is one line, with the
// exception that it ends in. One whose end is not yet written is left out.
func entries(log string) []string {
	var list []string
	inside := false
	for line := range strings.Lines(log) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case line == "Traceback (most recent call last):":
			inside = true
		case inside && (line == "" || line[0] == ' '): // where, and what the source has there
		case inside:
			inside = false
			list = append(list, "Traceback: "+line)
		case line == "During handling of the above exception, another exception occurred:":
		default:
			list = append(list, line)
		}
	}
	return list
}

// TestKinds: lines of two runs are the same without times and identifiers.
func TestKinds(t *testing.T) {
	for line, want := range map[string]string{
		"Nov 30 03:21:53 lab postfix/smtpd[12]: connect from unknown[10.77.0.250]":                    "postfix/smtpd[N]: connect from unknown[ADDRESS]",
		"Nov 30 03:21:53.123 [77] warn: spamd: bad protocol":                                          "[N] warn: spamd: bad protocol",
		"Mon Nov 30 03:21:53 2026 odd-smtp.lab.invalid[9]: dispatching QUIT":                          "odd-smtp.lab.invalid[N]: dispatching QUIT",
		"Mon Nov  3 03:21:53 2026 [9] info: spamd: connection":                                        "[N] info: spamd: connection",
		`[30/Nov/2026:03:21:53 +0000] "GET / HTTP/1.1" 404 13`:                                        `"GET / HTTP/N.N" N N`,
		"f1f2a3cdc4d5e6f7 smtp disconnected reason=quit":                                              "ID smtp disconnected reason=quit",
		"2026-11-30 03:21:53 #31(normal) <e1ce22>; task; cannot handle request: invalid command":      "#N(normal) ID; task; cannot handle request: invalid command",
		"2026-11-30 03:21:53 #31(main) <3ff1>; re_cache; rspamd_re_cache_load_hyperscan: full loaded": "",
	} {
		if got := kindOf(line); got != want {
			t.Errorf("%q is %q, want %q", line, got, want)
		}
	}
}

// TestTimingIsOfOneProgram: what excuses one program does not excuse another, nor another
// exception.
func TestTimingIsOfOneProgram(t *testing.T) {
	const head = "Traceback (most recent call last):\n  File \"x.py\", line 1, in read\n    data = c.recv(1)\n"
	const reset = head + "ConnectionResetError: [Errno 104] Connection reset by peer\n"
	const other = head + "ValueError: no\n"
	const during = "\nDuring handling of the above exception, another exception occurred:\n\n"
	for _, c := range []struct {
		at, log string
		want    []bool // for each line
	}{
		{"policy: /var/log/e2e/policyd-rate-limit", reset, []bool{true}},
		{"lab, policy-b: /var/log/mxlab/policyd-rate-limit.log", "one\n" + reset + "two\n", []bool{false, true, false}},
		{"policy: /var/log/e2e/policyd-rate-limit", other, []bool{false}},
		{"policy: /var/log/e2e/policyd-rate-limit", reset + during + other, []bool{true, false}},
		{"policy: /var/log/e2e/policyd-rate-limit", head, nil},
		{"lab, mailman: /var/log/mxlab/mailman.log", reset, []bool{false}},
	} {
		var got []bool
		for _, line := range entries(c.log) {
			if kind := kindOf(line); kind != "" {
				got = append(got, isTiming(c.at, kind))
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q: %v, want %v", c.at, c.log, got, c.want)
		}
	}
}
