package rawnet

import (
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The receive ring: 32 blocks of 128 KiB hold about 30,000 answers, which arrive in 12
// ms at the fastest that two cores can send, and in 70 ms if the same cores have to
// answer. A receiver that does not run for longer loses answers, and their pairs are
// probed again.
const (
	blockSize  = 1 << 17
	blockCount = 32
	frameSize  = 2048 // TPACKET_V3 only requires that it divides the block
	// blockTime is how long the kernel fills a block before it passes it on unfilled,
	// in milliseconds.
	blockTime = 4
)

// A Ring is a memory-mapped AF_PACKET socket (TPACKET_V3, Documentation/
// networking/packet_mmap.rst of Linux). It is read by one goroutine.
type Ring struct {
	fd   int
	mem  []byte
	next int          // the block that comes next
	read atomic.Int32 // next, for other goroutines
}

// OpenRing opens a ring, which must be closed, that receives what prog keeps on the
// interface of that index, or on all if it is 0. Packets begin with their network
// header; the kernel removes the link header.
func OpenRing(ifindex int, prog []bpf.RawInstruction) (*Ring, error) {
	// With protocol 0 nothing is received until everything is set up.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a packet socket: %w", err)
	}
	r := &Ring{fd: fd}
	if err := r.setUp(ifindex, prog); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Ring) setUp(ifindex int, prog []bpf.RawInstruction) error {
	if err := attach(r.fd, prog); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("asking for a version 3 packet ring: %w", err)
	}
	// Without it (before Linux 4.20) the filter also sees our SYNs, and drops them.
	_ = unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	req := unix.TpacketReq3{
		Block_size: blockSize, Block_nr: blockCount,
		Frame_size: frameSize, Frame_nr: blockSize / frameSize * blockCount,
		Retire_blk_tov: blockTime,
	}
	if err := unix.SetsockoptTpacketReq3(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return fmt.Errorf("making the packet ring: %w", err)
	}
	mem, err := unix.Mmap(r.fd, 0, blockSize*blockCount, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mapping the packet ring: %w", err)
	}
	r.mem = mem
	addr := &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: ifindex}
	if err := unix.Bind(r.fd, addr); err != nil {
		return fmt.Errorf("binding the packet ring to interface %d: %w", ifindex, err)
	}
	return nil
}

// Close closes the socket. No goroutine may use the ring any more.
func (r *Ring) Close() {
	if r.mem != nil {
		_ = unix.Munmap(r.mem)
		r.mem = nil
	}
	_ = unix.Close(r.fd)
}

// htons returns v in network byte order.
func htons(v uint16) uint16 { return v<<8 | v>>8 }

// status returns the word of a block that says who owns it.
func (r *Ring) status(block int) *uint32 {
	d := (*unix.TpacketBlockDesc)(unsafe.Pointer(&r.mem[block*blockSize]))
	return (*uint32)(unsafe.Pointer(&d.Hdr)) // Block_status comes first in the union
}

// Full reports whether more than half of the ring is unread. It may be called by any
// goroutine.
func (r *Ring) Full() bool {
	return atomic.LoadUint32(r.status((int(r.read.Load())+blockCount/2)%blockCount))&unix.TP_STATUS_USER != 0
}

// A Packet is a received packet in the ring.
type Packet struct {
	EtherType uint16 // EtherType
	Link      int
	Time      int64  // when it arrived, nanoseconds since 1970
	Data      []byte // from the network header on; invalid after the call
}

// Drain passes all packets of the blocks that are ready to f, and returns how many
// blocks there were. It does not wait.
func (r *Ring) Drain(f func(Packet)) (blocks int) {
	defer func() { r.read.Store(int32(r.next)) }()
	for ; blocks < blockCount; blocks++ {
		status := r.status(r.next)
		if atomic.LoadUint32(status)&unix.TP_STATUS_USER == 0 {
			return blocks
		}
		eachPacket(r.mem[r.next*blockSize:(r.next+1)*blockSize], f)
		atomic.StoreUint32(status, unix.TP_STATUS_KERNEL)
		r.next = (r.next + 1) % blockCount
	}
	return blocks
}

// eachPacket passes the packets of one block to f. An offset outside of the block ends
// it.
func eachPacket(block []byte, f func(Packet)) {
	d := (*unix.TpacketBlockDesc)(unsafe.Pointer(&block[0]))
	h := (*unix.TpacketHdrV1)(unsafe.Pointer(&d.Hdr))
	const lladdr = (unix.SizeofTpacket3Hdr + unix.TPACKET_ALIGNMENT - 1) &^ (unix.TPACKET_ALIGNMENT - 1)
	at := int(h.Offset_to_first_pkt)
	for range h.Num_pkts {
		if at < 0 || at+lladdr+unix.SizeofSockaddrLinklayer > len(block) {
			return
		}
		p := (*unix.Tpacket3Hdr)(unsafe.Pointer(&block[at]))
		ll := (*unix.RawSockaddrLinklayer)(unsafe.Pointer(&block[at+lladdr]))
		from := at + int(p.Net)
		end := from + int(p.Snaplen)
		if end > len(block) {
			return
		}
		f(Packet{
			EtherType: htons(ll.Protocol),
			Link:      int(ll.Ifindex),
			Time:      int64(p.Sec)*1e9 + int64(p.Nsec),
			Data:      block[from:end:end],
		})
		if p.Next_offset == 0 {
			return
		}
		at += int(p.Next_offset)
	}
}

// Wait waits for a block, for at most d, in whole milliseconds. If an interface went
// down it returns an error.
func (r *Ring) Wait(d time.Duration) error {
	fds := []unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}}
	if _, err := unix.Poll(fds, int(d.Milliseconds())); err != nil && err != unix.EINTR {
		return fmt.Errorf("waiting for answers: %w", err)
	}
	if fds[0].Revents&unix.POLLERR != 0 {
		code, err := unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			return fmt.Errorf("waiting for answers: %w", unix.Errno(code))
		}
	}
	return nil
}

// Dropped returns how many answers did not fit into the ring since the last call.
func (r *Ring) Dropped() uint64 {
	s, err := unix.GetsockoptTpacketStatsV3(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return uint64(s.Drops)
}
