package sockets

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// maxPorts is the maximum number of ports of one rule that are listed one by one.
const maxPorts = 4096

// A register is what a rule has loaded into a register of nftables.
type register struct {
	field field
	value []byte // of fieldValue
}

// A field is a part of a packet.
type field int

const (
	fieldOther    field = iota
	fieldValue          // a constant
	fieldPort           // the destination port
	fieldAddress        // the destination address
	fieldProtocol       // the number of the transport protocol
	fieldTarget         // the result of a map by destination port
)

// A portRange is the range of ports from first to last.
type portRange struct{ first, last uint16 }

// A ruleReader follows the expressions of a rule of nftables.
type ruleReader struct {
	elements  func(name string, id uint32) ([]nftables.SetElement, error)
	registers map[uint32]register

	ports   []portRange // that the rule matches; nil: not known
	address netip.Addr  // that it matches
	targets []portTarget
	notTCP  bool
	passes  bool // it translates destinations

	forwards []Forward
	more     bool // than maxPorts
}

// A portTarget is an element of a map from ports to targets.
type portTarget struct {
	ports portRange
	to    netip.AddrPort
}

// load sets a register. Registers of 32 bits are named by the first of 128 bits that
// they are part of, where they begin together.
func (r *ruleReader) load(number uint32, v register) { r.registers[wideRegister(number)] = v }

func (r *ruleReader) loaded(number uint32) register { return r.registers[wideRegister(number)] }

func wideRegister(number uint32) uint32 {
	if number >= unix.NFT_REG32_00 && (number-unix.NFT_REG32_00)%4 == 0 {
		return (number-unix.NFT_REG32_00)/4 + unix.NFT_REG_1
	}
	return number
}

// read follows one expression.
func (r *ruleReader) read(e expr.Any) {
	switch e := e.(type) {
	case *expr.Meta:
		r.load(e.Register, register{field: map[bool]field{true: fieldProtocol}[e.Key == expr.MetaKeyL4PROTO]})
	case *expr.Payload:
		r.load(e.DestRegister, register{field: payloadField(e)})
	case *expr.Immediate:
		r.load(e.Register, register{field: fieldValue, value: e.Data})
	case *expr.Bitwise:
		r.load(e.DestRegister, register{}) // a part of an address
	case *expr.Cmp:
		r.compare(e)
	case *expr.Range:
		if r.loaded(e.Register).field == fieldPort && e.Op == expr.CmpOpEq && len(e.FromData) == 2 && len(e.ToData) == 2 {
			r.ports = []portRange{{binary.BigEndian.Uint16(e.FromData), binary.BigEndian.Uint16(e.ToData)}}
		}
	case *expr.Lookup:
		r.lookUp(e)
	case *expr.Match:
		r.match(e)
	case *expr.NAT:
		if e.Type == expr.NATTypeDestNAT {
			r.translate(e)
		}
	case *expr.Redir:
		r.pass(netip.Addr{}, portOf(r.loaded(e.RegisterProtoMin)))
	case *expr.Target:
		r.target(e)
	}
}

// payloadField returns the field that a part of a packet is: RFC 9293, Section 3.1; RFC
// 791, Section 3.1; RFC 8200, Section 3.
func payloadField(e *expr.Payload) field {
	switch {
	case e.Base == expr.PayloadBaseTransportHeader && e.Offset == 2 && e.Len == 2:
		return fieldPort
	case e.Base == expr.PayloadBaseNetworkHeader && (e.Offset == 16 && e.Len == 4 || e.Offset == 24 && e.Len == 16):
		return fieldAddress
	case e.Base == expr.PayloadBaseNetworkHeader && (e.Offset == 9 || e.Offset == 6) && e.Len == 1:
		return fieldProtocol
	}
	return fieldOther
}

func (r *ruleReader) compare(e *expr.Cmp) {
	switch field := r.loaded(e.Register).field; {
	case field == fieldPort && len(e.Data) == 2:
		r.comparePort(e.Op, binary.BigEndian.Uint16(e.Data))
	case field == fieldAddress && e.Op == expr.CmpOpEq:
		r.address, _ = netip.AddrFromSlice(e.Data)
	case field == fieldProtocol && e.Op == expr.CmpOpEq:
		r.notTCP = !bytes.Equal(e.Data, []byte{unix.IPPROTO_TCP})
	}
}

// comparePort follows a comparison of the destination port. A range is two of them.
func (r *ruleReader) comparePort(op expr.CmpOp, port uint16) {
	switch {
	case op == expr.CmpOpEq:
		r.ports = []portRange{{port, port}}
	case op == expr.CmpOpGte:
		r.ports = []portRange{{port, 0xffff}}
	case op == expr.CmpOpLte && len(r.ports) == 1:
		r.ports[0].last = port
	case op == expr.CmpOpLte:
		r.ports = []portRange{{0, port}}
	}
}

