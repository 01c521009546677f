package fingerprint

import (
	"reflect"
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// TestLink draws the conclusions about a host with a chain of proxies.
func TestLink(t *testing.T) {
	set := load(t)
	ports, err := signatures.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	postfix := func() *Identification {
		return &Identification{Service: result.Service{Name: "smtp", Product: "Postfix smtpd", Role: "mta", Confidence: 9}, Banner: []byte("220 mx ESMTP Postfix\r\n")}
	}
	dkim := postfix()
	dkim.Product, dkim.Role = "DKIMproxy", "signing-proxy"
	services := map[uint16]*Identification{
		25: postfix(), 587: postfix(), 10027: dkim, 10028: postfix(),
		10143: {Service: result.Service{Name: "imap", Product: "Dovecot", Role: "imap", Confidence: 9}, Banner: []byte("* OK ready\r\n")},
		143:   {Service: result.Service{Name: "imap", Product: "Dovecot", Role: "imap", Confidence: 9}, Banner: []byte("* OK ready\r\n")},
		10031: {Service: result.Service{Role: "unknown"}},
		10024: {Service: result.Service{Role: "unknown"}},
		10026: {Service: result.Service{Role: "unknown", Observations: []string{"acl-refused"}}},
		10040: {Service: result.Service{Role: "unknown"}, Banner: []byte("hello\r\n")},
	}
	Link(set, ports, services)
	for port, want := range map[uint16]result.Role{
		25: "mta", 587: "submission", 10027: "signing-proxy", 10028: "reinjection",
		143: "imap", 10143: "imap-backend", 10031: "unknown", 10026: "unknown", 10040: "unknown",
	} {
		if got := services[port].Role; got != want {
			t.Errorf("the role of port %d is %q, want %q", port, got, want)
		}
		if got, want := services[port].RoleByPort, slices.Contains([]uint16{587, 10028, 10143}, port); got != want {
			t.Errorf("the role of port %d is guessed from the port: %t, want %t", port, got, want)
		}
	}
	if got, want := services[10027].SameAs, []uint16{25, 587, 10028}; !reflect.DeepEqual(got, want) {
		t.Errorf("10027 greets like %d, want %d", got, want)
	}
	silent := services[10031]
	if silent.Method != "table" || silent.Confidence > tableConfidence || silent.Product != "" || silent.Name != "" || silent.Expected == nil || *silent.Expected != (result.Expected{Name: "postfix-policy", Role: "policy"}) {
		t.Errorf("a silent 10031 is %+v, want no name, and postfix-policy expected by table", silent)
	}
	if e := services[10024].Expected; e != nil {
		t.Errorf("on a silent 10024 %+v is expected, but that would greet", e)
	}
	if e := services[10026].Expected; e == nil || e.Name != "smtp" || services[10026].Name != "" {
		t.Errorf("a 10026 that refuses us is %+v, want smtp expected and no name", services[10026].Service)
	}
	if e := services[10040].Expected; e != nil {
		t.Errorf("of a port that said something %+v is expected for its number", e)
	}
}

// TestStack checks that a stack is identified only if enough of it is there.
func TestStack(t *testing.T) {
	set := load(t)
	named := func() *Identification {
		return &Identification{Service: result.Service{Method: "probed", Product: "Zimbra"}}
	}
	services := map[uint16]*Identification{7025: {}, 7071: {}, 7143: {}}
	if got := stackOf(set, services); got != "" {
		t.Errorf("three open ports make up %q", got)
	}
	services[7025] = named() // a port, and the product
	if got := stackOf(set, services); got != "" {
		t.Errorf("one named port makes up %q", got)
	}
	services[7071], services[7143] = named(), named()
	if got := stackOf(set, services); got != "Zimbra" {
		t.Errorf("7025, 7071 and 7143 make up %q, want Zimbra", got)
	}
}

// TestLinkManyAlike checks the limit of what is recorded for a host with the same
// greeting on every port.
func TestLinkManyAlike(t *testing.T) {
	services := make(map[uint16]*Identification)
	for port := uint16(1); port != 0; port++ {
		services[port] = &Identification{Service: result.Service{Name: "smtp"}, Banner: []byte("220 x\r\n")}
	}
	Link(load(t), nil, services)
	for port, svc := range services {
		if len(svc.SameAs) != maxSame || svc.SameAs[0] != 1 && port != 1 || slices.Contains(svc.SameAs, port) {
			t.Fatalf("port %d greets like %d", port, svc.SameAs)
		}
	}
}
