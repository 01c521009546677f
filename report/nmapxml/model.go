package nmapxml

import "encoding/xml"

// The elements of nmap's XML output that are written, as in nmap.dtd.

type nmapHost struct {
	XMLName   xml.Name      `xml:"host"`
	Start     int64         `xml:"starttime,attr"`
	End       int64         `xml:"endtime,attr"`
	Status    nmapStatus    `xml:"status"`
	Address   nmapAddress   `xml:"address"`
	Hostnames nmapHostnames `xml:"hostnames"`
	Ports     nmapPorts     `xml:"ports"`
	Times     *nmapTimes    `xml:"times"`
}

type nmapStatus struct {
	State  string `xml:"state,attr"`
	Reason string `xml:"reason,attr"`
	TTL    int    `xml:"reason_ttl,attr"`
}

type nmapAddress struct {
	Addr string `xml:"addr,attr"`
	Type string `xml:"addrtype,attr"`
}

type nmapHostnames struct {
	Names []nmapHostname `xml:"hostname"`
}

type nmapHostname struct {
	Name string `xml:"name,attr"`
	Type string `xml:"type,attr"`
}

type nmapPorts struct {
	Extra []nmapExtra `xml:"extraports"`
	Ports []nmapPort  `xml:"port"`
}

type nmapExtra struct {
	State   string            `xml:"state,attr"`
	Count   int               `xml:"count,attr"`
	Reasons []nmapExtraReason `xml:"extrareasons"`
}

type nmapExtraReason struct {
	Reason string `xml:"reason,attr"`
	Count  int    `xml:"count,attr"`
	Proto  string `xml:"proto,attr"`
	Ports  string `xml:"ports,attr"`
}

type nmapPort struct {
	Protocol string       `xml:"protocol,attr"`
	ID       uint16       `xml:"portid,attr"`
	State    nmapStatus   `xml:"state"`
	Service  *nmapService `xml:"service"`
	Scripts  []nmapScript `xml:"script"`
}

type nmapService struct {
	Name      string   `xml:"name,attr"`
	Product   string   `xml:"product,attr,omitempty"`
	Version   string   `xml:"version,attr,omitempty"`
	ExtraInfo string   `xml:"extrainfo,attr,omitempty"`
	Hostname  string   `xml:"hostname,attr,omitempty"`
	OSType    string   `xml:"ostype,attr,omitempty"`
	Tunnel    string   `xml:"tunnel,attr,omitempty"`
	Method    string   `xml:"method,attr"`
	Conf      int      `xml:"conf,attr"`
	CPEs      []string `xml:"cpe"`
}

type nmapScript struct {
	ID     string     `xml:"id,attr"`
	Output string     `xml:"output,attr"`
	Elems  []nmapElem `xml:"elem"`
}

type nmapElem struct {
	Key  string `xml:"key,attr"`
	Text string `xml:",chardata"`
}

type nmapTimes struct { // microseconds
	SRTT   int64 `xml:"srtt,attr"`
	RTTVar int64 `xml:"rttvar,attr"`
	To     int64 `xml:"to,attr"`
}
