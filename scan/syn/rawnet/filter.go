package rawnet

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// snapLen is how much of a packet is kept: the longest IPv6 error with a quoted SYN
// has 40+8+40+24 bytes, and there may be a few extension headers.
const snapLen = 160

// A step is one instruction of a filter, with names in place of offsets.
type step struct {
	name    string // label for jumps; empty for none
	do      bpf.Instruction
	yes, no string // of a JumpIf: the labels to jump to; empty is the next step
}

// is, atLeast and anyOf are the tests of a filter.
func is(v uint32) bpf.JumpIf      { return bpf.JumpIf{Cond: bpf.JumpEqual, Val: v} }
func atLeast(v uint32) bpf.JumpIf { return bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: v} }
func anyOf(v uint32) bpf.JumpIf   { return bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: v} }

// AnswerFilter returns the program that the kernel runs on each packet that arrives,
// with the network header at offset 0. It keeps possible answers to a SYN from one of
// our ports (from first to last), apparent answers to a SYN from a port that no one
// uses, and ICMP errors. Decode checks them in detail; the filter only saves the cost
// of this machine's other traffic. The kernel's own connections use the ports from low
// to high.
func AnswerFilter(first, last, low, high uint16) ([]bpf.RawInstruction, error) {
	const synRst = 0x02 | 0x04
	return assemble([]step{
		{do: bpf.LoadExtension{Num: bpf.ExtProto}},
		{do: is(etherIPv6), yes: "v6"},
		{do: is(etherIPv4), no: "drop"},
		{do: bpf.LoadAbsolute{Off: 6, Size: 2}},
		{do: anyOf(0x1fff), yes: "drop"}, // a later fragment
		{do: bpf.LoadMemShift{Off: 0}},   // X is the header's length
		{do: bpf.LoadAbsolute{Off: 9, Size: 1}},
		{do: is(protoTCP), yes: "tcp"},
		{do: is(protoICMP), no: "drop"},
		{do: bpf.LoadIndirect{Off: 0, Size: 1}},
		{do: is(3), yes: "keep"},
		{do: is(11), yes: "keep", no: "drop"},

		{name: "v6", do: bpf.LoadConstant{Dst: bpf.RegX, Val: ipv6Len}},
		{do: bpf.LoadAbsolute{Off: 6, Size: 1}},
		{do: is(protoTCP), yes: "tcp"},
		{do: is(protoICMPv6), yes: "icmp6"},
		// Extension headers are rare, and left to Decode.
		{do: is(protoHopByHop), yes: "keep"},
		{do: is(protoRouting), yes: "keep"},
		{do: is(protoFragment), yes: "keep"},
		{do: is(protoDestOpts), yes: "keep", no: "drop"},
		{name: "icmp6", do: bpf.LoadIndirect{Off: 0, Size: 1}},
		{do: is(1), yes: "keep"},
		{do: is(3), yes: "keep", no: "drop"},

		{name: "tcp", do: bpf.LoadIndirect{Off: 2, Size: 2}},
		{do: atLeast(uint32(low)), no: "flags"},
		{do: atLeast(uint32(high) + 1), yes: "flags"},
		{do: atLeast(uint32(first)), no: "drop"},
		{do: atLeast(uint32(last) + 1), yes: "drop"},
		{name: "flags", do: bpf.LoadIndirect{Off: 13, Size: 1}},
		{do: anyOf(synRst), no: "drop"},
		{name: "keep", do: bpf.RetConstant{Val: snapLen}},
		{name: "drop", do: bpf.RetConstant{Val: 0}},
	})
}

// assemble replaces labels by offsets.
func assemble(steps []step) ([]bpf.RawInstruction, error) {
	at := map[string]int{}
	for i, s := range steps {
		if s.name != "" {
			at[s.name] = i
		}
	}
	prog := make([]bpf.Instruction, len(steps))
	for i, s := range steps {
		skip := func(name string) uint8 {
			if name == "" {
				return 0
			}
			return uint8(at[name] - i - 1)
		}
		prog[i] = s.do
		if j, ok := s.do.(bpf.JumpIf); ok {
			j.SkipTrue, j.SkipFalse = skip(s.yes), skip(s.no)
			prog[i] = j
		}
	}
	raw, err := bpf.Assemble(prog)
	if err != nil {
		return nil, fmt.Errorf("assembling the packet filter: %w", err)
	}
	return raw, nil
}
