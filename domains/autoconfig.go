package domains

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// autoconfigPath is where the settings for clients are (draft-ietf-mailmaint-autoconfig, Section
// 4.1). The address of a user is not sent.
const autoconfigPath = "/mail/config-v1.1.xml"

// A clientServer is one server of the settings for clients.
type clientServer struct {
	Type string `xml:"type,attr"`
	Host string `xml:"hostname"`
	Port int    `xml:"port"`
}

// parseAutoconfig returns the servers of the settings for clients (draft-ietf-mailmaint-autoconfig,
// Section 3). The document is at most [maxDocument] long; package encoding/xml expands no entities
// of a document type.
func parseAutoconfig(body []byte) ([]clientServer, error) {
	var doc struct {
		XMLName   xml.Name `xml:"clientConfig"`
		Providers []struct {
			Incoming []clientServer `xml:"incomingServer"`
			Outgoing []clientServer `xml:"outgoingServer"`
		} `xml:"emailProvider"`
	}
	if err := xml.NewDecoder(bytes.NewReader(body)).Decode(&doc); err != nil {
		return nil, fmt.Errorf("reading the settings for clients: %w", err)
	}
	var all []clientServer
	for _, p := range doc.Providers {
		for _, s := range append(p.Incoming, p.Outgoing...) {
			if s.Port > 0 && s.Port <= 65535 && s.Host != "" {
				all = append(all, s)
			}
		}
	}
	return all, nil
}

// fetchAutoconfig fetches the settings for clients, if that is allowed, and adds their servers.
func (k *walk) fetchAutoconfig(host string, addrs []netip.Addr) {
	if k.Fetch == nil || k.err != nil {
		return
	}
	doc, err := k.Fetch.Fetch(k.ctx, host, autoconfigPath, addrs)
	if errors.Is(err, ErrNotAllowed) {
		return
	}
	var servers []clientServer
	if err == nil {
		servers, err = parseAutoconfig(doc.Body)
	}
	if err != nil {
		k.wrong("autoconfig", host, dns.TypeA, "autoconfig of %s cannot be used: %v", k.domain.Name, err)
		return
	}
	for _, s := range servers {
		name, err := ToASCII(strings.ReplaceAll(strings.TrimSpace(s.Host), "%EMAILDOMAIN%", k.domain.Name))
		if err != nil {
			k.wrong("autoconfig", host, dns.TypeA, "autoconfig of %s names an invalid host: %v", k.domain.Name, err)
			continue
		}
		h, _ := k.host(name, Way{Kind: KindAutoconfig, Owner: host, Type: "A", Port: s.Port,
			Text: fmt.Sprintf("autoconfig %s of %s, port %d", strings.TrimSpace(s.Type), k.domain.Name, s.Port)})
		h.Ports = append(h.Ports, s.Port)
	}
}
