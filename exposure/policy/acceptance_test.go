package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/result"
)

// tarpit is a policy that accepts a host that responds on every port.
const tarpit = `version: 1
accept:
  - {id: AR-1, rule: MXS9020, target: 192.0.2.13, reason: "the tarpit of the network team", owner: ops, expires: 2026-12-31}
  - {id: AR-2, rule: MXS9003, target: mx9.example.org, reason: "it comes back in spring", owner: ops, expires: 2026-12-31}
`

func TestAcceptsNotice(t *testing.T) {
	p, err := Load("p.yaml", []byte(tarpit), Context{Rules: exposuretest.Rules(t)})
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddr
	expired := exposuretest.Time.AddDate(0, 3, 0)
	if a := p.AcceptsNotice(exposure.NoticeWildcard, addr("192.0.2.13"), nil, exposuretest.Time); a == nil || a.ID != "AR-1" {
		t.Errorf("got %v", a)
	}
	if a := p.AcceptsNotice(exposure.NoticeUnresolved, netip.Addr{}, []string{"MX9.example.org."}, exposuretest.Time); a == nil || a.ID != "AR-2" {
		t.Errorf("got %v", a)
	}
	for name, a := range map[string]*result.Acceptance{
		"another host":   p.AcceptsNotice(exposure.NoticeWildcard, addr("192.0.2.14"), nil, exposuretest.Time),
		"another notice": p.AcceptsNotice(exposure.NoticeUnresponsiveHost, addr("192.0.2.13"), nil, exposuretest.Time),
		"expired":        p.AcceptsNotice(exposure.NoticeWildcard, addr("192.0.2.13"), nil, expired),
		"no policy":      (*Policy)(nil).AcceptsNotice(exposure.NoticeWildcard, addr("192.0.2.13"), nil, exposuretest.Time),
	} {
		if a != nil {
			t.Errorf("%s: got %v", name, a)
		}
	}
	told := exposure.AcceptNotice(exposure.NewNotice(exposure.NoticeWildcard, "192.0.2.13", nil, "It responds everywhere."), &p.Accept[0].Acceptance)
	if told.Level != result.LevelNote || told.Acceptance == nil || !strings.Contains(told.Message, "Accepted by ops until 2026-12-31 (AR-1)") {
		t.Errorf("got %+v", told)
	}
	var codes []string
	for _, n := range p.Notices(nil, []result.Notice{told}, exposuretest.Time) {
		codes = append(codes, n.Code+" "+n.Target)
	}
	if got := strings.Join(codes, ","); got != exposure.NoticeAcceptanceUnused+" mx9.example.org" {
		t.Errorf("got %s", got)
	}
	codes = nil
	for _, n := range p.Notices(nil, []result.Notice{told}, expired) {
		codes = append(codes, n.Code)
	}
	if got := strings.Join(codes, ","); got != exposure.NoticeAcceptanceExpired+","+exposure.NoticeAcceptanceExpired {
		t.Errorf("got %s", got)
	}
}

func TestAcceptedNoticeErrors(t *testing.T) {
	entry := func(text string) string {
		return "version: 1\naccept:\n  - {id: AR-1, " + text + ", reason: \"a tarpit that is known\", owner: ops, expires: 2026-12-31}\n"
	}
	for text, want := range map[string]string{
		`rule: MXS9020, target: 192.0.2.1`:            "",
		`rule: MXS9020, target: 192.0.2.1, port: 25`:  "notice MXS9020 is about a whole host",
		`rule: MXS9004, target: 192.0.2.1`:            `notice "MXS9004" cannot be accepted`,
		`rule: MXS1002, target: 192.0.2.1`:            `an accepted risk lacks the key "port"`,
		`rule: MXS9020, target: "*"`:                  "cover more than 65536",
		`rule: MXS9020, target: 10.0.0.0/8`:           "cover more than 65536",
		`rule: "*", target: 192.0.2.1`:                `an accepted risk lacks the key "port"`,
		`rule: MXS8888, target: 192.0.2.1, port: "1"`: `no rule "MXS8888"`,
	} {
		_, err := Load("p.yaml", []byte(entry(text)), Context{Rules: exposuretest.Rules(t)})
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