// lookUp follows a lookup of the destination port in a set or a map.
func (r *ruleReader) lookUp(e *expr.Lookup) {
	if r.loaded(e.SourceRegister).field != fieldPort || e.Invert {
		if e.IsDestRegSet {
			r.load(e.DestRegister, register{})
		}
		return
	}
	elements, err := r.elements(e.SetName, e.SetID)
	if err != nil {
		return // the rule stays undecided
	}
	// The end of an interval is the next larger element.
	slices.SortFunc(elements, func(a, b nftables.SetElement) int { return bytes.Compare(a.Key, b.Key) })
	for i, element := range elements {
		if element.IntervalEnd || len(element.Key) != 2 {
			continue
		}
		ports := portRange{binary.BigEndian.Uint16(element.Key), binary.BigEndian.Uint16(element.Key)}
		if i+1 < len(elements) && elements[i+1].IntervalEnd && len(elements[i+1].Key) == 2 {
			ports.last = max(ports.first, binary.BigEndian.Uint16(elements[i+1].Key)-1)
		}
		if e.IsDestRegSet {
			r.targets = append(r.targets, portTarget{ports, targetOf(element.Val)})
		} else {
			r.ports = append(r.ports, ports)
		}
	}
	if e.IsDestRegSet {
		r.load(e.DestRegister, register{field: fieldTarget})
	}
}

// targetOf reads the value of a map: an address, perhaps with a port.
func targetOf(value []byte) netip.AddrPort {
	size := 4
	if len(value) >= 16 {
		size = 16
	}
	if len(value) < size {
		return netip.AddrPort{}
	}
	address, _ := netip.AddrFromSlice(value[:size])
	var port uint16
	if rest := value[size:]; len(rest) >= 2 {
		port = binary.BigEndian.Uint16(rest)
	}
	return netip.AddrPortFrom(address, port)
}

// match follows a match of iptables.
func (r *ruleReader) match(e *expr.Match) {
	if tcp, ok := e.Info.(*xt.Tcp); ok {
		if tcp.InvFlags&xt.TcpInvDestPorts == 0 && tcp.DstPorts != [2]uint16{0, 0xffff} {
			r.ports = []portRange{{tcp.DstPorts[0], tcp.DstPorts[1]}}
		}
		return
	}
	r.notTCP = r.notTCP || e.Name == "udp" || e.Name == "sctp"
}

// target follows a target of iptables.
func (r *ruleReader) target(e *expr.Target) {
	if e.Name != "DNAT" && e.Name != "REDIRECT" {
		return
	}
	var to net.IP
	var port uint16
	switch info := e.Info.(type) {
	case *xt.NatRange:
		to, port = info.MinIP, info.MinPort
	case *xt.NatRange2:
		to, port = info.MinIP, info.MinPort
	case *xt.NatIPv4MultiRangeCompat:
		if len(*info) > 0 {
			to, port = (*info)[0].MinIP, (*info)[0].MinPort
		}
	default:
		r.passes = true
		return
	}
	address, _ := netip.AddrFromSlice(to)
	if e.Name == "REDIRECT" {
		address = netip.Addr{}
	}
	r.pass(address.Unmap(), port)
}

// translate follows a translation of the destination.
func (r *ruleReader) translate(e *expr.NAT) {
	if r.loaded(e.RegAddrMin).field == fieldTarget {
		r.passes = true
		for _, t := range r.targets {
			r.forward(t.ports, t.to.Addr(), t.to.Port())
		}
		return
	}
	address, _ := netip.AddrFromSlice(r.loaded(e.RegAddrMin).value)
	r.pass(address, portOf(r.loaded(e.RegProtoMin)))
}

// portOf returns the port in a register, 0 if there is none.
func portOf(v register) uint16 {
	if v.field != fieldValue || len(v.value) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(v.value)
}

// pass adds the ports that the rule matches, passed on to an address, or to this machine
// if it is not valid, and to a port, or the same one if it is 0.
func (r *ruleReader) pass(to netip.Addr, port uint16) {
	r.passes = true
	for _, ports := range r.ports {
		r.forward(ports, to, port)
	}
}

func (r *ruleReader) forward(ports portRange, to netip.Addr, port uint16) {
	for n := max(int(ports.first), 1); n <= int(ports.last); n++ {
		if len(r.forwards) == maxPorts {
			r.more = true
			return
		}
		target := cmp.Or(port, uint16(n))
		r.forwards = append(r.forwards, Forward{Address: r.address, Port: uint16(n), To: netip.AddrPortFrom(to, target)})
	}
}

// compareForwards orders forwards.
func compareForwards(a, b Forward) int {
	return cmp.Or(cmp.Compare(a.Port, b.Port), a.Address.Compare(b.Address), a.To.Compare(b.To))
}
