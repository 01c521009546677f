package exposure

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// tarpit is a policy that accepts a host which responds on every port.
const tarpit = `version: 1
accept:
  - {id: AR-1, rule: MXS9020, target: 192.0.2.13, reason: "the tarpit of the network team", owner: ops, expires: 2026-12-31}
  - {id: AR-2, rule: MXS9003, target: mx9.example.org, reason: "it comes back in spring", owner: ops, expires: 2026-12-31}
`

func TestAcceptsNotice(t *testing.T) {
	p, err := LoadPolicy("p.yaml", []byte(tarpit), PolicyContext{Rules: testRules(t)})
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddr
	expired := testTime.AddDate(0, 3, 0)
	if a := p.AcceptsNotice(NoticeWildcard, addr("192.0.2.13"), nil, testTime); a == nil || a.ID != "AR-1" {
		t.Errorf("got %v", a)
	}
	if a := p.AcceptsNotice(NoticeUnresolved, netip.Addr{}, []string{"MX9.example.org."}, testTime); a == nil || a.ID != "AR-2" {
		t.Errorf("got %v", a)
	}
	for name, a := range map[string]*Acceptance{
		"another host":   p.AcceptsNotice(NoticeWildcard, addr("192.0.2.14"), nil, testTime),
		"another notice": p.AcceptsNotice(NoticeCrowded, addr("192.0.2.13"), nil, testTime),
		"expired":        p.AcceptsNotice(NoticeWildcard, addr("192.0.2.13"), nil, expired),
		"no policy":      (*Policy)(nil).AcceptsNotice(NoticeWildcard, addr("192.0.2.13"), nil, testTime),
	} {
		if a != nil {
			t.Errorf("%s: got %v", name, a)
		}
	}
	told := NewNotice(NoticeWildcard, "192.0.2.13", nil, "It responds everywhere.").AcceptedBy(&p.Accept[0].Acceptance)
	if told.Level != LevelNote || told.Acceptance == nil || !strings.Contains(told.Message, "Accepted by ops until 2026-12-31 (AR-1)") {
		t.Errorf("got %+v", told)
	}
	var codes []string
	for _, n := range p.Notices(nil, []Notice{told}, testTime) {
		codes = append(codes, n.Code+" "+n.Target)
	}
	if got := strings.Join(codes, ","); got != NoticeAcceptanceUnused+" mx9.example.org" {
		t.Errorf("got %s", got)
	}
	codes = nil
	for _, n := range p.Notices(nil, []Notice{told}, expired) {
		codes = append(codes, n.Code)
	}
	if got := strings.Join(codes, ","); got != NoticeAcceptanceExpired+","+NoticeAcceptanceExpired {
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
		`rule: MXS1002, target: 192.0.2.1`:            `an accepted risk lacks "port"`,
		`rule: MXS9020, target: "*"`:                  "cover more than 65536",
		`rule: MXS9020, target: 10.0.0.0/8`:           "cover more than 65536",
		`rule: "*", target: 192.0.2.1`:                `an accepted risk lacks "port"`,
		`rule: MXS8888, target: 192.0.2.1, port: "1"`: `no rule "MXS8888"`,
	} {
		_, err := LoadPolicy("p.yaml", []byte(entry(text)), PolicyContext{Rules: testRules(t)})
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestAcceptedNameDoesNotResolve(t *testing.T) {
	saw := RunFacts{Coverage: full, Unresolved: []UnresolvedName{{Name: "mx9.example.org"}}}
	if v := (Gate{}).Decide(saw, nil); v.Code != ExitIncomplete {
		t.Errorf("code %d", v.Code)
	}
	saw.Unresolved[0].Acceptance = &Acceptance{ID: "AR-2", Expires: testTime}
	if v := (Gate{}).Decide(saw, nil); v.Code != ExitPass || len(v.Notices) != 1 || v.Notices[0].Level != LevelNote {
		t.Errorf("code %d, notices %v", v.Code, v.Notices)
	}
}
