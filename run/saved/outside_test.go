package saved

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/join"
	"github.com/mxsweep/mxsweep/result"
)

// An outsideFile is a saved scan of two addresses and the ports 25, 10024 and 10025, of which
// everything that is not said is filtered.
type outsideFile struct {
	vantage  string
	records  string // of ports: "25 open, 10024 closed"
	notice   string // the code of one about 192.0.2.1
	closed   int    // pairs
	unknown  int
	loss     float64
	planned  int
	complete bool
}

func (f outsideFile) write(t *testing.T) string {
	t.Helper()
	var ports, notices []string
	open := 0
	for _, text := range strings.Split(f.records, ", ") {
		var port int
		var state string
		if n, _ := fmt.Sscanf(text, "%d %s", &port, &state); n < 2 {
			continue
		}
		service := ""
		if state == "open" {
			open++
			service = `,"service":{"name":"smtp","role":"mta","product":"Exim","method":"probed","confidence":9}`
		}
		ports = append(ports, fmt.Sprintf(`{"ip":"192.0.2.1","port":%d,"protocol":"tcp","state":%q,"attempts":2,"timestamp":"2026-11-30T10:00:01Z"%s}`, port, state, service))
	}
	if f.notice != "" {
		notices = append(notices, fmt.Sprintf(`{"code":%q,"level":"warning","message":"m","target":"192.0.2.1"}`, f.notice))
	}
	text := fmt.Sprintf(`{"schema":"mxsweep.report","schema_version":"1.0","tool":{"name":"mxsweep","version":"0.1.0"},
"run":{"run_id":"dc351ace-ba20-4fde-86e0-bea56a06aa65","start_time":"2026-11-30T10:00:00Z","end_time":"2026-11-30T10:00:09Z","vantage":%q,
"scope":{"name":"command-line","sha256":"10f8d0970561703f54325f6bbb9aaea4a71b6e93808815bd3551545ab0cab710","ports":"25,10024,10025","addresses":2,"asked":["192.0.2.1","192.0.2.2"]}},
"ports":[%s],"findings":[],"notices":[%s],
"summary":{"complete":%v,"exit_code":0,"gate":"pass","coverage":{"planned":%d,"answered":%d,"ratio":%g,"loss":%g,"hosts_up":1,"hosts_silent":1,"up":["192.0.2.1"],"open":%d,"closed":%d,"filtered":%d,"unknown":%d,"vacant":0,"vacant_pairs":0,"accepted_pairs":0},
"by_severity":{"critical":0,"high":0,"medium":0,"low":0,"info":0},"by_drift":{"none":0,"new":0,"unchanged":0,"updated":0,"fixed":0,"unverified":0},"accepted":0,"acceptances_expired":0,"acceptances_unused":0}}`,
		f.vantage, strings.Join(ports, ","), strings.Join(notices, ","), f.complete, f.planned, f.planned-f.unknown, float64(f.planned-f.unknown)/float64(f.planned), f.loss, open, f.closed, f.planned-open-f.closed-f.unknown, f.unknown)
	name := filepath.Join(t.TempDir(), "run.json")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// What a saved scan shows of a port is only what it saw: a port is filtered if the scan says
// so, or if it has a record of each port that was closed.
func TestOutside(t *testing.T) {
	t.Parallel()
	whole := outsideFile{vantage: "internet", records: "25 open", planned: 6, complete: true}
	with := func(change func(*outsideFile)) outsideFile {
		f := whole
		change(&f)
		return f
	}
	const filtered, unknown = result.StateFiltered, result.StateUnknown
	for name, c := range map[string]struct {
		file     outsideFile
		recorded result.State // of port 10025; "" if it has none
		unlisted result.State // of port 10024
	}{
		"nothing was closed":               {file: whole, unlisted: filtered},
		"an unknown port was closed":       {file: with(func(f *outsideFile) { f.closed = 1 }), unlisted: join.NotOpen},
		"the closed port is recorded":      {file: with(func(f *outsideFile) { f.closed, f.records = 1, "25 open, 10025 closed" }), recorded: result.StateClosed, unlisted: filtered},
		"one of two closed is recorded":    {file: with(func(f *outsideFile) { f.closed, f.records = 2, "25 open, 10025 closed" }), recorded: result.StateClosed, unlisted: join.NotOpen},
		"recorded as filtered":             {file: with(func(f *outsideFile) { f.records = "25 open, 10025 filtered" }), recorded: filtered, unlisted: filtered},
		"recorded, but packets were lost":  {file: with(func(f *outsideFile) { f.records, f.loss = "25 open, 10025 filtered", 0.6 }), recorded: unknown},
		"the host was blocked on the way":  {file: with(func(f *outsideFile) { f.records, f.notice = "25 open, 10025 filtered", exposure.NoticeBlocked }), recorded: unknown},
		"the scan was not complete":        {file: with(func(f *outsideFile) { f.complete = false })},
		"not all pairs were planned":       {file: with(func(f *outsideFile) { f.planned = 5 })},
		"a pair is unknown and not listed": {file: with(func(f *outsideFile) { f.unknown = 1 })},
	} {
		o, err := ReadOutside(c.file.write(t), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		host, silent := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		if got := o.States(host)[10025]; got != c.recorded {
			t.Errorf("%s: port 10025 is %q, want %q", name, got, c.recorded)
		}
		if got := o.Unlisted(host, 10024); got != c.unlisted {
			t.Errorf("%s: port 10024 is %q, want %q", name, got, c.unlisted)
		}
		if o.States(host)[25] != result.StateOpen {
			t.Errorf("%s: port 25 is %q", name, o.States(host)[25])
		}
		for _, not := range []result.State{o.Unlisted(host, 10026), o.Unlisted(silent, 10024), o.Unlisted(netip.MustParseAddr("192.0.2.3"), 10024)} {
			if not != "" {
				t.Errorf("%s: a port that was not probed, or of a silent host, is %q", name, not)
			}
		}
		if !o.Has(host) || !o.Has(silent) || o.Has(netip.MustParseAddr("192.0.2.3")) || !o.Probed(10024) || o.Probed(10026) {
			t.Errorf("%s: it does not know what was probed", name)
		}
		if up := o.Up(4); len(up) != 1 || up[0] != host {
			t.Errorf("%s: up are %v", name, up)
		}
	}
	if _, err := ReadOutside(with(func(f *outsideFile) { f.vantage = "host" }).write(t), nil); err == nil {
		t.Error("a scan of a machine by itself was read as one from outside")
	}
}
