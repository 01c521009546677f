package result

import "net/netip"

// A Port is the result of one address and port.
type Port struct {
	IP           netip.Addr    `json:"ip"` // without a zone, which Host holds
	Host         string        `json:"host,omitempty" clean:"field"`
	Aliases      []string      `json:"aliases,omitempty" clean:"field"`
	Port         uint16        `json:"port"`
	Protocol     string        `json:"protocol"` // "tcp"
	State        State         `json:"state"`
	Reason       Reason        `json:"reason,omitempty"`
	Reachability Reachability  `json:"reachability,omitempty"` // "assumed", or ""
	Timestamp    Time          `json:"timestamp"`
	RTT          float64       `json:"rtt_ms,omitempty"` // milliseconds
	Attempts     int           `json:"attempts,omitempty"`
	Anchor       *Anchor       `json:"anchor,omitempty"`
	NamedBy      []string      `json:"named_by,omitempty" clean:"field"` // as of Finding
	Listener     *Configured   `json:"listener,omitempty"`               // nil if it was scanned
	Socket       *Listening    `json:"socket,omitempty"`                 // nil unless the run looked at the machine itself
	Service      *Service      `json:"service,omitempty"`
	Banner       *Banner       `json:"banner,omitempty"`
	TLS          *TLS          `json:"tls,omitempty"`
	Error        *PortError    `json:"error,omitempty"`
	Trail        []ProbeRecord `json:"transcript,omitempty"` // of unknown services only
}
